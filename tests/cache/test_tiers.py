"""Two processes with one Redis: what is shared, what is not believed, and what it costs when Redis is away.

Each process has its own database pool, memory, ears and connection to Redis; `settle` is what the tests
wait with until word of a change has come.
"""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import anyio
import anyio.lowlevel
import pytest
from tests.cache.sites import ANA, VISITOR, Site, a_gallery, settled
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.processes import deafen, running_process, settle
from tests.support.servers.redis import RedisServer

from imagegallery.cache import generations, tiers
from imagegallery.cache.redis import RedisCache
from imagegallery.cache.shared import SharedEntry
from imagegallery.cache.stale_while_revalidate import CacheResult
from imagegallery.errors import NotFound
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions

HIT, STALE, SHARED, MISS = CacheResult.HIT, CacheResult.STALE, CacheResult.SHARED, CacheResult.MISS
REST = timedelta(seconds=5)


@pytest.fixture
def timeout(request: pytest.FixtureRequest) -> timedelta:
    """How long Redis is waited for: short where it will not answer."""
    return timedelta(seconds=1 if "silent" in request.node.name else 10)


StartSite = Callable[[], AbstractAsyncContextManager[Site]]


@pytest.fixture
def start_site(
    database_dsn: str, library: Library, clock: ManualClock, redis_server: RedisServer, timeout: timedelta
) -> StartSite:
    redis_server.command("FLUSHALL")

    @asynccontextmanager
    async def start() -> AsyncIterator[Site]:
        options = RedisOptions(url=redis_server.url, timeout=timeout, failures_allowed=1, rest=REST)
        async with running_process(database_dsn, clock, redis=options) as process:
            await settled(process)
            yield Site(library, process)

    return start


@pytest.fixture
async def one(start_site: StartSite) -> AsyncIterator[Site]:
    async with start_site() as site:
        yield site


@pytest.fixture
async def two(start_site: StartSite) -> AsyncIterator[Site]:
    async with start_site() as site:
        yield site


async def test_what_one_process_made_the_other_does_not(library: Library, one: Site, two: Site) -> None:
    gallery_id = await a_gallery(library, one, two)
    made, found = await one.gallery(gallery_id), await two.gallery(gallery_id)
    assert (made.result, found.result) == (MISS, SHARED)
    assert (found.body, found.digest) == (made.body, made.digest)
    assert (one.loads, two.loads) == (1, 0)
    assert (await two.gallery(gallery_id)).result is HIT


