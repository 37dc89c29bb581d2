"""When a process reads again what administrators say: after a change, and for nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import attrs
import pytest
from attrs import frozen
from tests.support.clock import ManualClock
from tests.support.processes import Process, deafen, running_process, settle, until_listening

from imagegallery.administration.governor import Governor
from imagegallery.administration.policy_history import PolicyHistory
from imagegallery.cache.policy import UNHEARD_LIMIT
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import Unavailable
from imagegallery.policies import records
from imagegallery.policies.admin_policy import AdminPolicy, Rules
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.policies.version import PolicyVersion
from imagegallery.rates.options import RateOptions

SETTINGS = AdminPolicy(allowed_types=("image/jpeg",), max_size=1_000)


@frozen
class Governed:
    process: Process
    policy: PolicyInForce

    async def max_size(self) -> int:
        return (await self.policy.get()).max_size


@pytest.fixture
async def governed(database_dsn: str, clock: ManualClock) -> AsyncIterator[Governed]:
    async with running_process(database_dsn, clock) as process:
        policy = PolicyInForce(process.database, process.changes, SETTINGS, clock)
        await policy.get()
        yield Governed(process, policy)


async def say(database: Database, rules: Rules, clock: ManualClock) -> None:
    """As an administrator in another process does."""
    async with database.transaction() as connection:
        last = await records.hold(connection)
        said = PolicyVersion(number=last.number + 1, rules=rules, changed_by="ana", why="because", created_at=clock())
        await records.insert(connection, said)


async def test_while_nobody_changes_it_nothing_is_asked(governed: Governed) -> None:
    asked = governed.process.database.used
    for _ in range(100):
        assert await governed.max_size() == 1_000
    assert governed.process.database.used == asked


async def test_what_another_process_says_holds_as_soon_as_it_is_heard(
    governed: Governed, database: Database, clock: ManualClock
) -> None:
    for size in (500, 400):
        await say(database, {"max_size": size}, clock)
        await settle(governed.process.changes)
        asked = governed.process.database.used
        assert [await governed.max_size() for _ in range(10)] == [size] * 10
        assert governed.process.database.used == asked + 1, "once for all"


async def test_galleries_of_one_database_have_a_policy_each(
    governed: Governed, database_dsn: str, clock: ManualClock
) -> None:
    options = DatabaseOptions(max_size=3, schema="beside")
    async with Database.connect(attrs.evolve(options, dsn=database_dsn)) as beside:
        await migrate(beside)
        async with running_process(database_dsn, clock, options) as process:
            other = PolicyInForce(process.database, process.changes, SETTINGS, clock)
            assert (await other.get()).max_size == 1_000
            await say(beside, {"max_size": 500}, clock)
            for each in (process, governed.process):
                await settle(each.changes)
            assert ((await other.get()).max_size, await governed.max_size()) == (500, 1_000)


async def test_what_is_rolled_back_was_never_said(governed: Governed, database: Database, clock: ManualClock) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            said = PolicyVersion(number=1, rules={"max_size": 1}, changed_by="a", why="b", created_at=clock())
            await records.insert(connection, said)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    await settle(governed.process.changes)
    assert await governed.max_size() == 1_000


async def test_a_process_that_hears_nothing_reads_it_again_after_a_minute(
    governed: Governed, database: Database, clock: ManualClock
) -> None:
    await deafen(governed.process)
    await say(database, {"max_size": 500}, clock)
    clock.advance(UNHEARD_LIMIT - timedelta(seconds=1))
    if not governed.process.changes.is_listening:
        assert await governed.max_size() == 1_000
    clock.advance(timedelta(seconds=1))
    assert await governed.max_size() == 500


async def test_it_reads_it_again_when_it_hears_again(
    governed: Governed, database: Database, clock: ManualClock
) -> None:
    await deafen(governed.process)
    await say(database, {"max_size": 500}, clock)
    await until_listening(governed.process, listening=True)
    assert await governed.max_size() == 500


async def test_what_this_process_says_it_knows_at_once_also_if_it_hears_nothing(
    governed: Governed, clock: ManualClock
) -> None:
    await deafen(governed.process)
    history = PolicyHistory(governed.process.database, SETTINGS, clock, governed.policy.forget)
    for size in (500, 400):
        await history.change(Governor.operator("ana"), {"max_size": size}, "because", None)
        assert await governed.max_size() == size


async def test_rates_hold_while_the_database_is_away(
    governed: Governed, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        raise Unavailable("The database does not respond.")
        yield

    settings = attrs.evolve(SETTINGS, user_rate="3/minute")
    policy = PolicyInForce(governed.process.database, governed.process.changes, settings, clock)
    monkeypatch.setattr(governed.process.database, "connection", away)
    assert await policy.rates() == RateOptions(users="3/minute")
    with pytest.raises(Unavailable):
        await policy.get()
