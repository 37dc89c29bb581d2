"""A cache that processes share: entries, generations and locks in Redis.

Where it lies, under ``redis.prefix``; ``{…}`` is the hash tag by which a cluster keeps a group in one slot, so that
each script touches one slot only. Names are hashed: whatever they hold, their length and characters are no matter here.

| key | type | what |
|---|---|---|
| ``PREFIX:{GROUP}:entry:KEY`` | hash | body, digest, snapshot, generation; when it was made, goes stale and expires |
| ``PREFIX:{GROUP}:lock:KEY`` | string | the token of the one process that is making the entry |
| ``PREFIX:{GROUP}:generation`` | string | a counter; entries of another generation are not found |
| ``PREFIX:{KEY}:value`` | string | what was `set` |
| ``PREFIX:changes`` | channel | the name of each group that is bumped |

All times (``madeAt``, ``staleAt``, ``expiresAt``) are milliseconds of Redis's own clock, so that those of the processes
need not agree. Everything expires.
"""

import secrets
from datetime import datetime
from hashlib import blake2b
from typing import Final, TypeAlias, cast

from redis.commands.core import AsyncScript

from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Entry
from imagegallery.cache.sharing import Lease, SharedEntry
from imagegallery.errors import Unavailable
from imagegallery.redis.client import RedisClient

# An entry lives for minutes; a generation that is forgotten after a day is missed by none.
GENERATION_SECONDS: Final = 86_400
_TIME: Final = "local t = redis.call('TIME'); local us = t[1] * 1000000 + t[2]; local ms = math.floor(us / 1000)\n"

# A number that was never given before: from the clock, unless the one before is ahead of it.
_NEXT: Final = """
local function put(key, number)
    local text = string.format('%.0f', number)
    redis.call('SET', key, text, 'EX', ARGV[1])
    return text
end
"""
_GENERATION: Final = f"""{_TIME}{_NEXT}
local known = redis.call('GET', KEYS[1])
if known then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
    return known
end
return put(KEYS[1], us)"""

_BUMP: Final = f"""{_TIME}{_NEXT}
return put(KEYS[1], math.max(us, (tonumber(redis.call('GET', KEYS[1])) or 0) + 1))"""

# An entry of the present generation, and what time it is.
_LOOK: Final = f"""{_TIME}
local e = redis.call('HMGET', KEYS[1], 'body', 'digest', 'snapshot', 'generation', 'madeAt', 'staleAt', 'expiresAt')
if not e[1] or e[4] ~= redis.call('GET', KEYS[2]) or tonumber(e[7]) <= ms then return false end
return {{e[1], e[2], e[3], ms - e[5], ms < tonumber(e[6]) and 1 or 0}}"""

# Only who holds the lock may write, and only if nobody bumped the generation meanwhile; the lock goes in any case.
_PUBLISH: Final = f"""{_TIME}
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local made = ms - ARGV[6]
local expires = made + ARGV[8]
if expires <= ms then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'body', ARGV[3], 'digest', ARGV[4], 'snapshot', ARGV[5], 'generation', ARGV[2],
    'madeAt', string.format('%.0f', made), 'staleAt', string.format('%.0f', made + ARGV[7]),
    'expiresAt', string.format('%.0f', expires))
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', expires))
return 1"""

# Compare and delete: a lock that ran out may be another's by now.
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

_Argument: TypeAlias = str | bytes | int


class RedisCache:
    """A `imagegallery.cache.sharing.SharedCache`.

    When Redis does not answer, `generation` and `bump` answer with a number that was never given before.
    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client
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
        found = await self._run(self._look, [self._entry_key(group, key), self._generation_key(group)])
        if found is None:
            return None
        body, digest, snapshot, age, is_fresh = cast(tuple[bytes, bytes, bytes, int, int], found)
        return SharedEntry(body, digest.decode(), snapshot.decode(), age / 1000, bool(is_fresh))

    async def claim(self, group: str, key: str, *, seconds: float) -> Lease | None:
        generation = await self._number(self._generation, group)
        token = secrets.token_hex(16)
        taken = await self._client.run(
            lambda: self._client.server.set(self._lock_key(group, key), token, nx=True, px=round(seconds * 1000))
        )
        return Lease(group, key, token, generation) if taken else None

    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        keys = [
            self._entry_key(lease.group, lease.key),
            self._generation_key(lease.group),
            self._lock_key(lease.group, lease.key),
        ]
        seconds = (age, lifetime.ttl.total_seconds(), lifetime.whole.total_seconds())
        times = [round(each * 1000) for each in seconds]
        published = await self._run(
            self._publish, keys, lease.token, lease.generation, entry.body, entry.digest, snapshot, *times
        )
        return bool(published)

    async def release(self, lease: Lease) -> None:
        await self._run(self._release, [self._lock_key(lease.group, lease.key)], lease.token)

    async def announce(self, group: str) -> None:
        await self._number(self._bump, group)
        await self._client.run(lambda: self._client.server.publish(self.channel, group))

    # --- a cache by itself ---------------------------------------------------------------------------------

    async def get(self, key: str) -> Entry | None:
        try:
            found = await self._client.run(lambda: self._client.server.get(self._value_key(key)))
        except Unavailable:
            return None
        if found is None:
            return None
        stored_at, digest, body = cast(bytes, found).split(b" ", 2)
        return Entry(body, datetime.fromisoformat(stored_at.decode()), digest.decode())

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        value = f"{entry.stored_at.isoformat()} {entry.digest} ".encode() + entry.body
        try:
            await self._client.run(
                lambda: self._client.server.set(self._value_key(key), value, px=round(ttl_seconds * 1000))
            )
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
        """The client's owner closes it."""

    # --- keys and calls ------------------------------------------------------------------------------------

    async def _number(self, script: AsyncScript, group: str) -> int:
        return int(cast(bytes, await self._run(script, [self._generation_key(group)], GENERATION_SECONDS)))

    async def _run(self, script: AsyncScript, keys: list[str], *arguments: _Argument) -> object:
        return await self._client.run(lambda: script(keys=keys, args=arguments))

    def _script(self, text: str) -> AsyncScript:
        return self._client.server.register_script(text)

    def _entry_key(self, group: str, key: str) -> str:
        return f"{self._tag(group)}:entry:{_hashed(key)}"

    def _lock_key(self, group: str, key: str) -> str:
        return f"{self._tag(group)}:lock:{_hashed(key)}"

    def _generation_key(self, group: str) -> str:
        return f"{self._tag(group)}:generation"

    def _value_key(self, key: str) -> str:
        return f"{self._tag(key)}:value"

    def _tag(self, group: str) -> str:
        return f"{self._client.prefix}:{{{_hashed(group)}}}"


def _hashed(name: str) -> str:
    return blake2b(name.encode(), digest_size=16).hexdigest()
