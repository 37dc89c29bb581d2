-- A gallery may have a schema of its own in an application's database. So these functions (see 0005) tell this gallery's
-- channel alone: its name ends in the number of the schema, unless that is "public" (imagegallery.database.namespace).

CREATE OR REPLACE FUNCTION tell_of_galleries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    suffix text := CASE current_schema() WHEN 'public' THEN '' ELSE '_' || hashtextextended(current_schema(), 0) END;
BEGIN
    PERFORM pg_notify('imagegallery_galleries' || suffix, id::text)
    FROM changed;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    suffix text := CASE current_schema() WHEN 'public' THEN '' ELSE '_' || hashtextextended(current_schema(), 0) END;
BEGIN
    PERFORM pg_notify('imagegallery_galleries' || suffix, gallery_id::text)
    FROM (SELECT DISTINCT gallery_id FROM changed) AS galleries;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_images() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    suffix text := CASE current_schema() WHEN 'public' THEN '' ELSE '_' || hashtextextended(current_schema(), 0) END;
BEGIN
    PERFORM pg_notify('imagegallery_galleries' || suffix, gallery_id::text)
    FROM (SELECT DISTINCT m.gallery_id FROM changed c JOIN gallery_images m ON m.image_id = c.id) AS galleries;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tell_of_variants() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    suffix text := CASE current_schema() WHEN 'public' THEN '' ELSE '_' || hashtextextended(current_schema(), 0) END;
BEGIN
    PERFORM pg_notify('imagegallery_galleries' || suffix, gallery_id::text)
    FROM (SELECT DISTINCT m.gallery_id FROM changed c JOIN gallery_images m ON m.image_id = c.image_id) AS galleries;
    RETURN NULL;
END $$;

-- They look for our tables there, whatever the search path of who writes is.
DO $$
DECLARE
    teller regproc;
BEGIN
    FOREACH teller IN ARRAY '{tell_of_galleries, tell_of_memberships, tell_of_images, tell_of_variants}'::regproc[] LOOP
        EXECUTE format('ALTER FUNCTION %s() SET search_path = %I', teller, current_schema());
    END LOOP;
END $$;
