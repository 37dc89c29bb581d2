"""Listening: what is heard, and that nothing is lost with a connection."""

from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count

import anyio
import pytest
from anyio.abc import TaskStatus

from imagegallery.database.connection import Connection
from imagegallery.database.notifications import Notifications
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import NotFound, Unavailable

NOW = timedelta(0)
LONG = timedelta(seconds=30)
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


async def notify(database: Database, channel: str) -> None:
    async with database.connection() as connection:
        await connection.execute("SELECT pg_notify($1, 'payload')", channel)


async def test_a_notification_wakes_the_waiter_once(database: Database) -> None:
    async with database.listen("jobs", "events") as notifications:
        assert not await notifications.wait(NOW)
        await notify(database, "events")
        assert await notifications.wait(LONG)
        assert not await notifications.wait(NOW)


async def test_what_comes_while_nobody_waits_is_remembered(database: Database) -> None:
    async with database.listen("jobs", "marker") as notifications:
        await notify(database, "jobs")
        assert await notifications.wait(LONG)


async def test_all_that_wait_at_the_time_wake_up() -> None:
    woken: list[bool] = []
    notifications = Notifications()

    async def one() -> None:
        woken.append(await notifications.wait(LONG))

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(one)
        await anyio.wait_all_tasks_blocked()
        notifications.wake()
    assert woken == [True, True]


async def test_other_channels_are_not_heard(database: Database) -> None:
    async with database.listen("jobs") as jobs, database.listen("other") as other:
        await notify(database, "other")
        assert await other.wait(LONG)
        assert not await jobs.wait(NOW)


async def test_a_lost_connection_is_replaced_and_wakes_the_waiter(database: Database) -> None:
    async with database.listen("jobs") as notifications:
        async with database.connection() as connection:
            assert await connection.fetchval(f"SELECT pg_terminate_backend(pid, 10000) FROM ({LISTENERS}) AS l")
        assert await notifications.wait(LONG), "what was sent in between may have been missed"
        await notify(database, "jobs")
        assert await notifications.wait(LONG)


async def test_all_who_wait_have_one_connection_however_many_they_are(database: Database) -> None:
    async with AsyncExitStack() as stack:
        waiting = [await stack.enter_async_context(database.listen("jobs")) for _ in range(50)]
        async with database.connection() as connection:
            assert len(await connection.fetch(LISTENERS)) == 1
        await notify(database, "jobs")
        for each in waiting:
            assert await each.wait(LONG)
            assert not await each.wait(NOW)


async def listen_until(database: Database, leave: anyio.Event, *, task_status: TaskStatus[None]) -> None:
    async with database.listen("jobs"):
        task_status.started()
        await leave.wait()


async def test_when_the_one_who_listens_goes_another_listens_on(database: Database) -> None:
    leave = anyio.Event()
    async with anyio.create_task_group() as tasks:
        await tasks.start(listen_until, database, leave)
        async with database.listen("jobs") as second:
            leave.set()
            assert await second.wait(LONG), "what was sent in between may have been missed"
            await notify(database, "jobs")
            assert await second.wait(LONG)
    await _until_no_listener(database)


async def test_an_outage_as_another_takes_over_ends_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    leave, open_session, asked = anyio.Event(), database._open_session, count(1)

    async def away() -> Connection:
        if next(asked) < 3:
            raise Unavailable("away")
        return await open_session()

    async with anyio.create_task_group() as tasks:
        await tasks.start(listen_until, database, leave)
        async with database.listen("jobs") as second:
            monkeypatch.setattr(database._listeners["jobs",], "_open_session", away)
            leave.set()
            assert await second.wait(LONG)
    assert next(asked) == 4


async def test_of_one_payload_nothing_else_is_heard(database: Database) -> None:
    async with database.listen("jobs", payload="payload") as ours, database.listen("jobs", payload="other") as other:
        await notify(database, "jobs")
        assert await ours.wait(LONG)
        assert not await other.wait(NOW)


async def test_an_exception_of_the_body_passes_unchanged(database: Database) -> None:
    with pytest.raises(NotFound):
        async with database.listen("jobs"):
            raise NotFound("this very one")


async def test_cancelling_ends_the_listening(database: Database) -> None:
    with anyio.move_on_after(0.1) as scope:
        async with database.listen("jobs") as notifications:
            scope.cancel()
            await notifications.wait(LONG)
    assert scope.cancelled_caught
    await _until_no_listener(database)


async def _until_no_listener(database: Database) -> None:
    with anyio.fail_after(30):
        async with database.connection() as connection:
            while await connection.fetchval(LISTENERS) is not None:
                await anyio.sleep(0)


async def test_a_first_connection_that_fails_is_said_at_once(database_dsn: str, database: Database) -> None:
    broken = Database(database._pool, DatabaseOptions(dsn="postgresql://nobody@/nothing?host=%2Fnowhere"))
    with pytest.raises(Unavailable):
        async with broken.listen("jobs"):
            pass
