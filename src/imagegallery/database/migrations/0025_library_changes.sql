-- Whoever keeps copies of what a library shows is told as well, on the channel of galleries (see 0005): "library:" and
-- the first half of the SHA-256 of its owner's id, as a UUID (imagegallery.cache.generations: library_group). What opens
-- or closes an image changes its URLs: a gallery, and what is in it.

CREATE FUNCTION tell_of(groups text[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    suffix text := CASE current_schema() WHEN 'public' THEN '' ELSE '_' || hashtextextended(current_schema(), 0) END;
BEGIN
    PERFORM pg_notify('imagegallery_galleries' || suffix, told)
    FROM unnest(groups) AS told
    WHERE told IS NOT NULL;
END $$;

CREATE FUNCTION library_group(owner_id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'library:' || left(encode(sha256(convert_to(owner_id, 'UTF8')), 'hex'), 32)::uuid
$$;

CREATE OR REPLACE FUNCTION tell_of_galleries() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(array_agg(id::text) || array_agg(DISTINCT library_group(owner_id))) FROM changed;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_memberships() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(array_agg(DISTINCT c.gallery_id::text) || array_agg(DISTINCT library_group(i.owner_id)))
    FROM changed c LEFT JOIN images i ON i.id = c.image_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_images() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(array_agg(DISTINCT m.gallery_id::text) || array_agg(DISTINCT library_group(c.owner_id)))
    FROM changed c LEFT JOIN gallery_images m ON m.image_id = c.id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_variants() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(array_agg(DISTINCT m.gallery_id::text) || array_agg(DISTINCT library_group(i.owner_id)))
    FROM changed c LEFT JOIN images i ON i.id = c.image_id LEFT JOIN gallery_images m ON m.image_id = c.image_id;
    RETURN NULL;
END $$;

CREATE TRIGGER image_made AFTER INSERT ON images
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_images();
CREATE TRIGGER image_deleted AFTER DELETE ON images
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_images();
