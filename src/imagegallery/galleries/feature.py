"""The galleries feature, with cached pages."""

from collections.abc import Iterable
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.access.options import SharingOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.feature import Feature, Resources
from imagegallery.galleries import records
from imagegallery.galleries.checks import ImageCounts
from imagegallery.galleries.files import GalleryFiles
from imagegallery.galleries.pages import CachedPages
from imagegallery.galleries.service import GalleryService
from imagegallery.images.events import GalleryChanged
from imagegallery.images.image.meta_checks import MetaChecks
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.policies.registry import Policies


def _services(resources: Resources) -> Iterable[object]:
    return (
        GalleryService(
            resources.database,
            resources.services[ImageUrls],
            resources.clock,
            resources.registered[MetaChecks],
            resources.registered[Policies],
            resources.registered[Authority],
            resources.policy,
            resources.folder_cookies,
        ),
        GalleryFiles(
            resources.database,
            resources.kept,
            resources.changes,
            resources.own_cookies,
            resources.options[DeliveryOptions],
            resources.policy,
            resources.clock,
        ),
        CachedPages(
            resources.database,
            resources.kept,
            resources.changes,
            resources.clock,
            resources.registered[Authority],
            resources.options[SharingOptions],
        ),
    )


FEATURE: Final = Feature(
    "galleries",
    events=(GalleryChanged,),
    services=_services,
    checks=lambda resources, _: (ImageCounts(resources.database),),
    holdings=records.HELD,
)
