-- What others than its owner add to a gallery, by a share: guests of its link, under a name, and recipients.

-- What all who add by a share may bring together; with approval it waits for the owner.
ALTER TABLE shares
    ADD approval boolean NOT NULL DEFAULT true,
    ADD guest_max_bytes bigint NOT NULL DEFAULT 5368709120 CHECK (guest_max_bytes >= 0),
    ADD guest_max_images integer NOT NULL DEFAULT 500 CHECK (guest_max_images BETWEEN 0 AND 10000);

-- Who added it in the owner's place (user:<id>, guest:<uuid>), and the name that they gave. NULL: the owner did.
ALTER TABLE images ADD added_by text, ADD added_by_name text,
    ADD CHECK ((added_by IS NULL) = (added_by_name IS NULL));
CREATE INDEX images_by_contributor ON images (added_by) WHERE added_by IS NOT NULL;
ALTER TABLE upload_sessions ADD share_id uuid, ADD added_by text, ADD added_by_name text,
    ADD CHECK ((share_id IS NULL) = (added_by IS NULL) AND (added_by IS NULL) = (added_by_name IS NULL));
CREATE INDEX upload_sessions_by_share ON upload_sessions (share_id, expires_at)
    INCLUDE (declared_size, reserved_size, received_offset)
    WHERE share_id IS NOT NULL AND state NOT IN ('completed', 'rejected', 'expired', 'cancelled');

-- Whose the open ones are is counted, too.
DROP INDEX upload_sessions_awaited;
CREATE INDEX upload_sessions_awaited ON upload_sessions (owner_id, expires_at)
    INCLUDE (declared_size, reserved_size, received_offset, share_id)
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled');

-- An image that was added so. As long as it is pending it has images.deleted_at = 'infinity': for lists, galleries,
-- searches and counts it does not exist, as one in the trash does not, and it is in no trash and never expires there.
CREATE TABLE contributions (
    image_id   uuid PRIMARY KEY REFERENCES images ON DELETE CASCADE,
    owner_id   text NOT NULL,
    share_id   uuid REFERENCES shares ON DELETE SET NULL,
    gallery_id uuid REFERENCES galleries ON DELETE SET NULL,
    added_by   text NOT NULL,
    size       bigint NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'approved', 'withdrawn')),
    arrived_at timestamptz NOT NULL,
    decided_at timestamptz
);
-- What a share has room for is what those that are there leave of it.
CREATE INDEX contributions_by_share ON contributions (share_id, state, arrived_at DESC, image_id DESC) INCLUDE (size);
CREATE INDEX contributions_by_owner ON contributions (owner_id, state, arrived_at DESC, image_id DESC);
CREATE INDEX contributions_by_contributor ON contributions (added_by, arrived_at DESC, image_id DESC);
CREATE INDEX contributions_by_gallery ON contributions (gallery_id) WHERE gallery_id IS NOT NULL;
