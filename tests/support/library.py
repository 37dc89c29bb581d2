"""A library to test services on: images as rows in a real database, without the work of decoding any."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from attrs import evolve, frozen
from tests.support.clock import START, ManualClock

from imagegallery.access.disclosure import MetaOptions
from imagegallery.analyses import records as analysis_records
from imagegallery.analyses.analysis import AnalysisResult
from imagegallery.analyses.metadata import METADATA
from imagegallery.analyses.perceptual_hash import PHASH
from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.analyses.words import WORDS
from imagegallery.common.meta import JsonValue, Meta
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.errors import Failure, NotFound
from imagegallery.galleries.service import GalleryService
from imagegallery.ids import new_id
from imagegallery.images.image import membership, records
from imagegallery.images.image.image import Image, ProcessingStatus, Variant
from imagegallery.images.image.meta_checks import MetaChecks
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata, to_json
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.images.service import ImageService
from imagegallery.images.words import records as tag_records
from imagegallery.images.words.words import distinct, key_of
from imagegallery.policies.registry import Policies
from imagegallery.principal import Principal
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.keys import image_prefix, original_key, variant_key
from imagegallery.storage.signatures import UrlSigner
from imagegallery.variants import records as variant_records

_SECRET = b"only for tests, never for a service"
_FORMATS = (("thumbnail", "webp", 80), ("medium", "avif", 800), ("medium", "webp", 800))  # smallest first


COUNT_STORAGE = """
INSERT INTO owners (owner_id, storage_used) VALUES ($1, $2)
ON CONFLICT (owner_id) DO UPDATE SET storage_used = owners.storage_used + excluded.storage_used"""


@frozen
class Library:
    """The services over one database and one folder of objects, and images put straight into them."""

    database: Database
    store: FilesystemStore
    queue: PostgresQueue
    clock: ManualClock
    delivery: ImageUrls
    images: ImageService
    galleries: GalleryService
    policies: Policies

    @classmethod
    def on(
        cls,
        database: Database,
        objects: Path,
        clock: ManualClock,
        options: DeliveryOptions | None = None,
        meta: MetaOptions | None = None,
    ) -> "Library":
        store = FilesystemStore(objects, UrlSigner(_SECRET, clock), clock)
        queue = PostgresQueue(database, clock)
        delivery = ImageUrls(StoreUrls(store), options or DeliveryOptions(), clock, meta)
        meta_checks = MetaChecks()
        policies = Policies()
        return cls(
            database=database,
            store=store,
            queue=queue,
            clock=clock,
            delivery=delivery,
            images=ImageService(database, queue, delivery, clock, meta_checks=meta_checks, policies=policies),
            galleries=GalleryService(database, delivery, clock, meta_checks, policies),
            policies=policies,
        )

    async def add_image(self, image: Image, gallery_id: UUID | None = None) -> Image:
        """Write this image's rows as a completed upload and its processing do."""
        async with self.database.transaction() as connection:
            await self._write(connection, image)
            if gallery_id is not None:
                await membership.add(connection, gallery_id, [image.id], now=self.clock())
        return image

    async def add_images(self, images: Iterable[Image]) -> None:
        """As `add_image`, in one transaction."""
        async with self.database.transaction() as connection:
            for image in images:
                await self._write(connection, image)

    async def check_open(self, key: str) -> None:
        """Raise `NotFound` unless everybody may fetch the variant now, as the database knows it."""
        async with self.database.connection() as connection:
            if await records.find_open_variant(connection, key) is None:
                raise NotFound.of("file")

    async def delete_for_good(self, image: Image) -> None:
        """Put the image into the trash and out of it."""
        owner = Principal.user(image.owner_id)
        await self.images.trash.put(owner, image.id)
        await self.images.trash.purge(owner, image.id)

    async def _write(self, connection: Connection, image: Image) -> None:
        await records.insert_image(connection, image)
        await analysis_records.put(connection, image, _analysed(image), now=self.clock(), write=False)
        tags = distinct(image.tags)
        await tag_records.add(connection, image.owner_id, [image.id], tags, now=self.clock())
        await variant_records.put_variants(connection, image.id, image.variants, now=self.clock())
        await connection.execute(COUNT_STORAGE, image.owner_id, image.file_size)


