-- What is computed about images, by name and version. `data`: what was found; of one that failed, why. What lists and
-- searches read of it stands where they read it, too.
CREATE TABLE image_analyses (
    image_id   uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    name       text NOT NULL,
    version    integer NOT NULL CHECK (version > 0),
    state      text NOT NULL CHECK (state IN ('done', 'failed')),
    data       jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (image_id, name)
);

-- What is known need not be computed again.
INSERT INTO image_analyses (image_id, name, version, state, data, created_at)
SELECT id, 'placeholder', 1, 'done', to_jsonb(blurhash), updated_at FROM images WHERE blurhash IS NOT NULL
UNION ALL
SELECT id, 'phash', 1, 'done', to_jsonb(lpad(to_hex(phash), 16, '0')), updated_at FROM images WHERE phash IS NOT NULL
UNION ALL
SELECT id, 'metadata', 1, 'done', exif_data, updated_at FROM images WHERE exif_data IS NOT NULL;

-- `original_state`: whether all of an original was looked at, or only its head; one that then proved to be no picture is
-- refused: its object is gone, and counts as nobody's storage. `sha256` is NULL until all of it was read.
ALTER TABLE images
    ADD original_state text NOT NULL DEFAULT 'verified'
        CHECK (original_state IN ('unverified', 'verified', 'refused')),
    ALTER sha256 DROP NOT NULL,
    ADD CHECK (sha256 IS NOT NULL OR original_state <> 'verified');
-- May this file be in already? Of another size it is not.
CREATE INDEX images_by_size ON images (owner_id, file_size);

-- The SHA-256 of what came through the service, taken on the way.
ALTER TABLE upload_sessions ADD received_sha256 bytea CHECK (octet_length(received_sha256) = 32);
