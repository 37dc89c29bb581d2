-- Which variants move, and which are left out because they would not be smaller.

-- `frames`: how many a variant has; 1 for a still picture.
ALTER TABLE image_variants ADD frames integer NOT NULL DEFAULT 1 CHECK (frames > 0);
-- `left_out`: fingerprints of variants that were made and not kept: they were no smaller than another of their size.
ALTER TABLE images ADD left_out text[] NOT NULL DEFAULT '{}';