def _analysed(image: Image) -> list[AnalysisResult]:
    """What has been found about an image that has it."""
    found: list[AnalysisResult] = []
    if image.status is ProcessingStatus.COMPLETE:
        found.append(AnalysisResult(METADATA, {} if image.metadata is None else to_json(image.metadata)))
        found.append(AnalysisResult(WORDS, {}))
    if image.blurhash is not None:
        found.append(AnalysisResult(PLACEHOLDER, image.blurhash))
    if image.phash is not None:
        found.append(AnalysisResult(PHASH, f"{image.phash:016x}"))
    return found


def fits(where: ImageFilter, image: Image) -> bool:
    """What a filter means, said in Python: whether each part that is given fits the image."""
    return (
        where.is_favorite in (None, image.is_favorite)
        and where.is_archived in (None, image.is_archived)
        and where.mime_type in (None, image.mime_type)
        and (where.taken_from is None or image.taken_at >= where.taken_from)
        and (where.taken_before is None or image.taken_at < where.taken_before)
        and where.status in (None, image.status)
        and where.visibility in (None, image.visibility)
        and (where.ids is None or image.id in where.ids)
        and (where.tag is None or where.tag in map(key_of, image.tags))
        and where.rating in (None, image.rating)
        and (where.rating_from is None or (image.rating is not None and image.rating >= where.rating_from))
        and all(_has(image.meta, key, value) for key, value in (where.meta or {}).items())
    )


def _has(meta: Meta, key: str, wanted: JsonValue) -> bool:
    found = meta.get(key)
    if isinstance(wanted, list):
        return isinstance(found, list) and all(each in found for each in wanted)
    return found is not None and str(found) == str(wanted)


def make_image(owner_id: str = "ana", *, age: timedelta = timedelta(0)) -> Image:
    """An image of 4000 x 3000 pixels with three variants, uploaded ``age`` before `START`; no two are equal."""
    image_id = new_id()
    prefix = image_prefix(image_id)
    uploaded_at = START - age
    image = Image(
        id=image_id,
        owner_id=owner_id,
        original_key=original_key(prefix, "image/jpeg"),
        key_prefix=prefix,
        filename="tram.jpg",
        mime_type="image/jpeg",
        width=4000,
        height=3000,
        frames=1,
        file_size=1_000_000,
        sha256=hashlib.sha256(image_id.bytes).digest(),
        alt_text="",
        blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        metadata=None,
        taken_at=uploaded_at,
        taken_at_source=TakenAtSource.UPLOAD,
        is_truncated=False,
        latitude=None,
        longitude=None,
        status=ProcessingStatus.COMPLETE,
        failure=None,
        is_favorite=False,
        is_archived=False,
        created_at=uploaded_at,
        updated_at=uploaded_at,
        phash=int.from_bytes(image_id.bytes[8:]),
    )
    return evolve(image, variants=tuple(_make_variant(prefix, *each) for each in _FORMATS))


def digest_of(image: Image) -> bytes:
    """The SHA-256 of an image of which it is known."""
    assert image.sha256 is not None
    return image.sha256


def with_place(image: Image) -> Image:
    """The image as if its camera had known where it was."""
    latitude, longitude = 38.7139, -9.1394
    place = Metadata(make="Canon", latitude=latitude, longitude=longitude, altitude=12.5)
    return evolve(image, metadata=place, latitude=latitude, longitude=longitude)


def without_variants(image: Image) -> Image:
    """The image as if nothing had been made of it yet."""
    return evolve(image, variants=(), status=ProcessingStatus.PENDING)


def with_failure(image: Image) -> Image:
    """The image as if it could not be processed."""
    failure = Failure("truncated", "The file ends early.")
    return evolve(image, variants=(), status=ProcessingStatus.FAILED, failure=failure)


def _make_variant(prefix: str, variant_type: str, image_format: str, width: int) -> Variant:
    key = variant_key(prefix, variant_type, "0123456789abcdef", image_format)
    return Variant(variant_type, image_format, key, width, width * 3 // 4, 1000, "0123456789abcdef")
