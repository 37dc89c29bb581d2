"""What variants bring."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.variants.events import VariantReady

FEATURE: Final = Feature("variants", events=(VariantReady,))
