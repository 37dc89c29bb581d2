-- Uploads that wait to be attached to a host's row, images that belong to one, and purges that a host's row refuses.

-- What was found in the file of a staged upload, so that attaching it reads no file.
ALTER TABLE upload_sessions ADD COLUMN staged jsonb;

-- Since when the image belongs to a row of the application, which attached or claimed it.
ALTER TABLE images ADD COLUMN attached_at timestamptz;

-- What refuses to let the image be purged, since when, and when it is tried again.
ALTER TABLE images
    ADD COLUMN purge_refused_by text,
    ADD COLUMN purge_refused_at timestamptz,
    ADD COLUMN purge_again_at timestamptz;

CREATE INDEX images_purge_refused ON images (purge_refused_at) WHERE purge_refused_at IS NOT NULL;
