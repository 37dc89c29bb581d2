"""When a process reads again what administrators say: after a change, and for nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta

import attrs
import pytest
from attrs import frozen
from tests.support.clock import ManualClock
from tests.support.processes import Process, deafen, running_process, settle, until_listening

from imagegallery.cache.policy import UNHEARD_LIMIT
from imagegallery.database.pool import Database, DatabaseOptions
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


async def test_rates_hold_while_the_database_is_away(database_dsn: str, clock: ManualClock) -> None:
    one = DatabaseOptions(max_size=1, acquire_timeout=timedelta(milliseconds=50))
    async with running_process(database_dsn, clock, one) as process:
        settings = attrs.evolve(SETTINGS, user_rate="3/minute")
        policy = PolicyInForce(process.database, process.changes, settings, clock)
        async with process.database.connection():
            assert await policy.rates() == RateOptions(users="3/minute")
