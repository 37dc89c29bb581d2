"""What galleries bring."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.images.events import GalleryChanged

FEATURE: Final = Feature("galleries", events=(GalleryChanged,))
