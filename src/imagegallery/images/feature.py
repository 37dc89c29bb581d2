"""The images feature."""

from collections.abc import Iterable
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.access.disclosure import MetaOptions
from imagegallery.access.options import SharingOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.feature import Feature, Resources
from imagegallery.images.events import ImageFailed, ImageReady, UrlsClosed
from imagegallery.images.image import original_records, records
from imagegallery.images.image.meta_checks import MetaChecks
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.images.presentation.variant_choice import Ladder
from imagegallery.images.public_files import PublicFiles
from imagegallery.images.service import ImageService
from imagegallery.images.trash.service import TrashOptions
from imagegallery.policies.registry import Policies


def _services(resources: Resources) -> Iterable[object]:
    meta = resources.options[MetaOptions]
    delivery, sharing = resources.options[DeliveryOptions], resources.options[SharingOptions]
    urls = ImageUrls(resources.private_urls, delivery, resources.clock, meta, sharing)
    images = ImageService(
        resources.database,
        resources.outbox,
        urls,
        resources.clock,
        ladder=resources.services[Ladder].names,
        trash=resources.options[TrashOptions],
        meta_checks=resources.registered[MetaChecks],
        policies=resources.registered[Policies],
        authority=resources.registered[Authority],
    )
    return urls, images, PublicFiles(resources.database, resources.kept, resources.changes, resources.policy)


FEATURE: Final = Feature(
    "images",
    events=(ImageReady, ImageFailed, UrlsClosed),
    services=_services,
    unclaimed=original_records.unnamed,
    holdings=records.HELD,
)
