"""Somebody else writes to Redis: nothing that they write is shown, and none of it decides who may see what."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from attrs import define, frozen
from tests.cache.sites import ANA, VISITOR, Site, a_gallery, settled
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.processes import SECRET, running_process
from tests.support.servers.redis import RedisServer

import redis
from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.cache import tiers
from imagegallery.cache.policy import GALLERY
from imagegallery.cache.protocol import Entry
from imagegallery.cache.redis import RedisCache
from imagegallery.cache.seal import MAC_BYTES, Seal
from imagegallery.cache.stale_while_revalidate import EVERYTHING, CacheResult
from imagegallery.errors import NotFound
from imagegallery.principal import Principal
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions

SHARED, MISS = CacheResult.SHARED, CacheResult.MISS
Server = redis.Redis
Forge = Callable[[Server], None]


@frozen
class Scene:
    """Two processes, of which the first has shared what it has shown of a public and of a private gallery."""

    one: Site
    two: Site
    public: UUID
    private: UUID
    pages: tuple[bytes, bytes]

    async def look_again(self) -> list[CacheResult]:
        """What the second shows when it has nothing in memory: what there is to show, to whom it may be shown."""
        await self.two.process.cache.bump(EVERYTHING)
        found = [
            await self.two.gallery(self.public),
            await self.two.gallery(self.private, ANA),
            await self.two.images(self.public),
            await self.two.images(self.public, self.pages[0].decode()),
        ]
        assert [each.body for each in found] == [b"Lisbon", b"Secret", *self.pages]
        for nosy in (VISITOR, Principal.user("ben")):
            with pytest.raises(NotFound):
                await self.two.gallery(self.private, nosy)
        return [each.result for each in found]


@pytest.fixture
def server(redis_server: RedisServer) -> Iterator[Server]:
    with redis.Redis(port=redis_server.port) as server:
        server.flushall()
        yield server


@pytest.fixture
async def scene(
    database_dsn: str,
    library: Library,
    clock: ManualClock,
    redis_server: RedisServer,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:
    monkeypatch.setattr(tiers, "PATIENCE_SECONDS", 0.05)
    # What it refuses to answer must not have it left alone: then nothing would be looked at.
    options = RedisOptions(url=redis_server.url, timeout=timedelta(seconds=10), failures_allowed=10**6)

    @asynccontextmanager
    async def site() -> AsyncIterator[Site]:
        async with running_process(database_dsn, clock, redis=options) as process:
            yield Site(library, process)

    async with site() as one, site() as two:
        public = await a_gallery(library, one, two)
        await library.add_image(make_image(), public)
        private = (await library.galleries.create(ANA, name="Secret")).id
        await settled(one.process, two.process)
        await one.gallery(public)
        await one.gallery(private, ANA)
        first = await one.images(public)
        second = await one.images(public, first.body.decode())
        yield Scene(one, two, public, private, (first.body, second.body))


def keys_like(server: Server, pattern: str) -> list[bytes]:
    return sorted(key for key in server.keys(pattern) if isinstance(key, bytes))


def entries(server: Server) -> list[bytes]:
    return keys_like(server, "*:entry:*")


def sealed(server: Server, key: bytes) -> bytes:
    found = server.hget(key, "sealed") if b":entry:" in key else server.get(key)
    assert isinstance(found, bytes)
    return found


def resealed(server: Server, change: Callable[[bytes], bytes]) -> None:
    """Change what is sealed, of every entry and value."""
    for key in entries(server):
        server.hset(key, "sealed", change(sealed(server, key)))
    for key in keys_like(server, "*:value"):
        server.set(key, change(sealed(server, key)))


def other_body(server: Server) -> None:
    resealed(server, lambda whole: whole + b"!")


def other_head(server: Server) -> None:
    resealed(server, lambda whole: whole[:MAC_BYTES] + b"9" + whole[MAC_BYTES:])


def no_seal(server: Server) -> None:
    resealed(server, lambda whole: whole[MAC_BYTES:])


def nothing(server: Server) -> None:
    resealed(server, lambda _: b"")


def with_own_seal(server: Server) -> None:
    stranger = Seal([b"a secret of somebody else's"])
    for key in entries(server):
        forged = sealed(server, key)[MAC_BYTES:].replace(b"Lisbon", b"Moscow")
        server.hset(key, "sealed", stranger.close(key.decode(), forged))


def one_for_another(server: Server) -> None:
    """Every entry under the next one's name, where it looks as if it had been made there."""
    keys = entries(server)
    whole = [sealed(server, key) for key in keys]
    for key, other in zip(keys, whole[1:] + whole[:1], strict=True):
        server.hset(key, "sealed", other)


