"""The trash feature."""

from collections.abc import Mapping
from typing import Final

from imagegallery.feature import Feature, Resources
from imagegallery.images.events import ImageDeleted, ImagePurged, ImageRestored
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.service import ImageService
from imagegallery.images.trash import records
from imagegallery.images.trash.checks import RefusedPurges
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.images.trash.service import TrashOptions, TrashService
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.protocol import JobHandler


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    unclaimed = [feature.unclaimed for feature in resources.features if feature.unclaimed is not None]
    return {PURGE_OBJECTS: PurgeObjects(resources.database, resources.store, unclaimed)}


FEATURE: Final = Feature(
    "trash",
    options=TrashOptions,
    events=(ImageDeleted, ImageRestored, ImagePurged),
    services=lambda resources: (resources.services[ImageService].trash,),
    jobs=_jobs,
    checks=lambda resources, _: (RefusedPurges(resources.database, resources.services[TrashService]),),
    holdings=records.HELD,
    erases=lambda resources: (resources.services[TrashService].erase,),
    periodic=lambda resources: (
        Periodic("expired trash", resources.upkeep_interval, resources.services[TrashService].sweep),
    ),
)
