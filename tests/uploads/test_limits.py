"""How many uploads an owner may have open, how many they may begin, and that nothing stays taken when one has ended."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import anyio
import pytest
from tests.support.uploads import Uploading

from imagegallery.errors import BadImage, QuotaExceeded, TooLarge, TooManyUploads, UploadRateExceeded
from imagegallery.principal import Principal
from imagegallery.rates.counters import BoundedStorage, WindowCounts
from imagegallery.rates.limiter import RateLimiter
from imagegallery.rates.options import RateOptions
from imagegallery.uploads.session.policy import UploadPolicy

BOB = Principal.user("bob")
Slowly = Callable[[bytes, int], AsyncIterator[bytes]]


async def begin(uploading: Uploading, who: Principal | None = None, size: int = 10) -> UUID:
    session = await uploading.service.create(
        who or uploading.me, filename="a.jpg", content_type="image/jpeg", size=size
    )
    return session.id


@pytest.fixture
def two_open(uploading: Uploading) -> Uploading:
    return uploading.having(policy=UploadPolicy(max_open=2, storage_limit=10_000))


@pytest.fixture
def two_an_hour(uploading: Uploading) -> Uploading:
    counts = WindowCounts(BoundedStorage(uploading.clock))
    return uploading.having(rates=RateLimiter(counts, RateOptions(uploads="2/hour")))


# --- sessions open at once ---------------------------------------------------------------------------------


async def test_an_owner_has_no_more_sessions_open_than_may_be(two_open: Uploading) -> None:
    await begin(two_open)
    await begin(two_open)
    with pytest.raises(TooManyUploads) as refusal:
        await begin(two_open)
    assert refusal.value.details == {"limit": 2}
    await begin(two_open, BOB)


async def test_sessions_that_begin_at_once_are_not_more_than_may_be(uploading: Uploading) -> None:
    few = uploading.having(policy=UploadPolicy(max_open=7))
    begun, refused = 0, 0

    async def begin_one() -> None:
        nonlocal begun, refused
        try:
            await begin(few)
        except TooManyUploads:
            refused += 1
        else:
            begun += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(begin_one)
    assert (begun, refused) == (7, 43)


async def _fill(two_open: Uploading) -> list[UUID]:
    """Two sessions that take every slot and every byte."""
    return [await begin(two_open, size=5_000), await begin(two_open, size=5_000)]


async def _is_free(two_open: Uploading) -> bool:
    try:
        await begin(two_open, size=5_000)
    except (TooManyUploads, QuotaExceeded):
        return False
    return True


async def test_a_session_that_was_cancelled_takes_nothing(two_open: Uploading) -> None:
    first, _ = await _fill(two_open)
    assert not await _is_free(two_open)
    await two_open.service.cancel(two_open.me, first)
    assert await _is_free(two_open)


async def test_a_session_whose_file_was_refused_takes_nothing(two_open: Uploading) -> None:
    session = await two_open.service.create(two_open.me, filename="a.jpg", content_type="image/jpeg", size=5_000)
    await begin(two_open, size=5_000)
    await two_open.send(session.request, b"\xff\xd8\xff" + bytes(4_997))
    assert not await _is_free(two_open)
    with pytest.raises(BadImage):
        await two_open.service.complete(two_open.me, session.id)
    assert await _is_free(two_open)


async def test_a_session_that_is_over_time_takes_nothing_though_no_sweeper_came_by(two_open: Uploading) -> None:
    await _fill(two_open)
    two_open.clock.advance(two_open.policy.session_lifetime)
    assert await _is_free(two_open)


async def test_a_session_that_became_an_image_takes_its_bytes_and_no_slot(two_open: Uploading, jpeg: bytes) -> None:
    for _ in range(3):
        image = await two_open.service.add(two_open.me, jpeg)
        await two_open.library.delete_for_good(image)
    await _fill(two_open)


# --- uploads an hour ---------------------------------------------------------------------------------------


async def test_an_owner_begins_no_more_uploads_than_may_be(two_an_hour: Uploading, jpeg: bytes) -> None:
    await begin(two_an_hour)
    await two_an_hour.service.add(two_an_hour.me, jpeg)
    for attempt in (begin(two_an_hour), two_an_hour.service.add(two_an_hour.me, jpeg)):
        with pytest.raises(UploadRateExceeded) as refusal:
            await attempt
        assert 1 <= refusal.value.retry_after <= 3_600
    await begin(two_an_hour, BOB)
    two_an_hour.clock.advance(2 * two_an_hour.policy.session_lifetime)
    await begin(two_an_hour)


async def test_what_the_policy_refuses_is_not_counted(two_an_hour: Uploading) -> None:
    for _ in range(3):
        with pytest.raises(TooLarge):
            await begin(two_an_hour, size=two_an_hour.policy.max_size + 1)
    await begin(two_an_hour)
    await begin(two_an_hour)


# --- bytes that arrive without having been announced -------------------------------------------------------


async def test_a_file_of_unknown_size_is_cut_off_where_the_room_ends(
    uploading: Uploading, jpeg: bytes, slowly: Slowly
) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=len(jpeg) + 1_000))
    await begin(small, size=1_001)  # announced: its bytes have their place already
    taken = 0

    async def watched() -> AsyncIterator[bytes]:
        nonlocal taken
        async for chunk in slowly(jpeg + bytes(100_000), 100):
            taken += len(chunk)
            yield chunk

    before = await small.traces()
    with pytest.raises(QuotaExceeded):
        await small.service.add(small.me, watched())
    assert taken < len(jpeg) + 10_000, "it was not read to its end"
    assert await small.traces() == before


async def test_a_file_of_unknown_size_that_fits_comes_in(uploading: Uploading, jpeg: bytes, slowly: Slowly) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=len(jpeg)))
    assert (await small.service.add(small.me, slowly(jpeg, 100))).file_size == len(jpeg)
    with pytest.raises(QuotaExceeded):
        await small.service.add(small.me, slowly(jpeg, 100))


async def test_a_file_that_is_too_large_for_anybody_is_told_so(
    uploading: Uploading, slowly: Slowly, jpeg: bytes
) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=10**9, max_size=len(jpeg) - 1))
    with pytest.raises(TooLarge):
        await small.service.add(small.me, slowly(jpeg, 100))
