-- What a request with an idempotency key made has an id that follows from its owner and the key, so that its own row keeps
-- it single. `request_digest`: what was asked for with that key; NULL without one.
ALTER TABLE galleries ADD request_digest bytea CHECK (octet_length(request_digest) = 32);
ALTER TABLE webhooks ADD request_digest bytea CHECK (octet_length(request_digest) = 32);

-- Bytes that a signed URL lets a client send which did not say how many it has: they are the upload's until it ends.
ALTER TABLE upload_sessions ADD reserved_size bigint CHECK (reserved_size > 0);
DROP INDEX upload_sessions_awaited;
CREATE INDEX upload_sessions_awaited ON upload_sessions (owner_id, expires_at)
    INCLUDE (declared_size, reserved_size, received_offset)
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled');
