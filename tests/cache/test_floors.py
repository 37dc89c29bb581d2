"""What an entry must have seen to be believed: known when the database was asked, and not before."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest

from imagegallery.cache import floors, records
from imagegallery.cache.floors import Floors
from imagegallery.cache.generations import ALL_GALLERIES
from imagegallery.cache.snapshots import Snapshot
from imagegallery.common.background import Background
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable


@pytest.fixture
async def running(database: Database) -> AsyncIterator[Floors]:
    async with Background.running() as background:
        running = Floors(database)
        background.start_soon(running.run, "floors")
        running.on_loss()
        await known(running, "any")
        yield running


async def known(running: Floors, group: str) -> Snapshot:
    with anyio.fail_after(30):
        while (floor := running.of(group)) is None:
            await anyio.sleep(0.001)
    return floor


async def write(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO owners (owner_id) VALUES (gen_random_uuid()::text)")


async def test_nothing_is_believed_before_it_was_known_when_listening_began(database: Database) -> None:
    assert Floors(database).of("any") is None


async def test_what_was_heard_raises_the_floor_of_its_group_and_of_what_shows_all(
    running: Floors, database: Database
) -> None:
    before = await known(running, "other")
    await write(database)
    running.on_change("one", ours=False)
    assert running.of("one") is None, "not known yet"
    assert running.of(ALL_GALLERIES) is None
    assert running.of("other") == before
    for group in ("one", ALL_GALLERIES):
        floor = await known(running, group)
        assert floor.covers(before)
        assert not before.covers(floor)
    assert running.of("other") == before


async def test_when_something_may_have_been_missed_every_floor_is_raised(running: Floors, database: Database) -> None:
    running.on_change("one", ours=False)
    before = await known(running, "one")
    await write(database)
    running.on_loss()
    for group in ("one", "other"):
        assert running.of(group) is None
    for group in ("one", "other"):
        assert not before.covers(await known(running, group))


async def test_what_was_heard_while_the_database_was_asked_is_asked_for_again(
    running: Floors, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, asked = anyio.Event(), anyio.Event()
    take = records.take_snapshot

    async def slowly(connection: object) -> Snapshot:
        snapshot = await take(connection)  # type: ignore[arg-type]
        asked.set()
        await answer.wait()
        return snapshot

    monkeypatch.setattr(records, "take_snapshot", slowly)
    running.on_change("one", ours=False)
    await asked.wait()
    await write(database)
    running.on_change("one", ours=False)
    async with database.connection() as connection:
        late = await take(connection)
    answer.set()
    assert (await known(running, "one")).covers(late)


@pytest.mark.parametrize("failure", [Unavailable("away"), RuntimeError("unforeseen")])
async def test_while_the_database_does_not_say_nothing_is_believed(
    running: Floors, database: Database, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(floors, "PAUSE", timedelta(0))
    failures = iter([failure, failure])
    take = records.take_snapshot

    async def fail_at_first(connection: Connection) -> Snapshot:
        for each in failures:
            raise each
        return await take(connection)

    await known(running, "one")
    await write(database)
    async with database.connection() as connection:
        late = await take(connection)
    monkeypatch.setattr(records, "take_snapshot", fail_at_first)
    running.on_change("one", ours=False)
    assert (await known(running, "one")).covers(late)


async def test_beyond_so_many_groups_there_is_one_floor(
    running: Floors, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "MAX_FLOORS", 3)
    before = await known(running, "other")
    for number in range(5):
        await write(database)
        running.on_change(f"group-{number}", ours=False)
        await known(running, f"group-{number}")
    assert not before.covers(await known(running, "other"))
    assert len(running._floors) <= 4


async def test_changes_that_wait_for_their_floor_have_an_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "MAX_FLOORS", 10)
    waiting = Floors(database)
    for number in range(100):
        waiting.on_change(str(number), ours=False)
    assert len(waiting._waiting) <= 12
    assert waiting.of("99") is None
