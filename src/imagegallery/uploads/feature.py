"""What uploads bring."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.uploads.events import ImageUploaded

FEATURE: Final = Feature("uploads", events=(ImageUploaded,))
