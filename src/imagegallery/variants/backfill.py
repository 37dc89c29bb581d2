"""Update the variants and analyses of complete images.

It computes nothing: each outdated image gets a job of the lowest priority, which makes the named variants and analyses
and no others, and one more for costly analyses. It may be interrupted and repeated: finished images are up to date, and
waiting jobs are not added twice.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from uuid import UUID

from attrs import frozen

from imagegallery.analyses import records as analysis_records
from imagegallery.analyses.job import analyse_image
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Fault, InvalidInput
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.pagination import FIRST_ID
from imagegallery.queue.protocol import JobOutbox
from imagegallery.variants.jobs import renew_variants
from imagegallery.variants.work import Recipes, work_for

BATCH = 200


@frozen
class Scope:
    """What to examine: the variants that ``only`` names by preset (``medium``) or preset and format (``medium.webp``)
    and the analyses
    that it names, of images from the id ``starting_from`` on. Empty and ``None`` mean all.

    With ``missing``, existing ones stay, whatever made them.
    """

    only: frozenset[str] = frozenset()
    missing: bool = False
    starting_from: UUID | None = None

    def check(self, recipes: Recipes) -> None:
        """Raise `InvalidInput` for a name of no preset and no analysis."""
        named = (name for preset in recipes.presets for name in (preset.name, f"{preset.name}.{preset.format}"))
        known = {*named, *(analysis.name for analysis in recipes.analyses)}
        if unknown := sorted(self.only - known):
            fault = Fault(("only",), f"{', '.join(unknown)}: must be of {', '.join(sorted(known))}")
            raise InvalidInput(
                f"There is no preset or analysis {unknown[0]}; there are {', '.join(sorted(known))}.", [fault]
            )

    def includes(self, name: str) -> bool:
        """Whether ``only`` includes the variant or analysis of this name."""
        return not self.only or name in self.only or name.partition(".")[0] in self.only


@frozen
class OutdatedImage:
    """An image and the names of variants (``medium.webp``) and analyses to make: missing ones, and those of another
    recipe or version."""

    image_id: UUID
    missing: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.missing, *self.outdated)


@frozen
class Progress:
    """One batch: the number of images examined, the outdated ones, and the id to continue from."""

    examined: int
    touched: tuple[OutdatedImage, ...]
    next_id: UUID


@frozen
class Backfill:
    """Finds images that differ from ``recipes``, and adds jobs."""

    database: Database
    outbox: JobOutbox
    recipes: Recipes
    clock: Clock

    async def count(self, scope: Scope) -> int:
        """The number of images that `run` will examine."""
        async with self.database.connection() as connection:
            return await image_records.count_all(connection, scope.starting_from or FIRST_ID)

    async def run(self, scope: Scope, *, dry_run: bool = False) -> AsyncIterator[Progress]:
        """Examine the images by id; with ``dry_run`` change nothing. The jobs of a batch are added before it is
        yielded.

        Images that wait for their first variants will get current ones, and failed ones are for `ImageService.retry`:
        both are skipped. Raises `InvalidInput`, see `Scope.check`.
        """
        scope.check(self.recipes)
        first_id = scope.starting_from or FIRST_ID
        while progress := await self._batch(scope, first_id, dry_run=dry_run):
            yield progress
            first_id = progress.next_id

    async def _batch(self, scope: Scope, first_id: UUID, *, dry_run: bool) -> Progress | None:
        async with self.database.transaction() as connection:
            images = await image_records.list_all(connection, first_id, BATCH)
            if not images:
                return None
            recorded = await analysis_records.versions(connection, [image.id for image in images])
            found = [(image, touched(image, recorded[image.id], scope, self.recipes)) for image in images]
            needy = [(image, each) for image, each in found if each.names]
            if not dry_run:
                for image, each in needy:
                    await self._enqueue(connection, image, each.names)
        return Progress(len(images), tuple(each for _, each in needy), _after(images[-1].id))

    async def _enqueue(self, connection: Connection, image: Image, names: Iterable[str]) -> None:
        costly = [each for each in self.recipes.analyses if each.is_costly and each.name in names]
        rest = sorted(set(names) - {each.name for each in costly})
        if rest:
            await self.outbox.enqueue(connection, renew_variants(image, rest), now=self.clock())
        if costly:
            await self.outbox.enqueue(connection, analyse_image(image, costly), now=self.clock())


def touched(image: Image, recorded: Mapping[str, int], scope: Scope, recipes: Recipes) -> OutdatedImage:
    """What to make for one image. ``recorded`` has the versions of its analyses. Pure."""
    if image.status is not ProcessingStatus.COMPLETE:
        return OutdatedImage(image.id, (), ())
    work = work_for(image, recorded, None, recipes)
    there = {*(f"{variant.variant_type}.{variant.format}" for variant in image.variants), *recorded}
    wanted = list(filter(scope.includes, work.names))
    outdated = () if scope.missing else _sorted(name for name in wanted if name in there)
    return OutdatedImage(image.id, _sorted(name for name in wanted if name not in there), outdated)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _after(image_id: UUID) -> UUID:
    return UUID(int=image_id.int + 1)
