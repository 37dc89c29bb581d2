"""Cached pages of what is shared: the same bytes for all who are shown the same, and none after a share has ended."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import anyio
import pytest
from tests.cache.test_pages import ANA, BEN, HIT, MISS, VISITOR, Site, a_gallery
from tests.support import shares
from tests.support.clock import START, ManualClock
from tests.support.library import Library
from tests.support.processes import Process, deafen, settle, until_listening
from tests.support.shares import share

from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import Permission
from imagegallery.cache.policy import GALLERY, IMAGE_PAGES
from imagegallery.errors import NotFound
from imagegallery.galleries.kept_grants import MAX_BYTES, MAX_BYTES_OF_STRANGERS
from imagegallery.galleries.pages import CachedPage, PageTicket
from imagegallery.principal import Principal

CARLA, DORA = Principal.user("carla"), Principal.user("dora", groups=["club"])


@pytest.fixture
def site(library: Library, process: Process) -> Site:
    return Site(library, process)


@pytest.fixture
def other_site(library: Library, other: Process) -> Site:
    return Site(library, other)


async def private(library: Library, *to: str, **terms: object) -> tuple[UUID, UUID]:
    """A private gallery, and its share."""
    gallery_id = await a_gallery(library, visibility="private")
    return gallery_id, await share(library.database, galleries=[gallery_id], to=to, **terms)  # type: ignore[arg-type]


async def warm(site: Site, principal: Principal, gallery_id: UUID) -> tuple[CachedPage, CachedPage]:
    """Both pages, kept: asked for until what another process has written has come to this one."""
    with anyio.fail_after(30):
        while True:
            pages = await site.gallery(principal, gallery_id), await site.images(principal, gallery_id)
            if [page.result for page in pages] == [HIT, HIT]:
                return pages


def ticket_of(page: CachedPage) -> PageTicket:
    assert page.ticket is not None
    return page.ticket


async def test_a_hit_needs_no_connection_and_all_who_are_shown_the_same_get_the_same(
    library: Library, site: Site
) -> None:
    gallery_id, _ = await private(library, "ben", "group:club")
    pages = await warm(site, BEN, gallery_id)
    await site.gallery(DORA, gallery_id)
    used = site.process.database.used
    for principal in (BEN, DORA):
        again = await site.gallery(principal, gallery_id), await site.images(principal, gallery_id)
        assert [page.result for page in again] == [HIT, HIT]
        assert [page.body for page in again] == [page.body for page in pages]
        short = [await site.process.pages.find(principal, ticket_of(page)) for page in again]
        assert [page and page.body for page in short] == [page.body for page in pages]
    assert site.process.database.used == used
    assert not any(page.is_shared for page in pages)


async def test_who_is_shown_more_gets_pages_of_their_own(library: Library, site: Site) -> None:
    gallery_id, share_id = await private(library, "ben")
    await shares.add_recipient(library.database, share_id, "carla", metadata=MetadataShown.ALL)
    await shares.add_recipient(
        library.database,
        share_id,
        "group:club",
        Permission.VIEW | Permission.DOWNLOAD,
        download=DownloadAllowed.ORIGINAL,
    )
    for principal in (BEN, CARLA, DORA, ANA):
        assert (await site.gallery(principal, gallery_id)).result is MISS
        assert (await site.gallery(principal, gallery_id)).result is HIT


async def test_pages_of_a_link_are_nobody_elses(library: Library, site: Site) -> None:
    gallery_id, share_id = await private(library, "ben", link=True)
    link = Principal.by_link(share_id)
    await warm(site, BEN, gallery_id)
    assert (await site.gallery(link, gallery_id)).result is MISS
    page = await site.images(link, gallery_id)
    assert not page.is_shared
    for stranger in (VISITOR, CARLA, Principal.by_link(UUID(int=7))):
        with pytest.raises(NotFound):
            await site.images(stranger, gallery_id)
        assert await site.process.pages.find(stranger, ticket_of(page)) is None


async def test_no_proxy_keeps_what_came_by_a_link_even_of_a_public_gallery(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    share_id = await share(library.database, galleries=[gallery_id], link=True)
    assert (await site.gallery(VISITOR, gallery_id)).is_shared
    assert not (await site.gallery(Principal.by_link(share_id), gallery_id)).is_shared


async def test_a_gallery_that_is_not_shared_costs_no_query_for_each_who_sees_it(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    await warm(site, VISITOR, gallery_id)
    used = site.process.database.used
    for number in range(20):
        assert (await site.gallery(Principal.user(number), gallery_id)).result is HIT
    assert site.process.database.used == used
    assert site.process.pages.grants.size == 0


End = Callable[[Library, UUID, UUID], Awaitable[object]]


async def revoke(library: Library, _: UUID, share_id: UUID) -> None:
    await shares.change(library.database, share_id, revoked_at=START)


async def shorten(library: Library, _: UUID, share_id: UUID) -> None:
    await shares.change(library.database, share_id, expires_at=START)


async def take_permissions(library: Library, _: UUID, share_id: UUID) -> None:
    await shares.change(library.database, share_id, permissions=0)


async def take_out(library: Library, gallery_id: UUID, share_id: UUID) -> None:
    await shares.unshare(library.database, share_id, gallery_id)


async def send_away(library: Library, _: UUID, share_id: UUID) -> None:
    await shares.remove_recipients(library.database, share_id)


async def delete(library: Library, _: UUID, share_id: UUID) -> None:
    await shares.delete(library.database, share_id)


async def delete_gallery(library: Library, gallery_id: UUID, _: UUID) -> None:
    await library.galleries.delete(ANA, gallery_id)


ENDS = [revoke, shorten, take_permissions, take_out, send_away, delete, delete_gallery]


@pytest.mark.parametrize("end", ENDS)
async def test_what_ends_a_share_ends_its_pages_in_every_process(
    library: Library, site: Site, other_site: Site, end: End
) -> None:
    gallery_id, share_id = await private(library, "ben")
    await settle(other_site.process.changes)
    kept = [await warm(each, BEN, gallery_id) for each in (site, other_site)]
    await end(library, gallery_id, share_id)
    await settle(other_site.process.changes)
    for each, pages in zip((site, other_site), kept, strict=True):
        for page in pages:
            assert await each.process.pages.find(BEN, ticket_of(page)) is None
        with pytest.raises(NotFound):
            await each.gallery(BEN, gallery_id)
        with pytest.raises(NotFound):
            await each.images(BEN, gallery_id)


@pytest.mark.parametrize("column", ["token_hash", "expires_at", "revoked_at"])
async def test_what_ends_a_link_ends_its_pages_in_every_process(
    library: Library, site: Site, other_site: Site, column: str
) -> None:
    gallery_id, share_id = await private(library, link=True)
    link = Principal.by_link(share_id)
    await settle(other_site.process.changes)
    for each in (site, other_site):
        await warm(each, link, gallery_id)
    await shares.change(library.database, share_id, **{column: None if column == "token_hash" else START})
    await settle(other_site.process.changes)
    for each in (site, other_site):
        with pytest.raises(NotFound):
            await each.images(link, gallery_id)


async def test_an_image_that_is_taken_out_is_on_no_page_of_any_process(
    library: Library, site: Site, other_site: Site
) -> None:
    gallery_id, _ = await private(library, "ben")
    await settle(other_site.process.changes)
    (image,) = (await library.galleries.list_images(ANA, gallery_id)).items
    for each in (site, other_site):
        _, page = await warm(each, BEN, gallery_id)
        assert str(image.id) in page.body.decode()
    await library.galleries.remove_image(ANA, gallery_id, image.id)
    await settle(other_site.process.changes)
    for each in (site, other_site):
        assert str(image.id) not in (await each.images(BEN, gallery_id)).body.decode()


async def test_a_share_ends_by_the_clock_while_its_pages_are_kept(
    library: Library, site: Site, clock: ManualClock
) -> None:
    gallery_id, _ = await private(library, "ben", expires_at=START + timedelta(seconds=30))
    pages = await warm(site, BEN, gallery_id)
    clock.advance(timedelta(seconds=29))
    assert (await site.gallery(BEN, gallery_id)).result is HIT
    used = site.process.database.used
    clock.advance(timedelta(seconds=1))
    for page in pages:
        assert await site.process.pages.find(BEN, ticket_of(page)) is None
    assert site.process.database.used == used, "the clock says so"
    with pytest.raises(NotFound):
        await site.images(BEN, gallery_id)


async def test_what_changes_nothing_that_is_granted_ends_no_page(library: Library, site: Site) -> None:
    gallery_id, share_id = await private(library, "ben", link=True)
    await warm(site, BEN, gallery_id)
    await shares.change(library.database, share_id, views=7, note="for the family", updated_at=START)
    assert (await site.gallery(BEN, gallery_id)).result is HIT


async def test_a_new_share_is_there_at_once_also_for_who_was_refused(
    library: Library, site: Site, other_site: Site
) -> None:
    gallery_id, share_id = await private(library, "carla")
    for each in (site, other_site):
        with pytest.raises(NotFound):
            await each.gallery(BEN, gallery_id)
    await shares.add_recipient(library.database, share_id, "ben")
    await settle(other_site.process.changes)
    for each in (site, other_site):
        assert (await each.gallery(BEN, gallery_id)).body == b"Lisbon"


async def test_while_nothing_is_heard_grants_are_read_each_time(library: Library, site: Site, other_site: Site) -> None:
    gallery_id, share_id = await private(library, "ben")
    _, page = await warm(other_site, BEN, gallery_id)
    await deafen(other_site.process)
    await shares.change(library.database, share_id, revoked_at=START)
    assert await other_site.process.pages.find(BEN, ticket_of(page)) is None
    with pytest.raises(NotFound):
        await other_site.images(BEN, gallery_id)
    await until_listening(other_site.process, listening=True)


async def test_pages_with_urls_by_a_share_are_kept_half_as_long_as_these_are_good_for(
    library: Library, site: Site, clock: ManualClock
) -> None:
    lasts = SharingOptions().page_lasts
    for lifetime in (GALLERY, IMAGE_PAGES):
        assert lifetime.within(lasts).whole == lasts
        assert lifetime.within(lifetime.whole * 2) == lifetime
    gallery_id, _ = await private(library, "ben")
    _, page = await warm(site, BEN, gallery_id)
    await warm(site, ANA, gallery_id)
    clock.advance(lasts)
    assert await site.process.pages.find(BEN, ticket_of(page)) is None
    assert (await site.images(BEN, gallery_id)).result is MISS
    assert (await site.images(ANA, gallery_id)).result is HIT
    image = (await library.galleries.list_images(BEN, gallery_id)).items[0]
    expires_at: datetime | None = image.urls_expire_at
    assert expires_at is not None
    assert expires_at - clock() >= 2 * lasts


async def test_strangers_displace_only_strangers(library: Library, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery_id, _ = await private(library, "ben")
    await warm(site, BEN, gallery_id)
    grants = site.process.pages.grants
    monkeypatch.setattr(grants._none, "_max_bytes", 5_000)
    for number in range(50):
        with pytest.raises(NotFound):
            await site.gallery(Principal.user(number), gallery_id)
    assert grants.size < 10_000 < MAX_BYTES + MAX_BYTES_OF_STRANGERS
    used = site.process.database.used
    assert (await site.gallery(BEN, gallery_id)).result is HIT
    assert site.process.database.used == used
