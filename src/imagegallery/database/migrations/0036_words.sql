-- What an owner says of an image, and before them its file: title, description, rating, the people in it. `own_words` are
-- the names of those (of tags, too) that were said here: what a file says never replaces them.
ALTER TABLE images
    ADD title       text NOT NULL DEFAULT '',
    ADD description text NOT NULL DEFAULT '',
    ADD rating      smallint CHECK (rating BETWEEN 0 AND 5),
    ADD people      text[] NOT NULL DEFAULT '{}',
    ADD own_words   text[] NOT NULL DEFAULT '{}' CHECK (own_words <@ '{tags,title,description,rating}');
CREATE INDEX images_rated_created ON images (owner_id, rating, created_at DESC, id DESC)
    WHERE rating IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX images_rated_taken ON images (owner_id, rating, taken_at DESC, id DESC)
    WHERE rating IS NOT NULL AND deleted_at IS NULL;

-- An owner's tags: `key` is the name as it is compared (imagegallery.images.words.words), in the order of its letters.
CREATE TABLE tags (
    id         uuid PRIMARY KEY,
    owner_id   text NOT NULL,
    key        text COLLATE "C" NOT NULL,
    name       text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (owner_id, key)
);

-- With what lists by a tag are ordered by. `is_listed`: the image is neither in the trash nor waits for approval.
CREATE TABLE image_tags (
    image_id         uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    tag_id           uuid NOT NULL REFERENCES tags ON DELETE CASCADE,
    image_created_at timestamptz NOT NULL,
    image_taken_at   timestamptz NOT NULL,
    is_listed        boolean NOT NULL,
    PRIMARY KEY (image_id, tag_id)
);
CREATE INDEX image_tags_created ON image_tags (tag_id, is_listed, image_created_at DESC, image_id DESC);
CREATE INDEX image_tags_taken ON image_tags (tag_id, image_taken_at DESC, image_id DESC) WHERE is_listed;

-- How many listed images have a tag: the sum of its slots, one of which an image always counts in, so that uploads that
-- share their tags seldom wait for each other.
CREATE TABLE tag_counts (
    tag_id      uuid NOT NULL REFERENCES tags ON DELETE CASCADE,
    slot        smallint NOT NULL,
    image_count bigint NOT NULL,
    PRIMARY KEY (tag_id, slot)
);
