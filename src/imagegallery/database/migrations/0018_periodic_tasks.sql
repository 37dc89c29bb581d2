-- When each task that is done by one of all workers was last begun.
CREATE TABLE periodic_tasks (
    name text PRIMARY KEY,
    begun_at timestamptz NOT NULL
);
