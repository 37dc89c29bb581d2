-- Who did what that matters for security (imagegallery.audit). Things are named, not referred to: an entry outlives what
-- it is about.
CREATE TABLE audit_entries (
    id          uuid PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    act         text NOT NULL,
    actor_kind  text NOT NULL CHECK (actor_kind IN ('user', 'link', 'guest', 'visitor', 'operator', 'system')),
    actor_id    text,
    by_grant    text NOT NULL,
    owner_id    text,
    image_id    uuid,
    gallery_id  uuid,
    share_id    uuid,
    -- A user, a group, a policy's version: what else it was done to.
    subject     text,
    details     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    address     text,
    request_id  text,
    user_agent  text
);
CREATE INDEX audit_entries_by_time ON audit_entries (happened_at, id);
CREATE INDEX audit_entries_by_owner ON audit_entries (owner_id, happened_at, id) WHERE owner_id IS NOT NULL;
CREATE INDEX audit_entries_by_image ON audit_entries (image_id, happened_at, id) WHERE image_id IS NOT NULL;
CREATE INDEX audit_entries_by_gallery ON audit_entries (gallery_id, happened_at, id) WHERE gallery_id IS NOT NULL;
CREATE INDEX audit_entries_by_share ON audit_entries (share_id, happened_at, id) WHERE share_id IS NOT NULL;
CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, happened_at, id) WHERE actor_id IS NOT NULL;

-- Entries are written once. Only a transaction that says so deletes any: when they are older than they are kept, or
-- their owner is erased. Nobody changes one.
CREATE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('imagegallery.removes_audit', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit entries are only added: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entries_kept BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION keep_audit_entries();
CREATE TRIGGER audit_entries_not_truncated BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries();
