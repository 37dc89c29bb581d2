"""Looking after a gallery that has been running for a while."""

from datetime import timedelta
from typing import Final

from imagegallery.feature import Resources
from imagegallery.reconciliation.finding import Phase
from imagegallery.variants.backfill import Backfill
from imagegallery.variants.checks import check_same_gallery

# Longer than an upload, or a worker's attempt at an image, lasts.
GRACE: Final = timedelta(hours=24)


class UpkeepService:
    """For whoever runs the gallery, not for its users: nothing here asks for a principal."""

    def __init__(self, resources: Resources) -> None:
        self.backfill = resources.services[Backfill]
        self._resources = resources

    async def check_same_gallery(self) -> None:
        """To be asked before repairing: raises `ConfigurationError` when the database has no images at all, but the
        store has objects of images, which repairing would delete."""
        await check_same_gallery(self._resources.database, self._resources.store)

    def reconciliation(self, *, grace: timedelta = GRACE) -> tuple[Phase, ...]:
        """The passes of all features that find, and on demand repair, what does not fit together, in the order to make
        them in.

        Objects younger than ``grace`` are not judged: their rows may be still to come.
        """
        features = self._resources.features
        return tuple(phase for feature in features for phase in feature.checks(self._resources, grace))
