-- What administrators look at, in the order in which they see it, without a scan.

-- Dead letters of one kind, the latest first.
CREATE INDEX jobs_dead_by_kind ON jobs (kind, updated_at DESC, id) WHERE state = 'dead';
-- The owners who store most.
CREATE INDEX owners_by_storage ON owners (storage_used DESC, owner_id);
