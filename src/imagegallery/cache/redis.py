"""A cache that processes share: entries, generations and locks in Redis.

Its keys are below ``redis.prefix``. ``{…}`` is the hash tag that keeps a group in one slot of a cluster, so that each
script uses one slot. Names are hashed, so they may have any length and characters.

| key | type | what |
|---|---|---|
| ``PREFIX:{GROUP}:entry:KEY`` | hash | ``sealed``: the entry; ``generation``: its group's, when its load began |
| ``PREFIX:{GROUP}:lock:KEY`` | string | the token of the one process that makes the entry |
| ``PREFIX:{GROUP}:generation`` | string | a counter; entries of other generations are not found |
| ``PREFIX:{KEY}:value`` | string | what was `set`, sealed |
| ``PREFIX:changes`` | channel | the name of each group that is bumped |

A sealed value (`imagegallery.cache.seal`) was written by a process with our secret, under this name. Nothing else is
trusted. A writer to Redis can at most make us do without the cache. Ages go by the clock that the processes
share. Everything expires.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, TypeAlias, cast

from attrs import frozen
from redis.commands.core import AsyncScript

from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Entry
from imagegallery.cache.seal import Seal
from imagegallery.cache.shared import Lease, SharedEntry
from imagegallery.clock import EPOCH, MICROSECOND
from imagegallery.errors import Unavailable
from imagegallery.redis.client import RedisClient

# The most by which two processes' clocks may differ. Entries from later than that are not ours.
LEEWAY: Final = timedelta(seconds=10)
# An entry lives for minutes, so a generation is not needed after a day.
GENERATION_SECONDS: Final = 86_400

# A number that was never used: the clock in microseconds, or more if the last one is ahead of it. Anything else is not
# from us.
_NEXT: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local known = redis.call('GET', KEYS[1])
if known and (#known > 16 or not string.match(known, '^%d+$')) then known = false end
local function put(number)
    local text = string.format('%.0f', number)
    redis.call('SET', KEYS[1], text, 'EX', ARGV[1])
    return text
end
"""
_GENERATION: Final = f"""{_NEXT}
if known then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
    return known
end
return put(now)"""

_BUMP: Final = f"""{_NEXT}
return put(math.max(now, (tonumber(known) or 0) + 1))"""

# An entry of the current generation.
_LOOK: Final = """
if redis.call('HGET', KEYS[1], 'generation') ~= redis.call('GET', KEYS[2]) then return false end
return redis.call('HGET', KEYS[1], 'sealed')"""

# Write only with the lock, and only if the group was not bumped meanwhile. The lock is released in any case.
_PUBLISH: Final = """
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
if redis.call('GET', KEYS[2]) ~= ARGV[2] or tonumber(ARGV[4]) <= 0 then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'sealed', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1"""

# Compare and delete: an expired lock may belong to another process by now.
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

_MILLISECOND: Final = timedelta(milliseconds=1)
_Argument: TypeAlias = str | bytes | int


