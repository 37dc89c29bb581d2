"""The duplicates feature."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.service import ImageService

FEATURE: Final = Feature(
    "duplicates",
    services=lambda resources: (resources.services[ImageService].duplicates,),
    holdings=lookalike_records.HELD,
)
