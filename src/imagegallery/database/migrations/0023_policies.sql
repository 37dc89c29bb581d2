-- The name of the policy that an upload is under, an image was uploaded under, and a gallery takes images under. What the
-- policy says is in the settings and in the application's code.
ALTER TABLE galleries ADD policy text CHECK (length(policy) BETWEEN 1 AND 32);
ALTER TABLE upload_sessions ADD policy text CHECK (length(policy) BETWEEN 1 AND 32);
ALTER TABLE images ADD policy text CHECK (length(policy) BETWEEN 1 AND 32);
