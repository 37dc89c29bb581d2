"""What shares grant principals on galleries, kept in this process: a hit needs no query.

What is kept ends with any change of the gallery or of its shares (`GalleryChanges`), and by the clock where a grant
expires. While nothing is heard of changes, nothing is kept.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import anyio
from attrs import evolve, frozen

from imagegallery.access import records
from imagegallery.access.decision import Facts, is_looked_up, is_public
from imagegallery.access.grant import Grant
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.policy import GALLERY, Serve, decide
from imagegallery.cache.protocol import Entry
from imagegallery.cache.stale_while_revalidate import RevalidatingCache
from imagegallery.clock import Clock
from imagegallery.common.bounded import BoundedMap
from imagegallery.database.pool import Database
from imagegallery.principal import Principal

MAX_BYTES: Final = 4 * 2**20
# Who is granted nothing displaces only others like them, however many come.
MAX_BYTES_OF_STRANGERS: Final = 2**20
# The size of an entry besides its texts, and of one grant, rounded up.
_ENTRY_OVERHEAD: Final = 500
_GRANT_SIZE: Final = 300

_Key = tuple[str, str]  # the gallery's group with its generation, and who asks


@frozen
class _Kept:
    grants: tuple[Grant, ...]
    stored_at: datetime


class KeptGrants:
    """Adds to the facts about galleries what shares grant who asks."""

    def __init__(self, database: Database, cache: RevalidatingCache, changes: GalleryChanges, clock: Clock) -> None:
        self._database = database
        self._cache = cache
        self._changes = changes
        self._clock = clock
        self._given: BoundedMap[_Key, _Kept] = BoundedMap(MAX_BYTES, _size_of)
        self._none: BoundedMap[_Key, _Kept] = BoundedMap(MAX_BYTES_OF_STRANGERS, _size_of)
        self._loads: WeakValueDictionary[_Key, anyio.Lock] = WeakValueDictionary()

    @property
    def size(self) -> int:
        """The bytes held."""
        return self._given.size + self._none.size

    async def on_gallery(self, principal: Principal, gallery_id: UUID, facts: Facts) -> Facts:
        """The facts with the principal's live grants. One query serves all who wait for the same."""
        if not is_looked_up(principal, facts):
            return facts
        # Part of the key before the load begins: what is read before a change, and kept after it, nobody finds.
        key = await self._key(principal, gallery_id)
        kept = self._find(key)
        if kept is None:
            lock = self._loads.setdefault(key, anyio.Lock())
            async with lock:
                kept = self._find(key) or await self._load(principal, gallery_id, facts, key)
        return self._with(facts, kept)

    async def find(self, principal: Principal, gallery_id: UUID, facts: Facts) -> Facts | None:
        """The same, or ``None`` if it would have to be read."""
        if not is_looked_up(principal, facts):
            return facts
        kept = self._find(await self._key(principal, gallery_id))
        return None if kept is None else self._with(facts, kept)

    async def _key(self, principal: Principal, gallery_id: UUID) -> _Key:
        return await self._cache.generation(str(gallery_id)), _who(principal)

    def _find(self, key: _Key) -> _Kept | None:
        kept = self._given.get(key) or self._none.get(key)
        if kept is None or not self._changes.is_listening:
            return None
        decision = decide(Entry(b"", kept.stored_at), GALLERY, self._clock(), is_listening=True)
        return kept if isinstance(decision, Serve) else None

    async def _load(self, principal: Principal, gallery_id: UUID, facts: Facts, key: _Key) -> _Kept:
        now = self._clock()
        async with self._database.reading(principal) as connection:
            read = await records.on_gallery(connection, principal, gallery_id, facts, now=now)
        kept = _Kept(read.grants, now)
        if kept.grants:
            self._given.put(key, kept)
        elif is_public(facts):  # to be refused takes as long as where there is none
            self._none.put(key, kept)
        return kept

    def _with(self, facts: Facts, kept: _Kept) -> Facts:
        if not kept.grants:
            return facts
        now = self._clock()
        return evolve(facts, grants=tuple(each for each in kept.grants if each.is_live(now)))


def _who(principal: Principal) -> str:
    """Names all whom shares can grant the same, in a length that does not depend on them."""
    if principal.link is not None:
        return f"link {principal.link.share_id}"
    names = "\0".join((principal.user_id or "", *sorted(principal.emails), "", *sorted(principal.groups)))
    return sha256(names.encode()).hexdigest()


def _size_of(key: _Key, kept: _Kept) -> int:
    return sum(map(len, key)) + _ENTRY_OVERHEAD + len(kept.grants) * _GRANT_SIZE
