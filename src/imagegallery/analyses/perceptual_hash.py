"""pHash: what a picture looks like, to find others that look like it."""

from imagegallery.analyses.analysis import Analysis
from imagegallery.analyses.records import write_phash
from imagegallery.imaging import phash

PHASH = Analysis("phash", 1, phash.PIXELS, phash.measure, accepts=phash.is_hash, write=write_phash)
