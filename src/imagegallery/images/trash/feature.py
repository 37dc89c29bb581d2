"""The trash feature."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.images.events import ImageDeleted, ImagePurged, ImageRestored
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.service import ImageService
from imagegallery.images.trash.checks import RefusedPurges
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.images.trash.service import TrashOptions, TrashService
from imagegallery.queue.periodic import Periodic

FEATURE: Final = Feature(
    "trash",
    options=TrashOptions,
    events=(ImageDeleted, ImageRestored, ImagePurged),
    services=lambda resources: (resources.services[ImageService].trash,),
    jobs=lambda resources: {PURGE_OBJECTS: PurgeObjects(resources.database, resources.store)},
    checks=lambda resources, _: (RefusedPurges(resources.database, resources.services[TrashService]),),
    periodic=lambda resources: (
        Periodic("expired trash", resources.upkeep_interval, resources.services[TrashService].sweep),
    ),
)
