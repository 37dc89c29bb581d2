"""BlurHash: what is shown until the picture has loaded."""

from imagegallery.analyses.analysis import Analysis
from imagegallery.analyses.records import write_blurhash
from imagegallery.imaging import blurhash

PLACEHOLDER = Analysis(
    "placeholder", 1, blurhash.PIXELS, blurhash.measure, accepts=blurhash.is_hash, write=write_blurhash
)
