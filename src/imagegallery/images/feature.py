"""The images feature."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.access.disclosure import MetaOptions
from imagegallery.access.options import SharingOptions
from imagegallery.database.connection import Connection
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.feature import Feature, Resources
from imagegallery.images import copies
from imagegallery.images.copies import Copies
from imagegallery.images.events import ImageFailed, ImageReady, ImageUpdated, UrlsClosed
from imagegallery.images.image import original_records, records
from imagegallery.images.image.meta_checks import MetaChecks
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.images.presentation.variant_choice import Ladder
from imagegallery.images.public_files import PublicFiles
from imagegallery.images.service import ImageService
from imagegallery.images.trash.service import TrashOptions
from imagegallery.images.words import records as tag_records
from imagegallery.images.words.checks import TagCounts
from imagegallery.images.words.sidecars import Sidecars
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
        copies=Copies(resources.store, resources.engine, resources.scratch),
        sidecars=Sidecars(resources.engine, resources.scratch),
    )
    return urls, images, PublicFiles(resources.database, resources.kept, resources.changes, resources.policy)


async def _unclaimed(connection: Connection, keys: Sequence[str]) -> Collection[str]:
    """The ``keys`` that are neither an original nor a copy of one."""
    return await copies.unclaimed(connection, [*await original_records.unnamed(connection, keys)])


FEATURE: Final = Feature(
    "images",
    events=(ImageReady, ImageFailed, ImageUpdated, UrlsClosed),
    services=_services,
    checks=lambda resources, _: (TagCounts(resources.database),),
    unclaimed=_unclaimed,
    holdings=(*records.HELD, *tag_records.HELD),
)
