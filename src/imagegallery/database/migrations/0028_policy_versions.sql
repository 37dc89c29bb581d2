-- What administrators say at run time, in versions, of which the last one holds: a JSON object with some of the fields of
-- imagegallery.policies.admin_policy. Where it says nothing, the settings hold.

CREATE TABLE policy_versions (
    number     bigint PRIMARY KEY CHECK (number > 0),
    rules      jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'object'),
    changed_by text NOT NULL,
    why        text NOT NULL,
    restores   bigint CHECK (restores BETWEEN 0 AND number - 1),
    created_at timestamptz NOT NULL
);

-- Every process that keeps the policy reads it again, and every page that tells of it ends (see 0005 and 0025).
CREATE FUNCTION tell_of_policy() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM tell_of(ARRAY['*']);
    RETURN NULL;
END $$;

CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON policy_versions
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_policy();
