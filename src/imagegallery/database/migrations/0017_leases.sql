-- Only a running job has a token, and only it an end of its lease: each by itself. The check before let a token stay with
-- a job that had given its lease back.
UPDATE jobs SET lease_token = NULL, lease_expires_at = NULL
WHERE state <> 'running' AND (lease_token IS NOT NULL OR lease_expires_at IS NOT NULL);

ALTER TABLE jobs
    DROP CONSTRAINT jobs_check,
    ADD CONSTRAINT jobs_lease CHECK (
        (state = 'running') = (lease_token IS NOT NULL) AND (state = 'running') = (lease_expires_at IS NOT NULL)
    );
