-- The library by time, its months, and the trash.

-- An owner's library, newest upload first, and newest picture first. The second also answers, by itself, what a client
-- needs to lay out a month before it asks for any image.
DROP INDEX images_by_owner;
CREATE INDEX images_by_owner ON images (owner_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX images_by_taken_at ON images (owner_id, taken_at DESC, id DESC)
    INCLUDE (is_archived, width, height, blurhash) WHERE deleted_at IS NULL;
-- Favourites are few among many.
CREATE INDEX images_favorites_by_created_at ON images (owner_id, created_at DESC, id DESC)
    WHERE is_favorite AND deleted_at IS NULL;
CREATE INDEX images_favorites_by_taken_at ON images (owner_id, taken_at DESC, id DESC)
    WHERE is_favorite AND deleted_at IS NULL;

-- An owner's trash, last in first; and everybody's, for the sweeper.
CREATE INDEX images_in_trash ON images (owner_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX images_by_deleted_at ON images (deleted_at, id) WHERE deleted_at IS NOT NULL;

-- Where an image in the trash was: set aside, so that what counts and lists a gallery's images need not look past it.
CREATE TABLE trashed_memberships (
    gallery_id       uuid NOT NULL REFERENCES galleries ON DELETE CASCADE,
    image_id         uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    position         bigint NOT NULL,
    image_created_at timestamptz NOT NULL,
    image_taken_at   timestamptz NOT NULL,
    name_key         text COLLATE "C" NOT NULL,
    added_at         timestamptz NOT NULL,
    was_cover        boolean NOT NULL,
    PRIMARY KEY (image_id, gallery_id)
);
-- What goes with a gallery, and what is renumbered with it.
CREATE INDEX trashed_memberships_by_position ON trashed_memberships (gallery_id, position);
