-- What the application keeps of its own with images and galleries (`imagegallery.common.meta`), and with an upload until
-- it is an image.
ALTER TABLE images
    ADD meta       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(meta) = 'object'),
    -- How open it is by itself; its galleries may open it further.
    ADD visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('public', 'unlisted', 'private'));
ALTER TABLE galleries ADD meta jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(meta) = 'object');
ALTER TABLE upload_sessions
    ADD meta       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(meta) = 'object'),
    ADD visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('public', 'unlisted', 'private'));
