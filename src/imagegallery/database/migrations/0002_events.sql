-- What happened, for those who want to hear of it; who has heard how much; and webhooks.

-- A row is written in the transaction that it tells of. Its id is from a sequence: ids are drawn before the commit, so
-- the order of ids is not the order in which rows become visible, and a reader that went by ids would pass over the
-- row of a transaction that drew early and committed late. So nobody reads by ids: after the commit, each event gets
-- its position in a short transaction that holds event_log's one row. Whoever can see a position can see all before it.
CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position    bigint UNIQUE,                                           -- NULL: committed, not numbered yet
    owner_id    text NOT NULL,
    type        text NOT NULL,
    data        jsonb NOT NULL,
    occurred_at timestamptz NOT NULL
);
-- What is there to be numbered?
CREATE INDEX events_unnumbered ON events (id) WHERE position IS NULL;
-- An owner's events from a position on: subscribers that resume.
CREATE INDEX events_by_owner ON events (owner_id, position);
-- What is past its time?
CREATE INDEX events_by_time ON events (occurred_at);

-- One row: how far events are numbered, and how far some of them are gone.
CREATE TABLE event_log (
    only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_position  bigint NOT NULL DEFAULT 0,
    pruned_through bigint NOT NULL DEFAULT 0 CHECK (pruned_through <= last_position)
);
INSERT INTO event_log DEFAULT VALUES;

-- How far the jobs of each consumer of events have been written.
CREATE TABLE event_cursors (
    consumer text PRIMARY KEY,
    position bigint NOT NULL
);
-- From the first event on: there may be webhooks before there is a worker.
INSERT INTO event_cursors (consumer, position) VALUES ('webhooks', 0);

CREATE TABLE webhooks (
    id              uuid PRIMARY KEY,
    owner_id        text NOT NULL,
    url             text NOT NULL,
    secret          bytea NOT NULL,
    event_types     text[] NOT NULL,                                     -- empty: all
    active          boolean NOT NULL DEFAULT true,
    disabled_reason text,
    failures        integer NOT NULL DEFAULT 0 CHECK (failures >= 0),    -- in a row
    failing_since   timestamptz,                                         -- the first of them
    created_at      timestamptz NOT NULL,
    CHECK (active = (disabled_reason IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL))
);
-- An owner's webhooks, oldest first.
CREATE INDEX webhooks_by_owner ON webhooks (owner_id, id);
