-- Whoever keeps what shares grant on galleries, and pages that show them, is told of changes as of all others of the
-- gallery (see 0025): each of the share's galleries, or its owner's library where all of that is shared. Counting a view,
-- a note or somebody who joins changes nothing of what is granted.

CREATE FUNCTION tell_of_shares(ids uuid[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(array_agg(DISTINCT coalesce(
        t.gallery_id::text,
        CASE WHEN t.image_id IS NULL THEN library_group(t.owner_id) END
    )))
    FROM share_targets t
    WHERE t.share_id = ANY(ids);
END $$;

CREATE FUNCTION tell_of_share() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of_shares(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

CREATE FUNCTION tell_of_recipients() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of_shares(array_agg(DISTINCT share_id)) FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_of_recipient() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of_shares(ARRAY[OLD.share_id, NEW.share_id]);
    RETURN NULL;
END $$;

-- What goes with a share that is deleted, goes by its targets.
CREATE FUNCTION tell_of_targets() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(array_agg(DISTINCT coalesce(
        gallery_id::text,
        CASE WHEN image_id IS NULL THEN library_group(owner_id) END
    )))
    FROM changed;
    RETURN NULL;
END $$;

CREATE TRIGGER share_changed AFTER UPDATE ON shares FOR EACH ROW
    WHEN ((OLD.permissions, OLD.metadata, OLD.download, OLD.starts_at, OLD.expires_at, OLD.revoked_at, OLD.token_hash)
        IS DISTINCT FROM
        (NEW.permissions, NEW.metadata, NEW.download, NEW.starts_at, NEW.expires_at, NEW.revoked_at, NEW.token_hash))
    EXECUTE FUNCTION tell_of_share();

CREATE TRIGGER share_target_added AFTER INSERT ON share_targets
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_targets();
CREATE TRIGGER share_target_removed AFTER DELETE ON share_targets
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_targets();

CREATE TRIGGER share_recipient_added AFTER INSERT ON share_recipients
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_recipients();
CREATE TRIGGER share_recipient_removed AFTER DELETE ON share_recipients
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_of_recipients();
CREATE TRIGGER share_recipient_changed AFTER UPDATE ON share_recipients FOR EACH ROW
    WHEN ((OLD.share_id, OLD.kind, OLD.name, OLD.permissions, OLD.metadata, OLD.download)
        IS DISTINCT FROM (NEW.share_id, NEW.kind, NEW.name, NEW.permissions, NEW.metadata, NEW.download))
    EXECUTE FUNCTION tell_of_recipient();
