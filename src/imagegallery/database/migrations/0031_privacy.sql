-- Exports of all that an owner has, and erasures of it.

-- `files` and `bytes` (of them) are known once the snapshot is taken; the rest of the archive's layout when it is ready.
CREATE TABLE exports (
    id              uuid PRIMARY KEY,
    owner_id        text NOT NULL,
    state           text NOT NULL CHECK (state IN ('waiting', 'reading', 'ready', 'failed', 'ended')),
    files           bigint NOT NULL DEFAULT 0,
    bytes           bigint NOT NULL DEFAULT 0,
    bytes_read      bigint NOT NULL DEFAULT 0,
    directory_place bigint,                                              -- where the archive's directory begins
    directory_size  bigint,
    size            bigint,                                              -- of the archive
    created_at      timestamptz NOT NULL,
    snapshot_at     timestamptz,
    ready_at        timestamptz,
    expires_at      timestamptz NOT NULL
);
-- One at a time; and how many were there lately?
CREATE UNIQUE INDEX exports_open ON exports (owner_id) WHERE state IN ('waiting', 'reading', 'ready');
CREATE INDEX exports_by_owner ON exports (owner_id, created_at DESC);
CREATE INDEX exports_by_expiry ON exports (expires_at);

-- The files of an archive, in its order: each is a part of an object. `place` is where its header begins in the archive,
-- `entry_place` where its entry begins in the directory. `crc32` is of the first `bytes_read`.
CREATE TABLE export_files (
    export_id   uuid NOT NULL REFERENCES exports ON DELETE CASCADE,
    number      bigint NOT NULL,
    name        text NOT NULL,
    key         text NOT NULL,
    start       bigint NOT NULL,
    size        bigint NOT NULL,
    crc32       bigint NOT NULL DEFAULT 0,
    bytes_read  bigint NOT NULL,
    modified_at timestamptz NOT NULL,
    image_id    uuid,                                                    -- whose original it is
    state       text NOT NULL CHECK (state IN ('found', 'held', 'read', 'lost')),
    place       bigint,
    entry_place bigint,
    PRIMARY KEY (export_id, number)
);
-- What is there at this place?
CREATE INDEX export_files_by_place ON export_files (export_id, place);
CREATE INDEX export_files_by_entry ON export_files (export_id, entry_place);
-- What is left to be held, and read?
CREATE INDEX export_files_unread ON export_files (export_id, number) WHERE state IN ('found', 'held');
-- An original that an export needs stays, although its image is deleted.
CREATE INDEX export_files_by_original ON export_files (key) WHERE image_id IS NOT NULL;

-- `owner_id` is NULL when nothing of them is left: then it is a receipt.
CREATE TABLE erasures (
    id           uuid PRIMARY KEY,
    owner_id     text,
    state        text NOT NULL CHECK (state IN ('requested', 'erasing', 'telling', 'erased')),
    counts       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(counts) = 'object'),
    requested_at timestamptz NOT NULL,
    erase_at     timestamptz NOT NULL,
    erased_at    timestamptz,
    finished_at  timestamptz,
    CHECK ((state = 'erased') = (owner_id IS NULL)),
    CHECK ((state = 'erased') = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX erasures_by_owner ON erasures (owner_id) WHERE owner_id IS NOT NULL;

-- How open a thing was before its owner asked to be erased.
CREATE TABLE closed_things (
    owner_id   text NOT NULL,
    thing      text NOT NULL CHECK (thing IN ('gallery', 'image')),
    id         uuid NOT NULL,
    visibility text NOT NULL,
    PRIMARY KEY (owner_id, thing, id)
);
