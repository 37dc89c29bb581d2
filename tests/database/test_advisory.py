"""Locks across processes: one holder at a time, which hears that somebody waits, and that its lock is gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from imagegallery.database.advisory import AdvisoryLocks, Hold, LockTaken
from imagegallery.database.connection import Connection
from imagegallery.database.namespace import Namespace
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import Unavailable

PATIENT, IMPATIENT = timedelta(seconds=20), timedelta(milliseconds=50)


@pytest.fixture
async def locks(database: Database) -> AdvisoryLocks:
    return database.locks


@pytest.fixture
async def elsewhere(database_dsn: str) -> AsyncIterator[AdvisoryLocks]:
    """Those of another process."""
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as database:
        yield database.locks


async def lose_connection(database: Database, locks: AdvisoryLocks) -> None:
    """As a restart of the server would."""
    async with database.connection() as connection:
        held = (
            "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database() "
            "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
        await connection.fetch(f"SELECT pg_terminate_backend(pid) FROM ({held}) AS holders")


@pytest.mark.parametrize("other", ["same process", "another process"])
async def test_one_holds_it_at_a_time(other: str, locks: AdvisoryLocks, elsewhere: AdvisoryLocks) -> None:
    newcomers = locks if other == "same process" else elsewhere
    async with locks.hold("a", patience=PATIENT):
        with pytest.raises(LockTaken):
            async with newcomers.hold("a", patience=IMPATIENT):
                pass
        async with newcomers.hold("b", patience=PATIENT):
            pass
    async with newcomers.hold("a", patience=PATIENT):
        pass


@pytest.mark.parametrize("other", ["same process", "another process"])
async def test_the_holder_is_asked_and_the_newcomer_gets_it(
    other: str, locks: AdvisoryLocks, elsewhere: AdvisoryLocks
) -> None:
    newcomers = locks if other == "same process" else elsewhere
    story: list[str] = []

    async def come() -> None:
        async with newcomers.hold("a", patience=PATIENT):
            story.append("newcomer")

    async with anyio.create_task_group() as tasks, locks.hold("a", patience=PATIENT) as hold:
        tasks.start_soon(come)
        await hold.asked.wait()
        story.append("holder")
    assert story == ["holder", "newcomer"]


async def test_a_holder_that_nobody_waits_for_is_not_asked(locks: AdvisoryLocks, elsewhere: AdvisoryLocks) -> None:
    async with locks.hold("a", patience=PATIENT) as hold:
        async with elsewhere.hold("b", patience=PATIENT), locks.hold("c", patience=PATIENT):
            pass
        assert not hold.asked.is_set()


async def test_of_many_each_gets_it_once_and_alone(locks: AdvisoryLocks, elsewhere: AdvisoryLocks) -> None:
    inside, turns = 0, 0

    async def come(number: int) -> None:
        nonlocal inside, turns
        async with (locks, elsewhere)[number % 2].hold("a", patience=PATIENT):
            inside += 1
            assert inside == 1
            await anyio.lowlevel.checkpoint()
            inside -= 1
            turns += 1

    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(come, number)
    assert turns == 12


async def test_a_cancelled_wait_leaves_no_lock(locks: AdvisoryLocks, elsewhere: AdvisoryLocks) -> None:
    async with locks.hold("a", patience=PATIENT), anyio.create_task_group() as tasks:

        async def come() -> None:
            async with elsewhere.hold("a", patience=PATIENT):
                pass

        tasks.start_soon(come)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    async with elsewhere.hold("a", patience=PATIENT), locks.hold("b", patience=PATIENT):
        pass


async def test_patience_ends_also_while_the_connection_is_being_opened() -> None:
    """As when the server's machine is gone: each attempt to connect takes as long as it may."""
    opening, given_up = anyio.Event(), anyio.Event()

    @asynccontextmanager
    async def open_session() -> AsyncIterator[Connection]:
        opening.set()
        with anyio.move_on_after(PATIENT.total_seconds()):
            await given_up.wait()
        raise Unavailable("The database does not answer.")
        yield

    locks = AdvisoryLocks(open_session, Namespace())

    async def come() -> None:
        with pytest.raises(Unavailable):
            async with locks.hold("a", patience=PATIENT):
                pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(come)
        await opening.wait()
        with pytest.raises(LockTaken):
            async with locks.hold("b", patience=IMPATIENT):
                pass
        given_up.set()


async def test_who_loses_the_connection_is_asked_to_stop(
    database: Database, locks: AdvisoryLocks, elsewhere: AdvisoryLocks
) -> None:
    async with locks.hold("a", patience=PATIENT) as hold:
        await lose_connection(database, locks)
        await hold.asked.wait()
        async with elsewhere.hold("a", patience=PATIENT):
            with pytest.raises(LockTaken):
                async with locks.hold("a", patience=IMPATIENT):
                    pass
    async with locks.hold("a", patience=PATIENT) as again:
        assert not again.asked.is_set()


async def test_no_lock_is_left_when_all_is_closed(database_dsn: str, elsewhere: AdvisoryLocks) -> None:
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as database:
        context = database.locks.hold("a", patience=PATIENT)
        hold: Hold = await context.__aenter__()
        await database.locks.aclose()
        assert hold.asked.is_set()
        async with elsewhere.hold("a", patience=PATIENT):
            pass
        await context.__aexit__(None, None, None)
