-- Through which position an owner's events may be gone. By owner, so that who hears nothing for long can resume from their
-- own last event, and nobody need be told how far the log has come by what others do.
CREATE TABLE events_pruned (
    owner_id text PRIMARY KEY,
    through  bigint NOT NULL
);
