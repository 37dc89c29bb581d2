"""The owners feature."""

from typing import Final

from imagegallery.feature import Feature
from imagegallery.owners import records
from imagegallery.owners.checks import StorageSums
from imagegallery.owners.service import OwnerService

FEATURE: Final = Feature(
    "owners",
    services=lambda resources: (OwnerService(resources.database, resources.clock),),
    holdings=records.HELD,
    checks=lambda resources, _: (StorageSums(resources.database),),
)
