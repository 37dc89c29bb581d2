"""The upkeep feature."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.upkeep.service import UpkeepService

FEATURE: Final = Feature("upkeep", services=lambda resources: (UpkeepService(resources),))
