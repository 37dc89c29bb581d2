-- Jobs that workers are told of by messages (SQS).

-- Until then a message is taken to be on its way, and nobody sends another. NULL: none was sent for the time at which
-- the job is due now. Without a message queue it stays NULL.
ALTER TABLE jobs ADD dispatched_until timestamptz;

-- What does the relay have to send?
CREATE INDEX jobs_undispatched ON jobs (run_at) WHERE state = 'waiting' AND dispatched_until IS NULL;
-- Which messages must have been lost?
CREATE INDEX jobs_dispatched ON jobs (dispatched_until) WHERE state = 'waiting' AND dispatched_until IS NOT NULL;
