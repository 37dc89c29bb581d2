"""Maintenance of a running gallery."""

from datetime import timedelta
from typing import Final

from imagegallery.common.attribute import AttributeOf
from imagegallery.feature import Resources
from imagegallery.reconciliation.finding import Phase
from imagegallery.variants.backfill import Backfill
from imagegallery.variants.checks import check_same_gallery

# Longer than an upload, or a worker's attempt at an image, takes.
GRACE: Final = timedelta(hours=24)


class UpkeepService:
    """For operators of the gallery, not its users: checks no principal."""

    backfill = AttributeOf(Backfill)

    def __init__(self, resources: Resources) -> None:
        self.backfill = resources.services[Backfill]
        self._resources = resources

    async def check_same_gallery(self) -> None:
        """Check that the database belongs to the store, before a repair deletes objects.

        Raises:
            ConfigurationError: If the database has no images, but the store has objects of images.
        """
        await check_same_gallery(self._resources.database, self._resources.store)

    def reconciliation(self, *, grace: timedelta = GRACE) -> tuple[Phase, ...]:
        """Return all features' passes that find, and on request repair, inconsistencies, in the order to run them.

        Args:
            grace: Younger objects are not judged, since their rows may be still to come.
        """
        features = self._resources.features
        return tuple(phase for feature in features for phase in feature.checks(self._resources, grace))
