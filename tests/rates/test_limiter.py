"""Who has to wait, in one process and in several with one Redis."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START, ManualClock
from tests.support.servers.redis import RedisServer, running_redis

from imagegallery.errors import RateLimited, UploadRateExceeded
from imagegallery.principal import Principal
from imagegallery.rates.counters import WINDOW_BYTES, BoundedStorage, WindowCounts
from imagegallery.rates.limiter import UNLIMITED, RateLimiter, network_of
from imagegallery.rates.options import Rate, RateOptions
from imagegallery.rates.redis import RedisCounts
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
OPTIONS = RateOptions(visitors="3/minute", users="5/minute", uploads="2/hour")


@pytest.fixture
def limiter(clock: ManualClock) -> RateLimiter:
    return RateLimiter(WindowCounts(BoundedStorage(clock)), OPTIONS)


async def admitted(limiter: RateLimiter, principal: Principal, address: str = "192.0.2.1", times: int = 20) -> int:
    count = 0
    for _ in range(times):
        try:
            await limiter.admit_request(principal, address)
        except RateLimited:
            continue
        count += 1
    return count


async def test_each_user_has_a_rate_of_their_own_wherever_they_are(limiter: RateLimiter) -> None:
    assert await admitted(limiter, ANA, times=3) + await admitted(limiter, ANA, "192.0.2.2") == 5
    assert await admitted(limiter, BEN) == 5


async def test_each_address_has_one_for_visitors(limiter: RateLimiter) -> None:
    assert [await admitted(limiter, VISITOR, f"192.0.2.{last}") for last in (1, 2, 1)] == [3, 3, 0]
    assert await admitted(limiter, ANA, "192.0.2.1") == 5, "who is signed in is no visitor"


async def test_who_has_to_wait_is_told_how_long_and_may_go_on_then(limiter: RateLimiter, clock: ManualClock) -> None:
    await admitted(limiter, VISITOR)
    with pytest.raises(RateLimited) as refusal:
        await limiter.admit_request(VISITOR, "192.0.2.1")
    assert refusal.value.details == {"retry_after": refusal.value.retry_after}
    assert 1 <= refusal.value.retry_after <= 60
    clock.advance(timedelta(seconds=120))
    assert await admitted(limiter, VISITOR) == 3


async def test_uploads_are_counted_by_owner_and_by_themselves(limiter: RateLimiter) -> None:
    await limiter.admit_upload("ana")
    await limiter.admit_upload("ana")
    with pytest.raises(UploadRateExceeded) as refusal:
        await limiter.admit_upload("ana")
    assert 1 <= refusal.value.retry_after <= 3600
    await limiter.admit_upload("ben")
    await limiter.admit_request(ANA, None)


class Governed:
    """Somebody who changes rates at run time."""

    now = RateOptions(users="1/minute")

    async def rates(self) -> RateOptions:
        return self.now


async def test_rates_that_somebody_governs_hold_in_place_of_the_options(clock: ManualClock) -> None:
    governed = Governed()
    limiter = RateLimiter(WindowCounts(BoundedStorage(clock)), OPTIONS, governed)
    assert await admitted(limiter, ANA) == 1
    assert await admitted(limiter, VISITOR) == 20
    governed.now = RateOptions(users="4/minute", visitors="2/minute")
    assert await admitted(limiter, ANA) == 4, "under a new rate everybody begins anew"
    assert await admitted(limiter, VISITOR) == 2


async def test_without_options_nobody_waits() -> None:
    assert await admitted(UNLIMITED, VISITOR, times=1000) == 1000


@given(st.integers(1, 20), st.integers(1, 100), st.lists(st.integers(0, 150), max_size=100))
async def test_in_no_window_are_there_twice_as_many_and_a_quiet_one_lets_all_through(
    amount: int, seconds: int, pauses: list[int]
) -> None:
    """Two counters tell a window within a factor of two, whatever comes; and exactly after a pause of two windows."""
    clock, rate = ManualClock(), Rate(amount, seconds)
    counts = WindowCounts(BoundedStorage(clock))
    times = []
    for pause in pauses:
        clock.advance(timedelta(seconds=pause))
        if await counts.hit(rate, "name") is None:
            times.append((clock() - START).total_seconds())
    for time in times:
        assert sum(time <= each < time + seconds for each in times) <= 2 * amount
    clock.advance(timedelta(seconds=2 * seconds))
    assert [await counts.hit(rate, "name") for _ in range(amount)] == [None] * amount


async def test_names_that_were_not_seen_for_long_make_room(clock: ManualClock) -> None:
    storage = BoundedStorage(clock, max_bytes=3 * (WINDOW_BYTES + 100))
    counts = WindowCounts(storage)
    for name in ("a", "b", "c", "d"):
        await counts.hit(Rate(1, 60), name)
    assert len(storage._windows) == 3
    assert await counts.hit(Rate(1, 60), "a") is None
    assert await counts.hit(Rate(1, 60), "d") is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("testclient", "other", False),
        (None, "", True),
    ],
)
def test_a_network_of_ipv6_is_one_client(one: str | None, other: str | None, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


# --- several processes -------------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["server", "cluster"], scope="module")
def counting_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with running_redis(cluster=request.param) as server:
        yield server


def in_redis(client: RedisClient, clock: ManualClock, options: RateOptions = OPTIONS) -> RateLimiter:
    return RateLimiter(RedisCounts(client, WindowCounts(BoundedStorage(clock))), options)


@pytest.fixture
async def processes(counting_server: RedisServer, clock: ManualClock) -> AsyncIterator[list[RateLimiter]]:
    """Three, each with a connection of its own."""
    counting_server.command("FLUSHALL")
    options = RedisOptions(url=counting_server.url, timeout=timedelta(seconds=10), failures_allowed=1)
    async with (
        RedisClient.open(options, clock) as one,
        RedisClient.open(options, clock) as two,
        RedisClient.open(options, clock) as three,
    ):
        yield [in_redis(client, clock) for client in (one, two, three)]


async def test_processes_count_together(processes: list[RateLimiter]) -> None:
    counts: list[int] = []

    async def ask(limiter: RateLimiter) -> None:
        counts.append(await admitted(limiter, ANA, times=5))

    async with anyio.create_task_group() as tasks:
        for limiter in processes:
            tasks.start_soon(ask, limiter)
    assert sum(counts) == 5
    with pytest.raises(RateLimited) as refusal:
        await processes[0].admit_request(ANA, None)
    assert 1 <= refusal.value.retry_after <= 60


async def test_without_redis_each_counts_for_itself_and_nobody_sees_an_error(
    processes: list[RateLimiter], counting_server: RedisServer, clock: ManualClock
) -> None:
    assert await admitted(processes[0], ANA) == 5
    counting_server.kill()
    try:
        assert [await admitted(limiter, ANA) for limiter in processes] == [5, 5, 5]
    finally:
        counting_server.start()
    clock.advance(timedelta(seconds=5))
    assert sum([await admitted(limiter, BEN, times=5) for limiter in processes]) == 5, "they count together again"


@pytest.mark.parametrize("forged", ["x", "-7", "inf", "1e999", "9" * 400])
async def test_what_is_no_number_is_no_error(
    processes: list[RateLimiter], counting_server: RedisServer, forged: str
) -> None:
    await admitted(processes[0], ANA)
    for key in counting_server.command("KEYS *").decode().split("\r\n")[2::2]:
        counting_server.command(f"SET {key} {forged}")
    assert await admitted(processes[0], ANA) >= 0