def as_it_was_written_before_seals(server: Server) -> None:
    for key in entries(server):
        server.hdel(key, "sealed")
        server.hset(key, mapping={"body": "Moscow", "digest": "0" * 32, "snapshot": "x 1:1:"})
        server.hset(key, mapping={"madeAt": "0", "staleAt": "9000000000000", "expiresAt": "9000000000000"})


def of_another_type(server: Server) -> None:
    for key in keys_like(server, "*"):
        server.delete(key)
        server.lpush(key, "Moscow")


def locked(server: Server) -> None:
    take_locks(server)
    server.delete(*entries(server))


def take_locks(server: Server) -> None:
    for key in entries(server):
        server.set(key.replace(b":entry:", b":lock:"), "mine", px=600_000)


def generations_are(text: str) -> Forge:
    def forge(server: Server) -> None:
        for key in keys_like(server, "*:generation"):
            server.set(key, text)

    return forge


FORGERIES = [
    other_body,
    other_head,
    no_seal,
    nothing,
    with_own_seal,
    one_for_another,
    as_it_was_written_before_seals,
    of_another_type,
    locked,
    *[
        generations_are(text)
        for text in ("", "x", "-7", "1.5", "inf", "nan", "9" * 16, "9" * 17, "9" * 5000, "\0", "é")
    ],
]


@define
class Backup:
    """All that Redis holds, to be put back."""

    held: dict[bytes, bytes]

    @classmethod
    def of(cls, server: Server) -> "Backup":
        return cls({key: server.dump(key) or b"" for key in keys_like(server, "*")})

    def restore(self, server: Server) -> None:
        server.flushall()
        for key, dumped in self.held.items():
            server.restore(key, 0, dumped)


async def test_nothing_that_is_forged_changes_what_is_shown_or_to_whom(scene: Scene, server: Server) -> None:
    backup = Backup.of(server)
    assert await scene.look_again() == [SHARED] * 4, "what is not forged is believed"
    for forge in FORGERIES:
        backup.restore(server)
        forge(server)
        assert await scene.look_again() == [MISS] * 4, forge
        await scene.one.process.cache.bump(EVERYTHING)
        assert await scene.one.name(scene.public) == "Lisbon"


async def test_who_may_see_a_gallery_is_not_asked_of_redis(
    scene: Scene, redis_server: RedisServer, clock: ManualClock
) -> None:
    """Not even of what has our seal: the page that visitors would see is there, if only they were let in."""
    assert scene.two.process.floors is not None
    snapshot = str(scene.two.process.floors.of(str(scene.private)))
    facts = Facts("ana", Visibility.PUBLIC).to_bytes()
    async with RedisClient.open(RedisOptions(url=redis_server.url), clock) as client:
        cache = RedisCache(client, Seal([SECRET]))
        for key, body in (("access", facts), ("public/others/gallery", b"Secret")):
            lease = await cache.claim(str(scene.private), key, seconds=10)
            assert lease is not None
            assert await cache.publish(lease, Entry(body, clock()), snapshot, age=0, lifetime=GALLERY)
    await scene.look_again()


async def test_what_is_kept_beyond_its_time_is_not_shown(scene: Scene, server: Server, clock: ManualClock) -> None:
    backup = Backup.of(server)
    clock.advance(GALLERY.whole)
    backup.restore(server)
    take_locks(server)  # whoever cannot make it anew takes what is stale
    assert await scene.look_again() == [MISS] * 4


def test_a_seal_opens_under_its_name_and_with_its_secret_alone() -> None:
    old, new = b"the old secret, in use until now", b"the new secret"
    sealed = Seal([old]).close("name", b"content")
    assert Seal([new, old]).open("name", sealed) == b"content", "while they are being changed"
    assert Seal([old]).open("name", Seal([new, old]).close("name", b"content")) is None, "the first closes"
    assert Seal([new]).open("name", sealed) is None
    for name, forged in (("nam", b"e" + sealed), ("name", sealed[:-1]), ("name", b""), ("other", sealed)):
        assert Seal([old]).open(name, forged) is None
