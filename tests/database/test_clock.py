"""One time for all processes, whose own clocks differ by five minutes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import ManualClock

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.clock import Clock, utc_now
from imagegallery.database import clock as database_clock
from imagegallery.database.clock import STANDSTILL, ClockMeasurement, DatabaseClock, correct, not_before
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import LeaseLost
from imagegallery.queue.job import NewJob
from imagegallery.uploads.session.session import UploadState

SKEW = timedelta(minutes=5)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=1))


def skewed(by: timedelta) -> Clock:
    return lambda: utc_now() + by


def measurement(offset: timedelta, round_trip: timedelta, *, late: timedelta = timedelta(0)) -> ClockMeasurement:
    """``late``: by how much the server was asked later than in the middle of the round trip."""
    return ClockMeasurement(NOON, NOON + round_trip / 2 + late + offset, NOON + round_trip)


@given(offset=st.timedeltas(min_value=-timedelta(days=1), max_value=timedelta(days=1)), there=SPANS, back=SPANS)
def test_the_offset_is_off_by_no_more_than_it_says(offset: timedelta, there: timedelta, back: timedelta) -> None:
    found = ClockMeasurement(NOON, NOON + there + offset, NOON + there + back)
    # Halves of microseconds are rounded.
    assert abs(found.offset - offset) <= found.uncertainty + timedelta(microseconds=2)


def test_of_several_measurements_the_one_with_the_shortest_round_trip_counts() -> None:
    slow, quick = measurement(SKEW + SECOND, 4 * SECOND), measurement(SKEW, SECOND / 100)
    assert correct(timedelta(0), [slow, quick, slow]) == SKEW


def test_an_offset_that_is_not_contradicted_stays() -> None:
    known = SKEW + SECOND / 1000
    assert correct(known, [measurement(SKEW, SECOND / 100)]) == known


def test_a_measurement_during_which_the_local_clock_was_set_back_does_not_count() -> None:
    assert correct(timedelta(0), [measurement(SKEW, -SECOND)]) == timedelta(0)


@pytest.mark.parametrize(
    ("step", "answer"),
    [(SECOND, NOON + SECOND), (-SECOND / 2, NOON), (-STANDSTILL, NOON), (-STANDSTILL * 2, NOON - STANDSTILL * 2)],
)
def test_time_stands_still_for_a_small_step_back_and_follows_a_large_one(step: timedelta, answer: datetime) -> None:
    assert not_before(NOON, NOON + step) == answer


@pytest.mark.parametrize("skew", [-SKEW, SKEW])
async def test_a_clock_that_is_wrong_tells_the_time_of_the_server(database: Database, skew: timedelta) -> None:
    clock = await DatabaseClock.measured(database, skewed(skew))
    assert abs(clock.offset + skew) < SKEW / 100
    async with database.connection() as connection:
        before = clock()
        server_time = cast(datetime, await connection.fetchval(database_clock.SERVER_TIME))
    assert abs(server_time - before) < SKEW / 100


async def test_a_local_clock_that_is_set_is_noticed_while_it_runs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_clock, "MEASURE_EVERY", timedelta(milliseconds=1))
    skews = [timedelta(0)]
    clock = await DatabaseClock.measured(database, lambda: utc_now() + skews[0])
    async with anyio.create_task_group() as tasks:
        await tasks.start(clock.run)
        skews[0] = SKEW
        with anyio.fail_after(30):
            while abs(clock.offset + SKEW) > SKEW / 100:
                await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()


async def test_while_the_database_does_not_answer_the_offset_stays(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_clock, "MEASURE_EVERY", timedelta(milliseconds=1))
    caplog.set_level("INFO", database_clock.__name__)
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as database:
        clock = await DatabaseClock.measured(database, skewed(SKEW))
        before = clock.offset
        clock._database = Database(database._pool, DatabaseOptions(acquire_timeout=timedelta(milliseconds=1)))
        async with database.connection(), anyio.create_task_group() as tasks:
            await tasks.start(clock.run)
            with anyio.fail_after(30):
                while "not looked at" not in caplog.text:
                    await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()
    assert clock.offset == before


@asynccontextmanager
async def process(folder: Path, dsn: str, local: Clock) -> AsyncIterator[ImageGallery]:
    settings = Settings(data_dir=folder, database=DatabaseOptions(dsn=dsn))
    async with ImageGallery.open(settings, local_clock=local) as gallery:
        yield gallery


@pytest.fixture
async def galleries(tmp_path: Path, database_dsn: str) -> AsyncIterator[tuple[ImageGallery, ImageGallery]]:
    """Two of one database and folder, on machines whose clocks are ten minutes apart."""
    async with (
        process(tmp_path, database_dsn, skewed(-SKEW)) as late,
        process(tmp_path, database_dsn, skewed(SKEW)) as early,
    ):
        yield late, early


async def test_no_lease_is_taken_before_its_time(galleries: tuple[ImageGallery, ImageGallery]) -> None:
    late, early = galleries
    resources = late._resources
    async with resources.database.transaction() as connection:
        await resources.outbox.enqueue(connection, NewJob("resize", {}), now=resources.clock())
    (held,) = await late.server.queue.claim(["resize"], limit=1, lease=SKEW / 2)
    assert await early.server.queue.claim(["resize"], limit=1, lease=SKEW / 2) == []
    await late.server.queue.complete(held)


async def test_by_its_own_clock_the_other_process_would_have_taken_it(
    tmp_path: Path, database_dsn: str, galleries: tuple[ImageGallery, ImageGallery]
) -> None:
    """What the test before this one would be without the correction."""
    late, _ = galleries
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    resources = late._resources
    async with resources.database.transaction() as connection:
        await resources.outbox.enqueue(connection, NewJob("resize", {}), now=resources.clock())
    (held,) = await late.server.queue.claim(["resize"], limit=1, lease=SKEW / 2)
    async with ImageGallery.open(settings, clock=skewed(SKEW)) as uncorrected:
        (stolen,) = await uncorrected.server.queue.claim(["resize"], limit=1, lease=SKEW / 2)
    assert stolen.id == held.id
    with pytest.raises(LeaseLost):
        await late.server.queue.complete(held)


async def test_an_upload_session_of_one_process_is_open_in_the_other(
    galleries: tuple[ImageGallery, ImageGallery],
) -> None:
    late, early = galleries
    me = Principal.user("me")
    session = await late.uploads.create(me, filename="tram.jpg", content_type="image/jpeg", size=10)
    assert abs(session.expires_at - utc_now() - late.settings.uploads.session_lifetime) < SKEW
    assert (await early.uploads.get(me, session.id)).state is UploadState.PENDING
    assert await early.uploads.sweep() == await late.uploads.sweep()
    assert (await late.uploads.get(me, session.id)).state is UploadState.PENDING


async def test_a_clock_that_is_given_is_gone_by(tmp_path: Path, database_dsn: str, clock: ManualClock) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, clock=clock) as gallery:
        created = await gallery.galleries.create(Principal.user("me"), name="Lisbon")
    assert created.created_at == clock()
