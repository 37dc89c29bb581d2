-- Enumerations are CHECKed text; times are timestamptz.

CREATE TABLE owners (
    owner_id      text PRIMARY KEY,
    storage_used  bigint NOT NULL DEFAULT 0 CHECK (storage_used >= 0),   -- bytes of originals
    storage_limit bigint CHECK (storage_limit >= 0)                      -- NULL: the policy's default
);

CREATE TABLE galleries (
    id             uuid PRIMARY KEY,
    owner_id       text NOT NULL,
    name           text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
    description    text NOT NULL DEFAULT '',
    visibility     text NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    cover_image_id uuid,                                                 -- NULL: the first image
    image_count    bigint NOT NULL DEFAULT 0 CHECK (image_count >= 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
-- An owner's galleries, newest first.
CREATE INDEX galleries_by_owner ON galleries (owner_id, created_at DESC, id DESC);
-- An owner's gallery by its name, which need not be unique.
CREATE INDEX galleries_by_name ON galleries (owner_id, name, created_at);
-- Everybody's public galleries, newest first.
CREATE INDEX galleries_public ON galleries (created_at DESC, id DESC) WHERE visibility = 'public';

CREATE TABLE images (
    id                uuid PRIMARY KEY,
    owner_id          text NOT NULL,
    key_prefix        text NOT NULL,                                     -- where its objects lie
    original_key      text NOT NULL UNIQUE,
    filename          text NOT NULL,
    mime_type         text NOT NULL,
    width             integer NOT NULL CHECK (width > 0),
    height            integer NOT NULL CHECK (height > 0),
    frames            integer NOT NULL DEFAULT 1 CHECK (frames > 0),
    file_size         bigint NOT NULL CHECK (file_size > 0),
    sha256            bytea NOT NULL CHECK (octet_length(sha256) = 32),
    alt_text          text NOT NULL DEFAULT '' CHECK (char_length(alt_text) <= 500),
    blurhash          text,
    exif_data         jsonb,
    taken_at          timestamptz NOT NULL,                              -- EXIF, else the upload's time
    latitude          double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude         double precision CHECK (longitude BETWEEN -180 AND 180),
    processing_status text NOT NULL DEFAULT 'pending'
                      CHECK (processing_status IN ('pending', 'processing', 'complete', 'failed')),
    failure_code      text,
    failure_message   text,
    is_favorite       boolean NOT NULL DEFAULT false,
    is_archived       boolean NOT NULL DEFAULT false,
    deleted_at        timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CHECK ((processing_status = 'failed') = (failure_code IS NOT NULL))
);
-- "Is this file already in?": import, duplicates.
CREATE INDEX images_by_content ON images (owner_id, sha256);
-- An owner's library, newest first.
CREATE INDEX images_by_owner ON images (owner_id, created_at DESC, id DESC);

ALTER TABLE galleries ADD FOREIGN KEY (cover_image_id) REFERENCES images ON DELETE SET NULL;
CREATE INDEX galleries_by_cover ON galleries (cover_image_id) WHERE cover_image_id IS NOT NULL;

-- The sort keys a gallery is read in are copied here, so that every order is one index scan.
CREATE TABLE gallery_images (
    gallery_id       uuid NOT NULL REFERENCES galleries ON DELETE CASCADE,
    image_id         uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    position         bigint NOT NULL,
    image_created_at timestamptz NOT NULL,
    added_at         timestamptz NOT NULL,
    PRIMARY KEY (gallery_id, image_id),
    CONSTRAINT gallery_images_by_position UNIQUE (gallery_id, position) INCLUDE (image_id)  -- as arranged
);
-- A gallery in created_at order, newest first.
CREATE INDEX gallery_images_by_created_at ON gallery_images (gallery_id, image_created_at DESC, image_id DESC);
-- The galleries an image is in: visibility checks, deletion.
CREATE INDEX gallery_images_by_image ON gallery_images (image_id);

-- A row is written only after its object is stored; one row a variant, so that siblings are never overwritten.
CREATE TABLE image_variants (
    id           uuid PRIMARY KEY,
    image_id     uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    variant_type text NOT NULL,
    format       text NOT NULL,
    key          text NOT NULL UNIQUE,
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    file_size    bigint NOT NULL CHECK (file_size > 0),
    fingerprint  text NOT NULL,
    created_at   timestamptz NOT NULL,
    UNIQUE (image_id, variant_type, format)
);

-- No foreign keys: a session may outlive its gallery, and names the image it may become before there is one.
CREATE TABLE upload_sessions (
    id              uuid PRIMARY KEY,
    owner_id        text NOT NULL,
    gallery_id      uuid,
    transport       text NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'uploading', 'uploaded', 'completed', 'rejected',
                                                   'expired', 'cancelled')),
    incoming_key    text NOT NULL,                                       -- where the bytes arrive
    key_prefix      text NOT NULL,                                       -- where the image's objects will lie
    filename        text NOT NULL,
    content_type    text NOT NULL,
    declared_size   bigint CHECK (declared_size > 0),                    -- NULL: not known yet
    declared_sha256 bytea CHECK (octet_length(declared_sha256) = 32),
    received_offset bigint NOT NULL DEFAULT 0,
    multipart_id    text,
    error_code      text,                                                -- why it was rejected
    error_message   text,
    error_details   jsonb,
    image_id        uuid NOT NULL,                                       -- of the image it became, or may become
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    CHECK ((state = 'rejected') = (error_code IS NOT NULL AND error_message IS NOT NULL AND error_details IS NOT NULL))
);
-- The sweeper's questions: which sessions are over time and not at an end, and which ended ones can go?
CREATE INDEX upload_sessions_open ON upload_sessions (expires_at)
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled');
CREATE INDEX upload_sessions_ended ON upload_sessions (expires_at)
    WHERE state IN ('completed', 'rejected', 'expired', 'cancelled');
-- Whose bytes does a signed URL bring, and how many are on their way to one owner's storage?
CREATE UNIQUE INDEX upload_sessions_by_incoming_key ON upload_sessions (incoming_key);
CREATE INDEX upload_sessions_awaited ON upload_sessions (owner_id, expires_at) INCLUDE (declared_size)
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled');

CREATE TABLE jobs (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL,
    payload          jsonb NOT NULL,
    priority         smallint NOT NULL DEFAULT 0,
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'dead')),
    run_at           timestamptz NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,                         -- claims so far
    lease_token      uuid,
    lease_expires_at timestamptz,
    dedupe_key       text,
    last_error       text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK ((state = 'running') = (lease_token IS NOT NULL AND lease_expires_at IS NOT NULL))
);
-- The claim's two questions: what is due, and whose lease ran out?
CREATE INDEX jobs_waiting ON jobs (priority DESC, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_running ON jobs (lease_expires_at) WHERE state = 'running';
-- When will the next one be due? (Also the claim's, when much waits for later and little is due.)
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'waiting';
CREATE INDEX jobs_dead ON jobs (updated_at DESC, id) WHERE state = 'dead';
-- Of several jobs with one key, one waits.
CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe_key) WHERE state = 'waiting' AND dedupe_key IS NOT NULL;
