"""Which variants everybody may fetch, and which pages may show them. Kept like lists: one in demand costs no query. One
that is closed costs as much as one that was never there.
"""

from typing import Final

from imagegallery.access.hotlinks import HotlinkRule
from imagegallery.cache.generations import GalleryChanges, library_group
from imagegallery.cache.policy import GALLERY
from imagegallery.cache.stale_while_revalidate import RevalidatingCache
from imagegallery.common.bounded import BoundedMap
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.images.image import records
from imagegallery.policies.in_force import PolicyInForce

MAX_BYTES: Final = 4 * 2**20
# The size of an entry besides its texts, rounded up.
_ENTRY_OVERHEAD: Final = 300


class PublicFiles:
    """Decides about public URLs. What it keeps ends with any change of its owner's library (`GalleryChanges`)."""

    def __init__(
        self,
        database: Database,
        cache: RevalidatingCache,
        changes: GalleryChanges,
        governing: PolicyInForce | None = None,
    ) -> None:
        self._governing = governing
        self._database = database
        self._cache = cache
        self._changes = changes
        # Only of keys that are open. The owner of a variant never changes.
        self._groups: BoundedMap[str, str] = BoundedMap(MAX_BYTES, lambda key, _: len(key) + _ENTRY_OVERHEAD)

    async def find(self, key: str) -> HotlinkRule:
        """The pages that may show the variant with this ``key``.

        Raises:
            NotFound: Unless everybody may fetch it now.
        """
        if not (key.isascii() and key.isprintable()):  # none of ours
            raise NotFound.of("file")
        await self._changes.catch_up()
        group = self._groups.get(key) or (await self._read(key))[0]

        async def load() -> bytes:
            return (await self._read(key))[1].to_bytes()

        # From this process's memory or the database: what decides on access comes from nowhere else.
        answer = await self._cache.get(
            group, key, GALLERY, load, is_listening=self._changes.is_listening, may_be_shared=False
        )
        rule = HotlinkRule.from_bytes(answer.entry.body)
        return rule if self._governing is None else rule.under(hotlinks=(await self._governing.get()).hotlinks)

    async def _read(self, key: str) -> tuple[str, HotlinkRule]:
        """The group that it is kept in, and its rule now. Raises `NotFound`."""
        async with self._database.connection() as connection:
            found = await records.find_open_variant(connection, key)
        if found is None:
            self._groups.drop(key)
            raise NotFound.of("file")
        group = library_group(found[0])
        self._groups.put(key, group)
        return group, found[1]
