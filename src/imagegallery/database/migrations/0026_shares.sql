-- Shares: what an owner lets others do with galleries, images or the whole library, opened by a link or by recipients.

CREATE TABLE shares (
    id               uuid PRIMARY KEY,
    owner_id         text NOT NULL,
    token_hash       bytea CHECK (octet_length(token_hash) = 32),         -- SHA-256 of the link's token; NULL: no link
    permissions      integer NOT NULL CHECK (permissions >= 0),           -- imagegallery.access.permission, as a number
    metadata         smallint NOT NULL CHECK (metadata BETWEEN 0 AND 2),  -- none, basic, all: the greatest counts
    download         smallint NOT NULL CHECK (download BETWEEN 0 AND 2),  -- none, variant, original: the greatest counts
    password_hash    text,
    password_version integer NOT NULL DEFAULT 0,                          -- what was unlocked with an earlier one is not
    starts_at        timestamptz,                                         -- of a library: images added from then on
    expires_at       timestamptz,
    max_views        bigint CHECK (max_views > 0),
    views            bigint NOT NULL DEFAULT 0,
    note             text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    revoked_at       timestamptz
);
CREATE UNIQUE INDEX shares_by_token ON shares (token_hash) WHERE token_hash IS NOT NULL;
-- An owner's shares, newest first.
CREATE INDEX shares_by_owner ON shares (owner_id, created_at DESC, id DESC);

-- What a share is of; with neither a gallery nor an image, the whole library of its owner.
CREATE TABLE share_targets (
    share_id   uuid NOT NULL REFERENCES shares ON DELETE CASCADE,
    owner_id   text NOT NULL,
    gallery_id uuid REFERENCES galleries ON DELETE CASCADE,
    image_id   uuid REFERENCES images ON DELETE CASCADE,
    CHECK (gallery_id IS NULL OR image_id IS NULL)
);
CREATE UNIQUE INDEX share_targets_once ON share_targets (share_id, gallery_id, image_id) NULLS NOT DISTINCT;
CREATE INDEX share_targets_of_gallery ON share_targets (gallery_id) WHERE gallery_id IS NOT NULL;
CREATE INDEX share_targets_of_image ON share_targets (image_id) WHERE image_id IS NOT NULL;
CREATE INDEX share_targets_of_library ON share_targets (owner_id) WHERE gallery_id IS NULL AND image_id IS NULL;

-- Who a share is for, beside or in place of its link. What is NULL of the second group is as the share says.
CREATE TABLE share_recipients (
    id          uuid PRIMARY KEY,
    share_id    uuid NOT NULL REFERENCES shares ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('user', 'email', 'group')),
    name        text NOT NULL,                                            -- e-mail addresses in lower case

    permissions integer CHECK (permissions >= 0),
    metadata    smallint CHECK (metadata BETWEEN 0 AND 2),
    download    smallint CHECK (download BETWEEN 0 AND 2),

    by_link     boolean NOT NULL DEFAULT false,                           -- came by the link, and kept the share
    joined_at   timestamptz,                                              -- when they kept it among their own
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX share_recipients_once ON share_recipients (share_id, kind, name);
CREATE INDEX share_recipients_by_name ON share_recipients (kind, name);

-- The names of links, earlier ones too: those lead to the present one.
CREATE TABLE share_slugs (
    slug       text PRIMARY KEY CHECK (char_length(slug) BETWEEN 1 AND 100),
    share_id   uuid NOT NULL REFERENCES shares ON DELETE CASCADE,
    is_current boolean NOT NULL
);
CREATE UNIQUE INDEX share_slugs_current ON share_slugs (share_id) WHERE is_current;

-- How often a share was opened on a day, by whom: a recipient, or a visitor, whose address is kept as a hash with the
-- salt of that day only.
CREATE TABLE share_accesses (
    share_id  uuid NOT NULL REFERENCES shares ON DELETE CASCADE,
    day       date NOT NULL,
    visitor   bytea NOT NULL,                                             -- a recipient's id or the hash of an address
    recipient_id uuid REFERENCES share_recipients ON DELETE SET NULL,
    opened    bigint NOT NULL DEFAULT 1,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (share_id, day, visitor)
);
