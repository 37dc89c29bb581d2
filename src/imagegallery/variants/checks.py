"""What `reconcile` checks in variants: objects without rows, and rows without objects.

For the latter it walks the images, and lists each one's folder. A variant can be made from its original again, so its
row is only deleted while the original exists. A store that is empty because it is not mounted loses nothing.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import anyio
from attrs import evolve, frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, ObjectNotFound
from imagegallery.feature import Unclaimed
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image, OriginalState
from imagegallery.pagination import FIRST_ID
from imagegallery.queue.protocol import JobOutbox
from imagegallery.reconciliation.finding import Finding, Kind, PhaseStep, RepairOutcome
from imagegallery.reconciliation.strays import Strays
from imagegallery.storage.keys import IMAGES_PREFIXES, id_hint
from imagegallery.storage.protocol import ObjectStore
from imagegallery.variants import records
from imagegallery.variants.jobs import renew_variants

BATCH: Final = 100
_LISTINGS_AT_ONCE: Final = 8

STRAY_OBJECT: Final = Kind("stray_object", "delete the object")
MISSING_ORIGINAL: Final = Kind("missing_original", "none: restore the object from a backup, or delete the image")
MISSING_VARIANT: Final = Kind("missing_variant", "drop the row, and make the variant anew if the original is there")


async def check_same_gallery(database: Database, store: ObjectStore) -> None:
    """Raise `ConfigurationError` if the database has no image but the store has objects of images: with a wrong or
    empty database, all
    would be strays.
    """
    async with database.connection() as connection:
        if await records.has_images(connection):
            return
    for prefix in IMAGES_PREFIXES:
        objects = aiter(store.list(prefix))
        try:
            found = await anext(objects, None)
        finally:
            if isinstance(objects, AsyncGenerator):
                await objects.aclose()
        if found is not None:
            raise ConfigurationError(
                f"The database has no images, but the store has objects ({found.key}): is this the right database? "
                "If it is, and all of them are to be deleted, repeat with --store-is-ours."
            )


@frozen
class StrayObjects(Strays):
    """Objects in the images' folders that no feature claims (``unclaimed``)."""

    name = "stored objects"
    kind = STRAY_OBJECT
    prefixes = IMAGES_PREFIXES

    unclaimed: Sequence[Unclaimed]

    async def without_row(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        for among in self.unclaimed:
            keys = [*await among(connection, keys)]
        return keys

    async def deletable(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        """Not while a worker is, or will be, processing their image: it stores under the same keys again."""
        images = {key: image_id for key in keys if (image_id := id_hint(key)) is not None}
        await records.hold_images_of(connection, images)
        busy = await records.with_job(connection, set(images.values()))
        return await self.without_row(connection, [key for key in keys if images.get(key) not in busy])


@frozen
class MissingObjects:
    """Rows of originals and variants without objects."""

    database: Database
    store: ObjectStore
    outbox: JobOutbox
    clock: Clock

    name = "images"

    async def total(self) -> int | None:
        async with self.database.connection() as connection:
            return await image_records.count_all(connection, FIRST_ID)

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`."""
        first_id = FIRST_ID
        while images := await self._page(first_id):
            suspects = await self._suspects(images)
            findings = [finding for image in images for finding in await self._judge(image, suspects[image.id], repair)]
            yield PhaseStep(len(images), tuple(findings))
            first_id = UUID(int=images[-1].id.int + 1)

    async def _page(self, first_id: UUID) -> list[Image]:
        async with self.database.connection() as connection:
            return await image_records.list_all(connection, first_id, BATCH)

    async def _suspects(self, images: list[Image]) -> Mapping[UUID, set[str]]:
        """The keys of each image that its folder does not list."""
        absent: dict[UUID, set[str]] = {}
        turns = anyio.CapacityLimiter(_LISTINGS_AT_ONCE)

        async def look(image: Image) -> None:
            async with turns:
                present = {found.key async for found in self.store.list(image.key_prefix)}
            absent[image.id] = _recorded(image) - present

        async with anyio.create_task_group() as tasks:
            for image in images:
                tasks.start_soon(look, image)
        return absent

    async def _judge(self, seen: Image, absent: set[str], repair: bool) -> list[Finding]:
        """Confirm what is wrong: look at image and objects again, while nothing can change the rows."""
        if not absent:
            return []
        async with self.database.transaction() as connection:
            image = await _held(connection, seen.id)
            if image is None:
                return []
            lost = {key for key in _recorded(image) & absent if not await self._is_there(key)}
            findings = _findings(image, lost)
            if not repair or not findings:
                return findings
            if image.original_key in lost:
                return [evolve(finding, outcome=RepairOutcome.BEYOND_REPAIR) for finding in findings]
            await self._renew(connection, image, lost)
            return [evolve(finding, outcome=RepairOutcome.REPAIRED) for finding in findings]

    async def _renew(self, connection: Connection, image: Image, lost: set[str]) -> None:
        for key in lost:
            await records.drop_variant(connection, image.id, key)
        names = [f"{variant.variant_type}.{variant.format}" for variant in image.variants if variant.key in lost]
        await self.outbox.enqueue(connection, renew_variants(image, names), now=self.clock())
        await image_records.announce(connection, image.id)

    async def _is_there(self, key: str) -> bool:
        try:
            await self.store.head(key)
        except ObjectNotFound:
            return False
        return True


async def _held(connection: Connection, image_id: UUID) -> Image | None:
    """Return the image as it is, locked until the transaction ends; ``None`` if it is gone."""
    if not await records.lock(connection, image_id):
        return None
    found = await image_records.get(connection, image_id)
    return found.image if found else None


def _recorded(image: Image) -> set[str]:
    """The keys of its objects; a file that was refused is gone."""
    variants = {variant.key for variant in image.variants}
    return variants if image.original_state is OriginalState.REFUSED else {image.original_key, *variants}


def _findings(image: Image, lost: Collection[str]) -> list[Finding]:
    """One finding for each of the image's keys that is ``lost``, the original's first."""
    findings = [
        Finding(MISSING_VARIANT, variant.key, f"a variant of image {image.id} is not in the store")
        for variant in image.variants
        if variant.key in lost
    ]
    if image.original_key in lost:
        detail = f"the original of image {image.id} is not in the store"
        findings.insert(0, Finding(MISSING_ORIGINAL, image.original_key, detail))
    return findings
