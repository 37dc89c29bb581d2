"""pHash: a hash of how a picture looks, to find look-alikes."""

from imagegallery.analyses.analysis import Analysis
from imagegallery.analyses.records import write_phash
from imagegallery.imaging import phash

PHASH = Analysis("phash", 1, phash.PIXELS, phash.measure, accepts=phash.is_hash, write=write_phash)
