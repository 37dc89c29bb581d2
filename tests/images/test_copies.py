"""Copies of originals without metadata: made once, a few at a time, swept with their image."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import define, evolve, field
from tests.imaging import test_removal as photo
from tests.support.clock import ManualClock
from tests.support.studio import Studio
from tests.support.upkeep import upkeep_of

from imagegallery.access.disclosure import EVERYBODYS, OWNERS, Disclosure
from imagegallery.access.grant import MetadataShown
from imagegallery.database.pool import Database
from imagegallery.errors import Forbidden, NotFound, Overloaded
from imagegallery.images.copies import AT_ONCE, MAX_WAITING, Copies, copy_key, removal_for
from imagegallery.images.image.image import Image
from imagegallery.imaging.protocol import ImagingEngine, Removal
from imagegallery.storage.streams import bytes_chunks

PLACE, EVERYTHING = Removal


@define
class HeldEngine:
    """The real engine, which counts its copies and waits before each one until it may go on."""

    engine: ImagingEngine
    may_go_on: anyio.Event = field(factory=anyio.Event)
    begun: list[Path] = field(factory=list)

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None:
        self.begun.append(path)
        await self.may_go_on.wait()
        await self.engine.remove_metadata(path, into, content_type=content_type, removal=removal, owner_id=owner_id)

    def __getattr__(self, name: str) -> object:
        return getattr(self.engine, name)


@pytest.fixture
async def studio(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[Studio]:
    async with Studio.open(database, clock, tmp_path, imaging_engine) as studio:
        yield studio


@pytest.fixture
def held(studio: Studio) -> HeldEngine:
    return HeldEngine(studio.engine)


@pytest.fixture
def copies(studio: Studio, held: HeldEngine) -> Copies:
    return Copies(studio.store, held, studio.scratch)  # type: ignore[arg-type]


async def a_photo(studio: Studio) -> Image:
    return await studio.upload(photo.jpeg(), 64, 48)


async def test_a_copy_is_made_once_and_says_no_more_than_it_may(
    studio: Studio, copies: Copies, held: HeldEngine
) -> None:
    held.may_go_on.set()
    image = await a_photo(studio)
    for removal in Removal:
        key = await copies.key_of(image, removal)
        assert await copies.key_of(image, removal) == key == copy_key(image, removal)
        async with studio.store.get(key) as stream:
            stored = b"".join([chunk async for chunk in stream.chunks])
        assert stored == photo.without(photo.jpeg(), removal)
    assert len(held.begun) == 2
    assert copy_key(evolve(image, original_key="another"), PLACE) != copy_key(image, PLACE)


async def test_who_asks_for_many_copies_is_sent_away(studio: Studio, copies: Copies, held: HeldEngine) -> None:
    image = await a_photo(studio)
    refused: list[Overloaded] = []

    async def ask(number: int) -> None:
        try:
            await copies.key_of(evolve(image, key_prefix=f"{image.key_prefix}{number}/"), PLACE)
        except Overloaded as error:
            refused.append(error)
            held.may_go_on.set()

    async with anyio.create_task_group() as tasks:
        for number in range(AT_ONCE + MAX_WAITING + 1):
            tasks.start_soon(ask, number)
            await anyio.wait_all_tasks_blocked()
    assert len(refused) == 1
    assert len(held.begun) == AT_ONCE + MAX_WAITING
    assert refused[0].retry_after > 0


async def test_a_file_whose_metadata_cannot_be_taken_out_is_not_given_away(
    studio: Studio, copies: Copies, held: HeldEngine
) -> None:
    held.may_go_on.set()
    data = photo.jpeg()
    image = await studio.upload(data[:4] + b"\xff\xff" + data[6:], 64, 48)
    with pytest.raises(Forbidden):
        await copies.key_of(image, EVERYTHING)
    await studio.store.delete(image.original_key)
    with pytest.raises(NotFound):
        await copies.key_of(image, EVERYTHING)
    assert not [key for key in await studio.objects() if "/copy-" in key]


async def test_reconcile_knows_copies_from_strays(studio: Studio, copies: Copies, held: HeldEngine) -> None:
    held.may_go_on.set()
    image = await a_photo(studio)
    await studio.run("image.process")
    key = await copies.key_of(image, EVERYTHING)
    older = key.replace("/copy-strip_all-", "/copy-strip_all-x")
    await studio.store.put(older, bytes_chunks(b"of an earlier version"), content_type="image/jpeg")
    studio.clock.advance(timedelta(days=2))
    upkeep = upkeep_of(studio.library.database, studio.store, studio.library.queue, studio.clock)
    found = [
        finding
        for phase in upkeep.reconciliation()
        async for step in phase.run(repair=True)
        for finding in step.findings
    ]
    assert [finding.subject for finding in found if "/copy-" in finding.subject] == [older]
    assert key in await studio.objects()


@pytest.mark.parametrize(
    ("shown", "removal"),
    [
        (OWNERS, None),
        (EVERYBODYS, PLACE),
        (evolve(EVERYBODYS, metadata=MetadataShown.NONE), EVERYTHING),
        (evolve(EVERYBODYS, metadata=MetadataShown.ALL), None),
    ],
)
def test_a_copy_lacks_what_is_hidden(shown: Disclosure, removal: Removal | None) -> None:
    assert removal_for(shown) is removal
