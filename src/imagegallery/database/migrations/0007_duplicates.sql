-- The same bytes stored once, what was in already, and pictures that look alike.

-- Images of one owner may share an original; what names a key, and whether anything still does, is asked often.
ALTER TABLE images DROP CONSTRAINT images_original_key_key;
CREATE INDEX images_by_original ON images (original_key);
-- "Is this file already in?", the oldest first.
DROP INDEX images_by_content;
CREATE INDEX images_by_content ON images (owner_id, sha256, created_at, id);

-- `phash`: 64 bits of how an image looks (`imagegallery.imaging.phash`), 0 if it has too little to tell by, NULL if it
-- is not computed yet. `kept_beside_copies`: its owner said, as it was uploaded, to keep it although its bytes were in.
ALTER TABLE images
    ADD phash              bigint,
    ADD kept_beside_copies boolean NOT NULL DEFAULT false;
-- What looks like this, newest first; and whether anything in the trash does.
CREATE INDEX images_by_phash ON images (owner_id, phash, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX images_by_phash_in_trash ON images (owner_id, phash) WHERE deleted_at IS NOT NULL;

-- Which hashes an owner's images have, by each quarter of their bits: hashes that are near each other share a quarter
-- but for one bit (`imagegallery.images.hamming`). One hash is here once, however many images have it.
CREATE TABLE phash_buckets (
    owner_id text NOT NULL,
    bucket   integer NOT NULL,
    phash    bigint NOT NULL,
    PRIMARY KEY (owner_id, bucket, phash)
);

-- The hashes near each of an owner's hashes, itself among them at distance 0; in both directions.
CREATE TABLE phash_neighbours (
    owner_id   text NOT NULL,
    phash      bigint NOT NULL,
    near_phash bigint NOT NULL,
    distance   smallint NOT NULL CHECK (distance BETWEEN 0 AND 7),
    PRIMARY KEY (owner_id, phash, distance, near_phash)
);

-- Images that looked like another one at some time: the few worth looking at when duplicates are listed. No foreign
-- key, whose check would lock images outside of the order of locks; a purge deletes these rows.
CREATE TABLE lookalikes (
    owner_id text NOT NULL,
    image_id uuid NOT NULL,
    PRIMARY KEY (owner_id, image_id)
);

-- Pairs that their owner keeps, never to be offered again; the smaller id first.
CREATE TABLE dismissed_pairs (
    image_id     uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    other_id     uuid NOT NULL REFERENCES images ON DELETE CASCADE,
    dismissed_at timestamptz NOT NULL,
    PRIMARY KEY (image_id, other_id),
    CHECK (image_id < other_id)
);
CREATE INDEX dismissed_pairs_by_other ON dismissed_pairs (other_id, image_id);

-- `on_duplicate`: what the uploader said is to become of a file that is in already; NULL: nothing. `is_duplicate`: it
-- was in, and nothing of what the session brought is kept.
ALTER TABLE upload_sessions
    ADD on_duplicate text CHECK (on_duplicate IN ('keep_both', 'reject', 'return_existing')),
    ADD is_duplicate boolean NOT NULL DEFAULT false;
