-- How it is known when an image was taken, and whether all of its picture is there.

-- `taken_at_source`: see `images.capture_time.TakenAtSource`. `is_truncated`: a part is missing, what is there is shown.
ALTER TABLE images
    ADD taken_at_source text NOT NULL DEFAULT 'upload'
        CHECK (taken_at_source IN ('exif_original', 'exif_digitized', 'xmp', 'iptc', 'exif_changed', 'gps', 'png',
                                   'filename', 'upload')),
    ADD is_truncated boolean NOT NULL DEFAULT false;

-- EXIF was all that was read until now; where it held only the time of digitising, that is not known any more.
UPDATE images SET taken_at_source = 'exif_original' WHERE exif_data ? 'taken_at';
