-- Uploads that arrive little by little.

ALTER TABLE upload_sessions
    ADD wire_concatenation text;                         -- tus Upload-Concat, as it was sent

-- The sweeper's question: which uploads are all there, and were cut short before they became an image?
CREATE INDEX upload_sessions_arrived ON upload_sessions (updated_at)
    WHERE state = 'uploaded' AND transport = 'resumable';

-- While a size is not known, what has arrived is what is on its way to the owner's storage.
DROP INDEX upload_sessions_awaited;
CREATE INDEX upload_sessions_awaited ON upload_sessions (owner_id, expires_at) INCLUDE (declared_size, received_offset)
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled');
