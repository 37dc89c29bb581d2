-- Whoever keeps copies of what a gallery shows is told when it may look different: the channel imagegallery_galleries,
-- with the gallery's id, when the transaction commits. By triggers, so that no writer can forget it. PostgreSQL sends
-- one notification for each gallery, however often a transaction touches it.

CREATE FUNCTION tell_of_galleries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('imagegallery_galleries', id::text) FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_of_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('imagegallery_galleries', gallery_id::text)
    FROM (SELECT DISTINCT gallery_id FROM changed) AS galleries;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_of_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('imagegallery_galleries', gallery_id::text)
    FROM (SELECT DISTINCT m.gallery_id FROM changed c JOIN gallery_images m ON m.image_id = c.id) AS galleries;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_of_variants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('imagegallery_galleries', gallery_id::text)
    FROM (SELECT DISTINCT m.gallery_id FROM changed c JOIN gallery_images m ON m.image_id = c.image_id) AS galleries;
    RETURN NULL;
END $$;

CREATE TRIGGER gallery_made AFTER INSERT ON galleries
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_galleries();
CREATE TRIGGER gallery_changed AFTER UPDATE ON galleries
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_galleries();
CREATE TRIGGER gallery_deleted AFTER DELETE ON galleries
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_galleries();

CREATE TRIGGER image_added AFTER INSERT ON gallery_images
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_memberships();
CREATE TRIGGER image_moved AFTER UPDATE ON gallery_images
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_memberships();
CREATE TRIGGER image_removed AFTER DELETE ON gallery_images
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_memberships();

-- An image that is new is in no gallery yet, and one that is deleted is out of all by then.
CREATE TRIGGER image_changed AFTER UPDATE ON images
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_images();

CREATE TRIGGER variant_made AFTER INSERT ON image_variants
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_variants();
CREATE TRIGGER variant_changed AFTER UPDATE ON image_variants
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_variants();
CREATE TRIGGER variant_deleted AFTER DELETE ON image_variants
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_variants();