@frozen
class _Sheet:
    """The sealed part of an entry: a line of data, then its body."""

    made_at: datetime
    lifetime: Lifetime
    digest: str
    snapshot: str
    body: bytes

    def to_bytes(self) -> bytes:
        times = (each // MICROSECOND for each in (self.made_at - EPOCH, self.lifetime.ttl, self.lifetime.stale))
        return f"{' '.join(map(str, times))} {self.digest} {self.snapshot}\n".encode() + self.body

    @classmethod
    def from_bytes(cls, content: bytes) -> "_Sheet":
        head, _, body = content.partition(b"\n")
        made, ttl, stale, digest, snapshot = head.decode().split(" ", 4)
        lifetime = Lifetime(int(ttl) * MICROSECOND, int(stale) * MICROSECOND)
        return cls(EPOCH + int(made) * MICROSECOND, lifetime, digest, snapshot, body)

    def at(self, now: datetime) -> SharedEntry | None:
        """The entry, unless it has expired or is from the future."""
        age = max(now - self.made_at, timedelta(0))
        if age >= self.lifetime.whole or self.made_at > now + LEEWAY:
            return None
        return SharedEntry(self.body, self.digest, self.snapshot, age.total_seconds(), age < self.lifetime.ttl)


class RedisCache:
    """A `imagegallery.cache.shared.SharedCache`.

    If Redis does not respond, `generation` and `bump` return a number that was never used.
    """

    def __init__(self, client: RedisClient, seal: Seal) -> None:
        self._client = client
        self._seal = seal
        self._generation = self._script(_GENERATION)
        self._bump = self._script(_BUMP)
        self._look = self._script(_LOOK)
        self._publish = self._script(_PUBLISH)
        self._release = self._script(_RELEASE)

    @property
    def channel(self) -> str:
        return f"{self._client.prefix}:changes"

    # --- entries that are shared ---------------------------------------------------------------------------

    async def look(self, group: str, key: str) -> SharedEntry | None:
        name = self._entry_key(group, key)
        content = self._unseal(name, await self._run(self._look, [name, self._generation_key(group)]))
        return None if content is None else _Sheet.from_bytes(content).at(self._client.clock())

    async def claim(self, group: str, key: str, *, seconds: float) -> Lease | None:
        generation = await self._number(self._generation, group)
        token = secrets.token_hex(16)
        taken = await self._client.run(
            lambda: self._client.server.set(self._lock_key(group, key), token, nx=True, px=round(seconds * 1000))
        )
        return Lease(group, key, token, generation) if taken else None

    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        name = self._entry_key(lease.group, lease.key)
        passed = timedelta(seconds=age)
        sheet = _Sheet(self._client.clock() - passed, lifetime, entry.digest, snapshot, entry.body)
        published = await self._run(
            self._publish,
            [name, self._generation_key(lease.group), self._lock_key(lease.group, lease.key)],
            lease.token,
            lease.generation,
            self._seal.close(name, sheet.to_bytes()),
            round((lifetime.whole - passed) / _MILLISECOND),
        )
        return bool(published)

    async def release(self, lease: Lease) -> None:
        await self._run(self._release, [self._lock_key(lease.group, lease.key)], lease.token)

    async def announce(self, group: str) -> None:
        await self._number(self._bump, group)
        await self._client.run(lambda: self._client.server.publish(self.channel, group))

    # --- a cache by itself ---------------------------------------------------------------------------------

    async def get(self, key: str) -> Entry | None:
        name = self._value_key(key)
        try:
            content = self._unseal(name, await self._client.run(lambda: self._client.server.get(name)))
        except Unavailable:
            return None
        if content is None:
            return None
        stored_at, digest, body = content.split(b" ", 2)
        return Entry(body, datetime.fromisoformat(stored_at.decode()), digest.decode())

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        name = self._value_key(key)
        sealed = self._seal.close(name, f"{entry.stored_at.isoformat()} {entry.digest} ".encode() + entry.body)
        try:
            await self._client.run(lambda: self._client.server.set(name, sealed, px=round(ttl_seconds * 1000)))
        except Unavailable:
            return

    async def generation(self, group: str) -> int:
        try:
            return await self._number(self._generation, group)
        except Unavailable:
            return -secrets.randbits(62) - 1

    async def bump(self, group: str) -> int:
        try:
            return await self._number(self._bump, group)
        except Unavailable:
            return -secrets.randbits(62) - 1

    async def aclose(self) -> None:
        """Do nothing: the client's owner closes it."""

    # --- keys and calls ------------------------------------------------------------------------------------

    async def _number(self, script: AsyncScript, group: str) -> int:
        return int(cast(bytes, await self._run(script, [self._generation_key(group)], GENERATION_SECONDS)))

    def _unseal(self, name: str, found: object) -> bytes | None:
        return self._seal.open(name, found) if isinstance(found, bytes) else None

    async def _run(self, script: AsyncScript, keys: list[str], *arguments: _Argument) -> object:
        return await self._client.run(lambda: script(keys=keys, args=arguments))

    def _script(self, text: str) -> AsyncScript:
        return self._client.server.register_script(text)

    def _entry_key(self, group: str, key: str) -> str:
        return f"{self._tag(group)}:entry:{_hash(key)}"

    def _lock_key(self, group: str, key: str) -> str:
        return f"{self._tag(group)}:lock:{_hash(key)}"

    def _generation_key(self, group: str) -> str:
        return f"{self._tag(group)}:generation"

    def _value_key(self, key: str) -> str:
        return f"{self._tag(key)}:value"

    def _tag(self, group: str) -> str:
        return f"{self._client.prefix}:{{{_hash(group)}}}"


def _hash(name: str) -> str:
    return blake2b(name.encode(), digest_size=16).hexdigest()
