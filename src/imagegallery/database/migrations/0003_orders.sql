-- Every order of a gallery as one index scan, and walks that stay right while images are moved and renamed.

-- Counts what changes the order of a gallery. `renumbered`: its value when positions were last renumbered.
-- `forgotten`: its value at the last renumbering that is no longer in gallery_renumberings.
ALTER TABLE galleries
    ADD revision   bigint NOT NULL DEFAULT 0,
    ADD renumbered bigint NOT NULL DEFAULT 0,
    ADD forgotten  bigint NOT NULL DEFAULT 0;

-- `placed`, `named` and `dated`: the gallery's revision when the image last got its position, name_key and
-- image_taken_at. `random_key`: 48 bits that image and gallery decide, so that an image that comes back has its old one.
ALTER TABLE gallery_images
    ADD image_taken_at timestamptz,
    ADD name_key       text COLLATE "C",
    ADD placed         bigint NOT NULL DEFAULT 0,
    ADD named          bigint NOT NULL DEFAULT 0,
    ADD dated          bigint NOT NULL DEFAULT 0,
    ADD random_key     bigint NOT NULL GENERATED ALWAYS AS (
        ('x' || encode(substr(sha256(uuid_send(gallery_id) || uuid_send(image_id)), 1, 6), 'hex'))::bit(48)::bigint
    ) STORED;

-- What `images.natural.natural_key` makes, exact for names in ASCII; other names get theirs when they next change.
UPDATE gallery_images m
SET image_taken_at = i.taken_at,
    name_key = left((
        SELECT string_agg(
            CASE WHEN part[1] ~ '^[0-9]'
                 THEN lpad(length(digits)::text, 4, '0') || digits
                 ELSE lower(part[1] COLLATE "C") END, '' ORDER BY place)
        FROM regexp_matches(i.filename, '[0-9]+|[^0-9]+', 'g') WITH ORDINALITY AS parts (part, place),
             LATERAL (SELECT coalesce(nullif(ltrim(part[1], '0'), ''), '0') AS digits) AS number
    ), 128)
FROM images i
WHERE i.id = m.image_id;

ALTER TABLE gallery_images
    ALTER image_taken_at SET NOT NULL,
    ALTER name_key SET NOT NULL,
    -- Deferrable, so that one statement may give two images each other's position; still checked when it ends.
    DROP CONSTRAINT gallery_images_by_position,
    ADD CONSTRAINT gallery_images_by_position UNIQUE (gallery_id, position) INCLUDE (image_id, placed) DEFERRABLE;

-- All that a list reads is in its index: a scan that also visited rows would be planned to sort them.
CREATE INDEX gallery_images_by_taken_at ON gallery_images (gallery_id, image_taken_at DESC, image_id DESC)
    INCLUDE (dated);
CREATE INDEX gallery_images_by_name ON gallery_images (gallery_id, name_key, image_id) INCLUDE (named);
CREATE INDEX gallery_images_by_random ON gallery_images (gallery_id, random_key) INCLUDE (image_id);

-- How positions changed, for cursors from before: see `galleries.ordering.Renumbering`.
CREATE TABLE gallery_renumberings (
    gallery_id    uuid NOT NULL REFERENCES galleries ON DELETE CASCADE,
    revision      bigint NOT NULL,
    below         bigint NOT NULL,                                       -- everything between these two, exclusive
    above         bigint NOT NULL,
    old_positions bigint[] NOT NULL,                                     -- ascending
    new_positions bigint[] NOT NULL,
    renumbered_at timestamptz NOT NULL,
    PRIMARY KEY (gallery_id, revision)
);
