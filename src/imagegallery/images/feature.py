"""What images bring."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.images.events import ImageDeleted, ImageFailed, ImageReady, ImageRestored, UrlsClosed

FEATURE: Final = Feature(
    "images",
    events=(
        ImageReady,
        ImageFailed,
        ImageDeleted,
        ImageRestored,
        UrlsClosed,
    ),
)
