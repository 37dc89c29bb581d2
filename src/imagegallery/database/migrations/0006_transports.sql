-- Uploads that arrive in parts or little by little.

-- received_offset and multipart_id (0001) come into use: how many bytes are durable, and the store's id of what grows.
ALTER TABLE upload_sessions
    ADD part_size     bigint CHECK (part_size > 0),      -- transport parts: bytes of every part but the last
    ADD wire_metadata text,                              -- transport resumable: tus Upload-Metadata, as it was sent
    ADD concatenation text CHECK (concatenation IN ('partial', 'final')),
    ADD completes_itself boolean NOT NULL DEFAULT false, -- the last byte completes the session
    ADD CHECK (received_offset >= 0),
    ADD CHECK (declared_size IS NULL OR received_offset <= declared_size);
