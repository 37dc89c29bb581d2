"""Hearing of changes: which there are, when they are applied, and what a lost connection costs.

A round trip on the listening connection (`settle`) is what the tests wait with: it returns when all that
was committed before has been heard.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

import anyio
import pytest
from attrs import evolve
from tests.support.library import Library, make_image
from tests.support.processes import Process, deafen, settle, until_listening

from imagegallery.cache import generations
from imagegallery.cache.generations import ALL_GALLERIES, CHANNEL, library_group
from imagegallery.cache.stale_while_revalidate import EVERYTHING
from imagegallery.errors import Failure
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal
from imagegallery.variants import records as variant_records

ANA = Principal.user("ana")

Change = Callable[[Library, UUID, Image], Awaitable[object]]


async def _complete(library: Library, _gallery_id: UUID, image: Image) -> None:
    async with library.database.transaction() as connection:
        await variant_records.complete(connection, image, now=library.clock())


async def _fail(library: Library, _gallery_id: UUID, image: Image) -> None:
    async with library.database.transaction() as connection:
        await connection.execute("UPDATE images SET processing_status = 'pending' WHERE id = $1", image.id)
        await variant_records.fail(connection, image.id, Failure("bad_image", "no"), now=library.clock())


async def _put_variants(library: Library, _gallery_id: UUID, image: Image) -> None:
    async with library.database.transaction() as connection:
        await variant_records.put_variants(connection, image.id, image.variants, now=library.clock())


async def _drop_variants(library: Library, _gallery_id: UUID, image: Image) -> None:
    async with library.database.transaction() as connection:
        await variant_records.drop_variants(connection, image.id, image.variants)


CHANGES: dict[str, Change] = {
    "gallery renamed": lambda library, gallery_id, _: library.galleries.update(ANA, gallery_id, name="Lisboa"),
    "gallery hidden": lambda library, gallery_id, _: library.galleries.update(ANA, gallery_id, visibility="private"),
    "cover": lambda library, gallery_id, image: library.galleries.update(ANA, gallery_id, cover_image_id=image.id),
    "gallery deleted": lambda library, gallery_id, _: library.galleries.delete(ANA, gallery_id),
    "image added": lambda library, gallery_id, _: library.add_image(make_image(), gallery_id),
    "image removed": lambda library, gallery_id, image: library.galleries.remove_image(ANA, gallery_id, image.id),
    "image described": lambda library, _, image: library.images.update(ANA, image.id, alt_text="A tram"),
    "image deleted": lambda library, _, image: library.delete_for_good(image),
    "image processed": _complete,
    "image failed": _fail,
    "variants made": _put_variants,
    "variants dropped": _drop_variants,
}


async def a_gallery(library: Library) -> tuple[UUID, Image]:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    return gallery.id, await library.add_image(make_image(), gallery.id)


LIBRARY_CHANGES: dict[str, Change] = {
    **CHANGES,
    "image uploaded to no gallery": lambda library, _, __: library.add_image(evolve(make_image(), variants=())),
    "image trashed": lambda library, _, image: library.images.delete(ANA, image.id),
    "image made a favourite": lambda library, _, image: library.images.update(ANA, image.id, is_favorite=True),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_change_of_what_a_gallery_shows_is_heard_by_every_process(
    library: Library, process: Process, other: Process, change: str
) -> None:
    gallery_id, image = await a_gallery(library)
    assert await is_heard(library, process, other, str(gallery_id), CHANGES[change], gallery_id, image)


@pytest.mark.parametrize("change", LIBRARY_CHANGES)
async def test_every_change_of_what_a_library_shows_is_heard_by_every_process(
    library: Library, process: Process, other: Process, change: str
) -> None:
    gallery_id, image = await a_gallery(library)
    others = await process.cache.generation(library_group("ben"))
    assert await is_heard(library, process, other, library_group("ana"), LIBRARY_CHANGES[change], gallery_id, image)
    assert await process.cache.generation(library_group("ben")) == others


async def is_heard(
    library: Library, process: Process, other: Process, group: str, change: Change, gallery_id: UUID, image: Image
) -> bool:
    """Whether both processes look again at what the group shows after this change by one of them."""
    await settle(other.changes)
    await settle(process.changes)
    before = [await each.cache.generation(group) for each in (process, other)]

    await change(library, gallery_id, image)

    await process.changes.catch_up()
    await settle(other.changes)
    after = [await each.cache.generation(group) for each in (process, other)]
    heard = {old != new for old, new in zip(before, after, strict=True)}
    assert len(heard) == 1
    return heard.pop()


async def test_other_galleries_keep_their_generation_but_not_what_shows_all_of_them(
    library: Library, process: Process
) -> None:
    gallery_id, _ = await a_gallery(library)
    another_id, _ = await a_gallery(library)
    await process.changes.catch_up()
    before = [await process.cache.generation(group) for group in (str(another_id), EVERYTHING, ALL_GALLERIES)]

    await library.galleries.update(ANA, gallery_id, name="Lisboa")

    await process.changes.catch_up()
    after = [await process.cache.generation(group) for group in (str(another_id), EVERYTHING, ALL_GALLERIES)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False]


async def test_a_change_that_is_rolled_back_is_none(library: Library, process: Process) -> None:
    gallery_id, _ = await a_gallery(library)
    await process.changes.catch_up()
    before = await process.cache.generation(str(gallery_id))

    async def change_and_fail() -> None:
        async with library.database.transaction() as connection:
            await connection.execute("UPDATE galleries SET name = 'Lisboa'")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    await settle(process.changes)
    assert await process.cache.generation(str(gallery_id)) == before


async def test_a_transaction_tells_of_each_gallery_and_its_library_once(library: Library, process: Process) -> None:
    gallery_id, _ = await a_gallery(library)
    on_change: list[object] = []
    async with process.database.session() as listener:
        await listener.add_listener(CHANNEL, lambda *args: on_change.append(args[3]))
        async with process.database.transaction() as connection:
            for name in ("one", "two", "three"):
                await connection.execute("UPDATE galleries SET name = $1", name)
        await listener.execute("SELECT 1")
    assert on_change == [str(gallery_id), library_group("ana")]


async def test_whoever_committed_nothing_asks_nothing(library: Library, process: Process) -> None:
    await a_gallery(library)
    await process.changes.catch_up()
    asked = _listen_to(process)
    for _ in range(3):
        await process.changes.catch_up()
    assert asked == []
    await library.galleries.create(ANA, name="Porto")
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(process.changes.catch_up)
    assert asked == ["SELECT 1"], "one round trip serves all who wait"


def _listen_to(process: Process) -> list[str]:
    """What the listening connection is asked from now on."""
    asked: list[str] = []
    connection = process.changes._connection
    assert connection is not None
    connection.add_query_logger(lambda query: asked.append(query.query))
    return asked


async def test_a_lost_connection_is_noticed_and_everything_dropped_when_it_is_back(
    library: Library, other: Process
) -> None:
    gallery_id, _ = await a_gallery(library)
    await settle(other.changes)
    before = await other.cache.generation(str(gallery_id)), await other.cache.generation(EVERYTHING)

    await deafen(other)
    await library.galleries.update(ANA, gallery_id, name="Lisboa")  # nobody hears of it
    await until_listening(other, listening=True)

    assert await other.cache.generation(str(gallery_id)) == before[0]
    assert await other.cache.generation(EVERYTHING) != before[1]


async def test_who_is_deaf_forgets_everything_after_a_commit_of_its_own(library: Library, process: Process) -> None:
    gallery_id, _ = await a_gallery(library)
    await process.changes.catch_up()
    await deafen(process)
    before = await process.cache.generation(EVERYTHING)
    await process.changes.catch_up()
    assert await process.cache.generation(EVERYTHING) == before, "nothing was committed"
    await library.galleries.update(ANA, gallery_id, name="Lisboa")
    await process.changes.catch_up()
    assert await process.cache.generation(EVERYTHING) != before


async def test_a_connection_that_went_silent_is_given_up(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = process.changes._connection
    assert connection is not None
    async with process.database.session() as another:
        # As good as a network that swallows everything: the server is stopped in the middle of an answer.
        monkeypatch.setattr(generations, "_PROBE", "SELECT pg_sleep(60)")
        monkeypatch.setattr(generations, "PATIENCE", generations.PATIENCE / 100)
        await settle(process.changes)
        assert not process.changes.is_listening
        monkeypatch.undo()
        await until_listening(process, listening=True)
        assert process.changes._connection is not connection
        await another.execute("SELECT 1")


async def test_more_changes_than_are_worth_remembering_are_everything(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MAX_HEARD", 3)
    before = await process.cache.generation(EVERYTHING), await process.cache.generation("gallery-0")
    async with process.database.transaction() as connection:
        for number in range(5):
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, f"gallery-{number}")
    await process.changes.catch_up()
    assert await process.cache.generation(EVERYTHING) != before[0]
