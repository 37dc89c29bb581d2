-- Jobs of different owners are done in turn, however many jobs each of them has (see `queue.records`).

-- `owner_id`: whose work it is; empty: nobody's in particular. `turn`: of two due jobs of one priority, the one with the
-- smaller one is claimed first.
ALTER TABLE jobs
    ADD owner_id text NOT NULL DEFAULT '',
    ADD turn     bigint NOT NULL DEFAULT 0;

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (priority DESC, turn, run_at, id) WHERE state = 'waiting';
-- Which turn was the last one that a job of this owner got, and which one is it now?
CREATE INDEX jobs_by_owner ON jobs (owner_id, priority, turn) WHERE state = 'waiting';
CREATE INDEX jobs_at_work ON jobs (priority, turn) WHERE state = 'running';