async def test_what_is_in_memory_costs_redis_nothing(
    library: Library, one: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery_id = await a_gallery(library, one)
    ticket = (await one.gallery(gallery_id)).ticket
    assert ticket is not None
    asked: list[object] = []
    monkeypatch.setattr(RedisClient, "run", lambda _client, call: asked.append(call))
    for _ in range(100):
        assert (await one.gallery(gallery_id)).result is HIT
        assert await one.process.pages.find(VISITOR, ticket) is not None
    assert asked == []


async def test_many_in_many_processes_cause_one_load(
    library: Library, start_site: StartSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("PATIENCE_SECONDS", "LOCK_SECONDS"):
        monkeypatch.setattr(tiers, limit, 300.0)
    async with start_site() as one, start_site() as two, start_site() as three:
        sites = [one, two, three]
        gallery_id = await a_gallery(library, *sites)
        for site in sites:
            site.gate = anyio.Event()
        async with anyio.create_task_group() as tasks:
            for site in sites:
                for _ in range(50):
                    tasks.start_soon(site.gallery, gallery_id)
            with anyio.fail_after(30):
                while not any(site.loads for site in sites):
                    await anyio.sleep(0.01)
            for site in sites:
                site.gate.set()
        assert sum(site.loads for site in sites) == 1


async def test_who_gets_the_right_after_it_was_used_finds_what_was_made(
    library: Library, one: Site, two: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery_id = await a_gallery(library, one, two)
    look, looked = RedisCache.look, list[str]()

    async def overtaken(self: RedisCache, group: str, key: str) -> SharedEntry | None:
        found = await look(self, group, key)
        looked.append(key)
        if looked == [key]:
            await one.gallery(gallery_id)
        return found

    monkeypatch.setattr(RedisCache, "look", overtaken)
    assert (await two.gallery(gallery_id)).result is SHARED
    assert (one.loads, two.loads) == (1, 0)
    await one.rename(gallery_id, "Porto")
    await settled(one.process, two.process)
    assert await two.name(gallery_id) == "Porto", "and the right was given back"


async def test_who_waits_too_long_for_another_process_loads_by_itself(
    library: Library, one: Site, two: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery_id = await a_gallery(library, one, two)
    monkeypatch.setattr(tiers, "PATIENCE_SECONDS", 0.1)
    one.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.gallery, gallery_id)
        with anyio.fail_after(30):
            while not one.loads:
                await anyio.sleep(0.01)
            assert await two.name(gallery_id) == "Lisbon"
        one.gate.set()
    assert two.loads == 1


async def test_a_load_that_fails_leaves_no_lock_behind(library: Library, one: Site, two: Site) -> None:
    gallery_id = await a_gallery(library, one, two)
    await library.galleries.delete(ANA, gallery_id)
    await settled(one.process, two.process)
    with anyio.fail_after(tiers.PATIENCE_SECONDS):
        for site in (one, two):
            with pytest.raises(NotFound):
                await site.gallery(gallery_id)


async def test_what_is_stale_is_served_while_another_process_makes_it_anew(
    library: Library, one: Site, two: Site, clock: ManualClock, redis_server: RedisServer
) -> None:
    gallery_id = await a_gallery(library, one, two)
    await one.gallery(gallery_id)
    await two.gallery(gallery_id)
    clock.advance(timedelta(seconds=310))
    assert (await two.gallery(gallery_id)).result is STALE


# --- what must not be believed -----------------------------------------------------------------------------


async def test_a_change_is_seen_by_who_made_it_at_once_and_by_others_once_they_heard(
    library: Library, one: Site, two: Site
) -> None:
    gallery_id = await a_gallery(library, one, two)
    for name in ("Lisboa", "Lissabon", "Lisbonne"):
        await two.name(gallery_id)
        await one.rename(gallery_id, name)
        assert await one.name(gallery_id) == name
        await settle(two.process.changes)
        assert await two.name(gallery_id) == name


async def test_what_was_read_before_a_change_and_published_after_it_is_not_believed(
    library: Library, one: Site, two: Site
) -> None:
    gallery_id = await a_gallery(library, one, two)
    one.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.gallery, gallery_id)  # reads "Lisbon" and is slow to say so
        with anyio.fail_after(30):
            while not one.loads:
                await anyio.sleep(0.01)
        # By somebody who tells Redis nothing: psql, say.
        async with library.database.connection() as connection:
            await connection.execute("UPDATE galleries SET name = 'Lisboa'")
        await settled(one.process, two.process)
        one.gate.set()
    assert await two.name(gallery_id) == "Lisboa"
    assert await one.name(gallery_id) == "Lisboa"


async def test_a_process_that_starts_believes_nothing_from_before(
    library: Library, one: Site, start_site: StartSite
) -> None:
    gallery_id = await a_gallery(library, one)
    await one.name(gallery_id)
    await deafen(one.process)
    async with library.database.connection() as connection:
        await connection.execute("UPDATE galleries SET name = 'Lisboa'")
    async with start_site() as late:
        assert await late.name(gallery_id) == "Lisboa"


async def test_a_change_while_redis_was_down_is_seen_when_it_is_back_with_all_that_it_had(
    library: Library, one: Site, two: Site, clock: ManualClock, redis_server: RedisServer
) -> None:
    """As after a failover to a replica that had not heard of the change: old entries, old generations."""
    gallery_id = await a_gallery(library, one, two)
    await one.name(gallery_id)
    await two.name(gallery_id)
    redis_server.command("SAVE")
    redis_server.kill()
    try:
        await one.rename(gallery_id, "Lisboa")
        assert await one.name(gallery_id) == "Lisboa"
        await settled(one.process, two.process)
    finally:
        redis_server.start()
        redis_server.dump.unlink()
    clock.advance(REST)
    assert b":1\r\n" in redis_server.command("EXISTS " + _entry_key(redis_server)), "the old entry is back"
    assert await two.name(gallery_id) == "Lisboa"
    assert await one.name(gallery_id) == "Lisboa"


def _entry_key(server: RedisServer) -> str:
    keys = server.command("KEYS *").split(b"\r\n")
    return next(key.decode() for key in keys if b":entry:" in key)


async def test_a_change_after_which_an_older_redis_took_over_stays_seen(
    library: Library, one: Site, two: Site, redis_server: RedisServer, tmp_path: Path
) -> None:
    gallery_id = await a_gallery(library, one, two)
    await one.name(gallery_id)
    redis_server.command("SAVE")
    shutil.move(redis_server.dump, tmp_path / "old.rdb")
    await one.rename(gallery_id, "Lisboa")
    assert await one.name(gallery_id) == "Lisboa"
    await settled(two.process)
    redis_server.kill()
    shutil.move(tmp_path / "old.rdb", redis_server.dump)
    redis_server.start()
    redis_server.dump.unlink()
    assert await two.name(gallery_id) == "Lisboa"


@pytest.mark.parametrize("how", ["killed", "silent", "emptied"])
async def test_without_redis_it_is_slower_and_correct(
    library: Library, one: Site, two: Site, clock: ManualClock, redis_server: RedisServer, how: str
) -> None:
    gallery_id = await a_gallery(library, one, two)
    await one.name(gallery_id)
    {"killed": redis_server.kill, "silent": redis_server.pause, "emptied": redis_server.restart}[how]()
    try:
        for number in range(5):
            await one.rename(gallery_id, f"Lisbon {number}")
            assert await one.name(gallery_id) == f"Lisbon {number}"
            await settle(two.process.changes)
            assert await two.name(gallery_id) == f"Lisbon {number}"
    finally:
        if how == "killed":
            redis_server.start()
        if how == "silent":
            redis_server.resume()
    await until_shared(gallery_id, one, two, clock)


async def until_shared(gallery_id: UUID, one: Site, two: Site, clock: ManualClock) -> None:
    """Redis is used again, once each process has found out that it is back."""
    with anyio.fail_after(60):
        for number in itertools.count():
            clock.advance(REST)
            await one.rename(gallery_id, f"Lisboa {number}")
            await settled(one.process, two.process)
            assert await one.name(gallery_id) == f"Lisboa {number}"
            found = await two.gallery(gallery_id)
            assert found.body == f"Lisboa {number}".encode()
            if found.result is SHARED:
                return


# --- word through Redis ------------------------------------------------------------------------------------


async def test_who_is_deaf_to_the_database_hears_of_changes_through_redis(
    library: Library, one: Site, two: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery_id = await a_gallery(library, one, two)
    assert await two.name(gallery_id) == "Lisbon"
    monkeypatch.setattr(generations, "PAUSE", timedelta(hours=1))  # it stays deaf
    await deafen(two.process)
    assert await two.name(gallery_id) == "Lisbon"
    await one.rename(gallery_id, "Lisboa")
    with anyio.fail_after(30):
        while await two.name(gallery_id) != "Lisboa":
            await anyio.sleep(0.01)


async def test_who_is_deaf_believes_nothing_that_is_shared(
    library: Library, one: Site, two: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery_id = await a_gallery(library, one, two)
    await one.name(gallery_id)
    monkeypatch.setattr(generations, "PAUSE", timedelta(hours=1))
    await deafen(two.process)
    assert (await two.gallery(gallery_id)).result is MISS


async def test_a_list_that_another_process_made_leads_on_from_page_to_page(
    library: Library, one: Site, two: Site
) -> None:
    gallery_id = await a_gallery(library, one, two)
    await library.add_image(make_image(), gallery_id)
    await settled(one.process, two.process)

    first = await one.images(gallery_id)
    second = await one.images(gallery_id, first.body.decode())
    for cursor in (None, first.body.decode()):
        assert (await two.images(gallery_id, cursor)).result is SHARED
    assert second.result is MISS
