-- The origins of pages that may show the public files of a gallery (imagegallery.access.hotlinks): NULL for all, none for
-- the service's own pages alone.
ALTER TABLE galleries ADD allowed_origins text[]
    CHECK (cardinality(allowed_origins) <= 20 AND array_position(allowed_origins, NULL) IS NULL);
