"""All analyses, in the order in which results are written: a time in the file moves the image in its galleries, whose
locks come late (see `membership`), and tags come after galleries.
"""

from typing import Final

from imagegallery.analyses.analysis import Analysis
from imagegallery.analyses.metadata import METADATA
from imagegallery.analyses.perceptual_hash import PHASH
from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.analyses.words import WORDS

ANALYSES: Final[tuple[Analysis, ...]] = (PLACEHOLDER, PHASH, METADATA, WORDS)
