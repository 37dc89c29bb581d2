"""Encoded pages of galleries and libraries, cached: a hit neither queries nor encodes.

The encoder (the HTTP package) names each kind of page. Of each there is one entry for the gallery's owner, one for
everybody, and one for all whom shares show the same of it. None outlives a change of visibility. Access is checked on
every call, with cached facts and grants that a change invalidates like the pages. A library is its owner's alone: its
pages are found by who asks.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.access import records
from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import Facts, audience, may_view
from imagegallery.access.disclosure import disclosure
from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import Permission
from imagegallery.cache.generations import ALL_GALLERIES, GalleryChanges, library_group
from imagegallery.cache.policy import GALLERY, IMAGE_PAGES, Lifetime, is_kept
from imagegallery.cache.protocol import Entry
from imagegallery.cache.stale_while_revalidate import CacheAnswer, CacheResult, RevalidatingCache
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.galleries.kept_grants import KeptGrants
from imagegallery.principal import Principal

_FIRST: Final = 1
_ACCESS: Final = "access"


@frozen
class ListPlace:
    """A page of the list ``name``: by its number, after a cursor, or otherwise the first.

    ``may_be_kept`` is false for lists that a client can invent, and nobody else will request.
    """

    name: str
    page: int | None = None
    cursor: str | None = None
    may_be_kept: bool = True


@frozen
class LoadedPage:
    """A page that was just encoded, and the next cursor."""

    body: bytes
    next_cursor: str | None = None


@frozen
class PageTicket:
    """The key of a page, for `CachedPages.find`. ``group`` is ``None`` for the library of the principal who asks."""

    group: str | None
    key: str
    lifetime: Lifetime


@frozen
class CachedPage:
    """A page.

    Attributes:
        digest: Identifies the bytes.
        is_shared: Whether everybody may get the bytes, and keep them for others.
        began_refresh: Whether the page is stale, and this call started its refresh.
        ticket: Its key.
    """

    body: bytes
    digest: str
    is_shared: bool
    result: CacheResult
    began_refresh: bool = False
    ticket: PageTicket | None = None

    @classmethod
    def of(cls, answer: CacheAnswer, ticket: PageTicket | None, *, is_shared: bool) -> "CachedPage":
        entry = answer.entry
        return cls(entry.body, entry.digest, is_shared, answer.result, answer.began_refresh, ticket)


LoadBody = Callable[[], Awaitable[bytes]]
LoadPage = Callable[[], Awaitable[LoadedPage]]


class CachedPages:
    """Each ``load`` calls a service for the principal and encodes the result. It may run after the call has ended.

    Its errors are raised here.
    """

    def __init__(
        self,
        database: Database,
        cache: RevalidatingCache,
        changes: GalleryChanges,
        clock: Clock,
        authority: Authority | None = None,
        sharing: SharingOptions | None = None,
    ) -> None:
        self._authority = authority or Authority()
        self._database = database
        self._cache = cache
        self._changes = changes
        self._clock = clock
        self._sharing = sharing or SharingOptions()
        self.grants = KeptGrants(database, cache, changes, clock)

    async def gallery(self, principal: Principal, gallery_id: UUID, name: str, load: LoadBody) -> CachedPage:
        """A gallery. Raises `NotFound`."""
        access = await self._access(principal, gallery_id)
        ticket = PageTicket(str(gallery_id), name, GALLERY)
        lifetime = self._lifetime(principal, access, GALLERY)
        answer = await self._get(str(gallery_id), _view(principal, access, name), lifetime, load)
        return CachedPage.of(answer, ticket, is_shared=self._is_shared(principal, access))

    async def images(self, principal: Principal, gallery_id: UUID, place: ListPlace, load: LoadPage) -> CachedPage:
        """A page of a gallery's images; the first three of each list that may be are kept.

        Raises `NotFound`.
        """
        access = await self._access(principal, gallery_id)
        ticket = PageTicket(str(gallery_id), _key(place.name, place), IMAGE_PAGES)
        name, lifetime = _view(principal, access, place.name), self._lifetime(principal, access, IMAGE_PAGES)
        answer, is_kept = await self._page(str(gallery_id), name, place, lifetime, load)
        return CachedPage.of(answer, ticket if is_kept else None, is_shared=self._is_shared(principal, access))

    async def library(self, principal: Principal, place: ListPlace, load: LoadPage) -> CachedPage:
        """A page of the principal's own images; the first three of each list that may be are kept, in this process.

        Raises `Unauthenticated` without a user.
        """
        group = library_group(principal.require_user())
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", principal.user_id))
        await self._changes.catch_up()
        answer, is_kept = await self._page(group, place.name, place, IMAGE_PAGES, load, may_be_shared=False)
        ticket = PageTicket(None, _key(place.name, place), IMAGE_PAGES) if is_kept else None
        return CachedPage.of(answer, ticket, is_shared=False)

    async def find(self, principal: Principal, ticket: PageTicket) -> CachedPage | None:
        """A page that is fresh, if the principal may see it and nothing has to be waited for: the short way to a hit.

        ``None`` says nothing: ask for the page, as always where the host is asked, too.
        """
        if self._changes.is_behind or self._authority.asks:
            return None
        if ticket.group is None:
            return await self._find_in_library(principal, ticket)
        # The facts may be as old as the page: what is fresh enough to be shown is fresh enough to decide.
        fresh = await self._cache.fresh(ticket.group, ticket.lifetime, is_listening=self._changes.is_listening)
        facts = await fresh.get(_ACCESS)
        if facts is None:
            return None
        access = await self.grants.find(principal, UUID(ticket.group), Facts.from_bytes(facts.body))
        if access is None or not may_view(principal, access):
            return None
        fresh = evolve(fresh, lifetime=self._lifetime(principal, access, ticket.lifetime))
        entry = await fresh.get(_view(principal, access, ticket.key))
        if entry is None:
            return None
        return CachedPage.of(CacheAnswer(entry, CacheResult.HIT), ticket, is_shared=self._is_shared(principal, access))

    async def _find_in_library(self, principal: Principal, ticket: PageTicket) -> CachedPage | None:
        if principal.user_id is None:
            return None
        group, is_listening = library_group(principal.user_id), self._changes.is_listening
        entry = await (await self._cache.fresh(group, ticket.lifetime, is_listening=is_listening)).get(ticket.key)
        return None if entry is None else CachedPage.of(CacheAnswer(entry, CacheResult.HIT), ticket, is_shared=False)

    async def public_galleries(self, principal: Principal, place: ListPlace, load: LoadPage) -> CachedPage:
        """A page of everybody's public galleries, as a visitor sees them; the first three are kept.

        Raises `Forbidden` if the host allows the principal none.
        """
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("galleries", None))
        await self._changes.catch_up()
        answer, _ = await self._page(ALL_GALLERIES, place.name, place, GALLERY, load)
        return CachedPage.of(answer, None, is_shared=not self._authority.asks)

    async def _access(self, principal: Principal, gallery_id: UUID) -> Facts:
        """The facts that decide. Raises `NotFound` unless the principal may see the gallery."""
        await self._changes.catch_up()

        async def load() -> bytes:
            async with self._database.reading() as connection:
                access = await records.of_gallery(connection, gallery_id)
                if access is None:
                    await records.on_galleries(connection, principal, {gallery_id: None}, now=self._clock())
                    raise NotFound.of("gallery")
            return access.to_bytes()

        # From this process's memory or the database: what decides on access comes from nowhere else.
        answer = await self._get(str(gallery_id), _ACCESS, GALLERY, load, may_be_shared=False)
        access = await self.grants.on_gallery(principal, gallery_id, Facts.from_bytes(answer.entry.body))
        if answer.result is not CacheResult.MISS and not may_view(principal, access):
            async with self._database.reading() as connection:  # it takes as long as where there is none
                await records.of_gallery(connection, gallery_id)
        return await self._authority.require(Permission.VIEW, principal, access, "gallery", gallery_id)

    def _is_shared(self, principal: Principal, access: Facts) -> bool:
        """Whether proxies may keep it for others: not what a signed-in user gets or who came by a link, which may be
        theirs alone even of a public gallery, and nothing where the host has rules for each."""
        is_nobody = principal.user_id is None and principal.link is None
        return is_nobody and access.visibility is Visibility.PUBLIC and not self._authority.asks

    def _lifetime(self, principal: Principal, access: Facts, lifetime: Lifetime) -> Lifetime:
        """How long a page is kept: with URLs that somebody gets by a share, no longer than these allow."""
        is_by_share = audience(principal, access) is Audience.SHARED
        return lifetime.within(self._sharing.page_lasts) if is_by_share else lifetime

    async def _page(
        self,
        group: str,
        name: str,
        place: ListPlace,
        lifetime: Lifetime,
        load: LoadPage,
        *,
        may_be_shared: bool = True,
    ) -> tuple[CacheAnswer, bool]:
        """The page, and whether it is one of those that are kept."""
        number = await self._number(group, name, place)
        if number is None or not is_kept(number):
            return CacheAnswer(Entry((await load()).body, self._clock()), CacheResult.BYPASS), False

        async def load_and_follow() -> bytes:
            loaded = await load()
            if loaded.next_cursor is not None and is_kept(number + 1):
                await self._cache.put(group, _follower(name, loaded.next_cursor), lifetime, str(number + 1).encode())
            return loaded.body

        answer = await self._get(group, _key(name, place), lifetime, load_and_follow, may_be_shared=may_be_shared)
        return answer, True

    async def _number(self, group: str, name: str, place: ListPlace) -> int | None:
        """Which page it is, if it may be kept. Of a cursor we know it if it was given out by a page that is kept."""
        if not place.may_be_kept:
            return None
        if place.cursor is None:
            return place.page or _FIRST
        known = await self._cache.peek(group, _follower(name, place.cursor))
        return None if known is None else int(known)

    async def _get(
        self, group: str, key: str, lifetime: Lifetime, load: LoadBody, *, may_be_shared: bool = True
    ) -> CacheAnswer:
        is_listening = self._changes.is_listening
        return await self._cache.get(group, key, lifetime, load, is_listening=is_listening, may_be_shared=may_be_shared)


def _view(principal: Principal, access: Facts, name: str) -> str:
    """The page as the principal sees it. Below a link it has other addresses in it."""
    shown = disclosure(principal, access)
    by = "user" if principal.link is None else "link"
    return f"{access.visibility}/{shown.audience}-{shown.metadata:d}-{shown.download:d}-{by}/{name}"


def _key(name: str, place: ListPlace) -> str:
    return f"{name}/{place.page}/{place.cursor}"


def _follower(name: str, cursor: str) -> str:
    return f"{name}/after/{cursor}"
