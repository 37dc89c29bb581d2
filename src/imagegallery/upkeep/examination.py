"""Checks of the open parts: database, queue, store."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import anyio
import anyio.to_thread

from imagegallery.clock import Clock
from imagegallery.database.migrate import pending
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, ImageGalleryError
from imagegallery.ids import new_id
from imagegallery.images.library.index_records import index_meta
from imagegallery.queue import records as queue_records
from imagegallery.queue.job import JobCounts
from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.space import DiskSpace, Space
from imagegallery.storage.streams import bytes_chunks
from imagegallery.upkeep import records
from imagegallery.upkeep.check import Check

# Different clocks time sessions, leases and signed URLs; short leases suffer first.
SKEW_TO_NOTE: Final = timedelta(seconds=2)
SKEW_TOO_FAR: Final = timedelta(seconds=10)
OVERDUE: Final = timedelta(minutes=15)
_PROBE = b"imagegallery doctor"
_CLEANING_UP = 10.0  # seconds


async def attempt(name: str, remedy: str, check: Callable[[], Awaitable[Check]]) -> Check:
    """Return the check's result, or an error of this ``name`` if it raises one of ours or the system's."""
    try:
        return await check()
    except ImageGalleryError as error:
        return Check.error(name, error.full_message, remedy)
    except OSError as error:
        return Check.error(name, str(error), remedy)


async def examine_database(
    database: Database, clock: Clock, indexed_meta: Collection[str] = ()
) -> AsyncIterator[Check]:
    """Check version, migrations, clock and, if the tables exist, the queue and the indexes by keys of ``meta``.

    Raises as `Database.connection`.
    """
    async with database.connection() as connection:
        yield Check.ok("database", f"PostgreSQL {await records.server_version(connection)} answers")
    try:
        missing = await pending(database)
    except ConfigurationError as error:
        yield Check.error("migrations", error.message, "as it says, then run `imagegallery migrate`")
        return
    if missing:
        yield Check.error("migrations", f"{', '.join(missing)} not applied", "run `imagegallery migrate`")
    else:
        yield Check.ok("migrations", "all applied")
    yield await check_clock(database, clock)
    if not missing:
        yield await check_dead_letters(database)
        yield await check_backlog(database, clock)
        yield await check_meta_indexes(database, indexed_meta)


async def check_clock(database: Database, clock: Clock) -> Check:
    """Measure how far the database's clock is from ours, without the network's delay."""
    async with database.connection() as connection:
        before = clock()
        theirs = await records.server_time(connection)
        after = clock()
    return judge_clock(theirs, before, after)


def judge_clock(theirs: datetime, before: datetime, after: datetime) -> Check:
    """Judge a clock that showed ``theirs`` between ``before`` and ``after``. Pure."""
    skew = max(before - theirs, theirs - after, timedelta(0))
    detail = f"the database's and ours are {skew.total_seconds():.1f} s apart"
    remedy = "synchronise the clocks of both machines (NTP)"
    if skew >= SKEW_TOO_FAR:
        return Check.error("clocks", detail, remedy)
    if skew >= SKEW_TO_NOTE:
        return Check.warning("clocks", detail, remedy)
    return Check.ok("clocks", "the database's and ours agree")


async def check_dead_letters(database: Database) -> Check:
    """Check for jobs that were given up."""
    async with database.connection() as connection:
        counts = await queue_records.counts(connection)
        latest = await queue_records.dead(connection, limit=1)
    if not latest:
        waiting, running = (_at_most(number, counts) for number in (counts.waiting, counts.running))
        return Check.ok("queue", f"{waiting} jobs waiting, {running} running, none dead")
    return Check.warning(
        "queue",
        f"{_at_most(counts.dead, counts)} dead jobs; the latest, {latest[0].kind} {latest[0].id}: {latest[0].error}",
        "see to the cause, then `imagegallery queue redrive ID` or, for a failed image, POST /images/{id}/retry",
    )


def _at_most(number: int, counts: JobCounts) -> str:
    return f"{number:,}" if number < counts.counted_to else f"{number:,} or more"


async def check_backlog(database: Database, clock: Clock) -> Check:
    """Check whether workers do the jobs."""
    async with database.connection() as connection:
        since = (await queue_records.backlog(connection)).due_since
    if since is None or clock() - since < OVERDUE:
        return Check.ok("worker", "no job has been due for long")
    minutes = (clock() - since) // timedelta(minutes=1)
    return Check.warning(
        "worker", f"a job has been due for {minutes:,} minutes", "run `imagegallery worker`, or more of them"
    )


async def check_meta_indexes(database: Database, keys: Collection[str]) -> Check:
    """Check whether the keys of ``meta`` that are to have indexes have them."""
    wrong = await index_meta(database, keys, dry_run=True)
    if not (wrong.made or wrong.dropped):
        return Check.ok("indexes of meta", f"{', '.join(keys) or 'none'}, as the setting `meta.indexed` says")
    detail = f"missing: {', '.join(wrong.made) or 'none'}; no longer asked for: {', '.join(wrong.dropped) or 'none'}"
    return Check.warning("indexes of meta", detail, "run `imagegallery migrate`")


async def check_store(store: ObjectStore) -> Check:
    """Write, read and delete a small object under ``incoming/``, which the sweeper would clean up.

    `imagegallery.upkeep.promises` checks more of a store.
    """
    key = f"{INCOMING_PREFIX}doctor-{new_id()}"
    try:
        await store.put(key, bytes_chunks(_PROBE), content_type="text/plain")
        async with store.get(key) as stream:
            read = b"".join([chunk async for chunk in stream.chunks])
        await store.delete(key)
    except BaseException:
        with anyio.move_on_after(_CLEANING_UP, shield=True), suppress(ImageGalleryError, OSError):
            await store.delete(key)
        raise
    if read != _PROBE:
        return Check.error("store", "what is read is not what was written", "check the storage below")
    return Check.ok("store", "an object was written, read and deleted")


async def check_space(space: Space) -> Check:
    """Check whether the disk has room for uploads."""
    if not isinstance(space, DiskSpace):
        return Check.ok("disk", "others see to it: a bucket, and a database elsewhere")
    return judge_space(await anyio.to_thread.run_sync(space.free), space.reserve)


def judge_space(free: int, reserve: int) -> Check:
    """Judge a disk with these bytes ``free``, of which the ``reserve`` stays so. Pure."""
    found = f"{free / 1e9:,.1f} GB free"
    if free >= 2 * reserve:
        return Check.ok("disk", found)
    found += f", of which {reserve / 1e9:,.1f} GB are kept for the database"
    remedy = "make room on this disk, or lower `storage.disk_reserve`"
    if free < reserve:
        return Check.error("disk", f"{found}: uploads are refused", remedy)
    return Check.warning("disk", f"{found}: uploads will soon be refused", remedy)


def check_tasks(failing: Sequence[str]) -> Check:
    """Check for tasks of this process that keep ``failing``. Pure."""
    if failing:
        return Check.error("tasks", f"this keeps failing: {', '.join(failing)}", "see the log of this process")
    return Check.ok("tasks", "none keeps failing")
