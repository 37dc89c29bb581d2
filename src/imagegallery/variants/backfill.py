"""Bringing the variants of images that are complete up to the presets of today.

Nothing is rendered here: each image that needs it gets one job of the lowest priority, which makes the variants it
names and touches no other. It may be stopped anywhere and started again: what is made is found to be up to date, and
what still waits is not added twice.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import Fault, InvalidInput
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.pagination import FIRST_ID
from imagegallery.queue.outbox import JobOutbox
from imagegallery.variants.jobs import renew_variants
from imagegallery.variants.plan import PlannedVariant, plan
from imagegallery.variants.preset import Preset
from imagegallery.variants.work import PHASH, missing

BATCH = 200


@frozen
class Scope:
    """Which variants to look at: those ``only`` names by preset (``medium``) or by preset and format
    (``medium.webp``), of images from the id ``starting_from`` on; empty and ``None`` mean all. ``phash`` names the
    pHash, which images have not that are from before it was computed.

    With ``missing``, variants that are there stay as they are, whatever they were made by.
    """

    only: frozenset[str] = frozenset()
    missing: bool = False
    starting_from: UUID | None = None

    def check(self, presets: Sequence[Preset]) -> None:
        """Raises `InvalidInput` for a name that is no preset's."""
        known = {PHASH, *(name for preset in presets for name in (preset.name, f"{preset.name}.{preset.format}"))}
        if unknown := sorted(self.only - known):
            fault = Fault(("only",), f"{', '.join(unknown)}: must be of {', '.join(sorted(known))}")
            raise InvalidInput(f"There is no preset {unknown[0]}; there are {', '.join(sorted(known))}.", [fault])

    def includes(self, planned: PlannedVariant) -> bool:
        """Whether ``only`` lets it pass."""
        return not self.only or planned.variant_type in self.only or planned.name in self.only


@frozen
class Outdated:
    """An image and the names (``medium.webp``) of its variants that are, or would be, made: those it has not, and
    those made by another recipe than today's."""

    image_id: UUID
    missing: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.missing, *self.outdated)


@frozen
class Progress:
    """One batch: how many images were looked at, which of them are touched, and the id to start from afterwards."""

    examined: int
    touched: tuple[Outdated, ...]
    next_id: UUID


@frozen
class Backfill:
    """Finds what is not as ``presets`` say, and sees to it."""

    database: Database
    outbox: JobOutbox
    presets: tuple[Preset, ...]
    clock: Clock

    async def count(self, scope: Scope) -> int:
        """How many images `run` will look at."""
        async with self.database.connection() as connection:
            return await image_records.count_all(connection, scope.starting_from or FIRST_ID)

    async def run(self, scope: Scope, *, dry_run: bool = False) -> AsyncIterator[Progress]:
        """Go through the images by id; with ``dry_run`` change nothing. The jobs of a batch are in the queue before it
        is answered.

        Images that wait for their first variants get today's anyway, and those that failed are for
        `ImageService.retry`: both are left alone. Raises `InvalidInput`, see `Scope.check`.
        """
        scope.check(self.presets)
        first_id = scope.starting_from or FIRST_ID
        while progress := await self._batch(scope, first_id, dry_run=dry_run):
            yield progress
            first_id = progress.next_id

    async def _batch(self, scope: Scope, first_id: UUID, *, dry_run: bool) -> Progress | None:
        async with self.database.transaction() as connection:
            images = await image_records.list_all(connection, first_id, BATCH)
            if not images:
                return None
            found = [(image, touched(image, scope, self.presets)) for image in images]
            needy = [(image, each) for image, each in found if each.names]
            if not dry_run:
                for image, each in needy:
                    await self.outbox.enqueue(connection, renew_variants(image, each.names), now=self.clock())
        return Progress(len(images), tuple(each for _, each in needy), _after(images[-1].id))


def touched(image: Image, scope: Scope, presets: Sequence[Preset]) -> Outdated:
    """What ``scope`` finds to do for one image. Pure."""
    if image.status is not ProcessingStatus.COMPLETE:
        return Outdated(image.id, (), ())
    planned = plan(image.width, image.height, image.frames, image.sha256, presets)
    there = {f"{variant.variant_type}.{variant.format}" for variant in image.variants}
    wanted = [each.name for each in missing(image, planned) if scope.includes(each)]
    if image.phash is None and (not scope.only or PHASH in scope.only):
        wanted.append(PHASH)
    outdated = () if scope.missing else _sorted(name for name in wanted if name in there)
    return Outdated(image.id, _sorted(name for name in wanted if name not in there), outdated)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _after(image_id: UUID) -> UUID:
    return UUID(int=image_id.int + 1)
