"""The contributions feature."""

from typing import Final

from imagegallery.contributions import records
from imagegallery.contributions.events import GuestApproved, GuestRejected, GuestUploaded, GuestWithdrew
from imagegallery.contributions.service import ContributionService
from imagegallery.feature import Feature
from imagegallery.images.service import ImageService

FEATURE: Final = Feature(
    "contributions",
    holdings=records.HELD,
    events=(GuestUploaded, GuestApproved, GuestRejected, GuestWithdrew),
    services=lambda resources: (
        ContributionService(resources.database, resources.services[ImageService], resources.clock),
    ),
)
