-- What is shared with somebody, the latest first: ids of shares are in the order in which they were made.
CREATE INDEX share_recipients_received ON share_recipients (kind, name, share_id DESC);
DROP INDEX share_recipients_by_name;
