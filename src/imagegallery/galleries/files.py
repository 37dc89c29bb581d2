"""The files of a gallery by its own addresses, which say whose they are.

So one cookie opens them all, and a cache in front knows which rule to ask for.
"""

import hmac
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from imagegallery.access import file_records as records
from imagegallery.access.hotlinks import ANY_PAGE, AskingPage, EdgeCheck, GalleryFileAccess, HotlinkRule
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.policy import GALLERY
from imagegallery.cache.stale_while_revalidate import RevalidatingCache
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.delivery.protocol import ReadsCookies
from imagegallery.errors import NotFound
from imagegallery.galleries.gallery import Gallery
from imagegallery.images.presentation.urls import gallery_folder
from imagegallery.policies.in_force import PolicyInForce

_FILE: Final = "file"


class GalleryFiles:
    """Decides about them. What it keeps ends with any change of the gallery (`GalleryChanges`)."""

    def __init__(
        self,
        database: Database,
        cache: RevalidatingCache,
        changes: GalleryChanges,
        cookies: ReadsCookies,
        options: DeliveryOptions,
        governing: PolicyInForce,
        clock: Clock,
    ) -> None:
        self._governing = governing
        self._database = database
        self._cache = cache
        self._changes = changes
        self._cookies = cookies
        self._ttl = options.private_url_ttl
        self._edge_secret = None if options.edge_secret is None else options.edge_secret.encode()
        self._clock = clock

    async def cache_control(
        self,
        gallery_id: UUID,
        key: str,
        page: AskingPage,
        own: frozenset[str],
        *,
        cookies: Mapping[str, str],
        edge: tuple[str | None, str | None] = (None, None),
    ) -> str:
        """How the file with this ``key`` may be kept by the client, which may have it.

        Args:
            own: The service's own origins.
            cookies: Those of the request.
            edge: The secret that a cache in front has sent, and what it has checked.

        Raises:
            NotFound: If there is no such file in the gallery, or the client may not know of it.
            HotlinkRefused: If that page may not show it.
        """
        if not (key.isascii() and key.isprintable()):  # none of ours
            raise NotFound.of("file")
        end, checked = self._cookies.end_of(cookies, gallery_folder(gallery_id)), self._edge(*edge)
        is_let_in = end is not None or checked is EdgeCheck.COOKIES
        access = await self._access(gallery_id, key, is_let_in=is_let_in)
        access = access.under(hotlinks=(await self._governing.get()).hotlinks)
        lasts = None if end is None else end - self._clock()
        return access.cache_control(page, own, edge=checked, cookie_lasts=lasts, ttl=self._ttl)

    async def rule_of(self, gallery: Gallery | None) -> HotlinkRule:
        """The pages that may show what everybody may see of this gallery, or of what is in none."""
        origins = None if gallery is None else gallery.allowed_origins
        rule = ANY_PAGE if origins is None else HotlinkRule(frozenset(origins))
        return rule.under(hotlinks=(await self._governing.get()).hotlinks)

    async def _access(self, gallery_id: UUID, key: str, *, is_let_in: bool) -> GalleryFileAccess:
        """Raises `NotFound`, which takes the same of a private gallery as where there is none: no answer is kept for
        those who are not let in."""
        await self._changes.catch_up()

        async def load() -> bytes:
            async with self._database.connection() as connection:
                found = await records.of_gallery_file(connection, gallery_id, key)
            if found is None or (found.is_private and not is_let_in):
                raise NotFound.of("file")
            return found.to_bytes()

        # From this process's memory or the database: what decides on access comes from nowhere else.
        answer = await self._cache.get(
            str(gallery_id),
            f"{_FILE}/{key}",
            GALLERY,
            load,
            is_listening=self._changes.is_listening,
            may_be_shared=False,
        )
        access = GalleryFileAccess.from_bytes(answer.entry.body)
        if access.is_private and not is_let_in:
            access = GalleryFileAccess.from_bytes(await load())
        return access

    def _edge(self, secret: str | None, checked: str | None) -> EdgeCheck | None:
        """What a cache in front has checked, if it is ours."""
        if self._edge_secret is None or secret is None or checked is None or checked not in [*EdgeCheck]:
            return None
        is_ours = hmac.compare_digest(secret.encode(errors="replace"), self._edge_secret)
        return EdgeCheck(checked) if is_ours else None
