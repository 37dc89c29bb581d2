-- What of its own metadata an original was kept without, from when it came in (imagegallery.imaging.protocol: Removal);
-- NULL: it is as it came. What the file said then stays in exif_data, latitude, longitude and taken_at: no look at what is
-- left of the file may replace that.
ALTER TABLE images ADD removed_metadata text CHECK (removed_metadata IN ('strip_place', 'strip_all'));

-- What a copy was made without that may lie where the image's original will be, although the upload has not ended yet: an
-- attempt that is repeated makes the same.
ALTER TABLE upload_sessions ADD removed_metadata text CHECK (removed_metadata IN ('strip_place', 'strip_all'));
