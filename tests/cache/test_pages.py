"""Cached pages over a real database: no query on a hit, one for a thousand clients, and never the wrong eyes.

What a page shows stands for itself here: the ``load`` of these tests encodes names and ids as JSON.
"""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image, with_place
from tests.support.processes import Process, deafen, settle

from imagegallery.access.audience import VisibilityLike
from imagegallery.cache import generations
from imagegallery.cache.stale_while_revalidate import CacheResult
from imagegallery.errors import NotFound
from imagegallery.galleries.pages import CachedPage, ListPlace, LoadedPage
from imagegallery.galleries.service import GalleryService
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
HIT, STALE, MISS, BYPASS = CacheResult.HIT, CacheResult.STALE, CacheResult.MISS, CacheResult.BYPASS
CLIENTS = 1000


class Site:
    """What the HTTP package does, without HTTP: asks ``process`` for pages of galleries, encoded."""

    def __init__(self, library: Library, process: Process) -> None:
        self.galleries = GalleryService(process.database, library.delivery, library.clock)
        self.process = process

    async def gallery(self, principal: Principal, gallery_id: UUID) -> CachedPage:
        async def load() -> bytes:
            return (await self.galleries.get(principal, gallery_id)).name.encode()

        return await self.process.pages.gallery(principal, gallery_id, "gallery", load)

    async def images(
        self,
        principal: Principal,
        gallery_id: UUID,
        *,
        page: int | None = None,
        cursor: str | None = None,
        name: str = "images",
        may_be_kept: bool = True,
    ) -> CachedPage:
        async def load() -> LoadedPage:
            if page is not None:
                numbered = await self.galleries.list_images_page(principal, gallery_id, page=page, limit=1)
                return LoadedPage(json.dumps([str(each.id) for each in numbered.items]).encode())
            found = await self.galleries.list_images(principal, gallery_id, cursor=cursor, limit=1)
            shown = [[str(each.id), each.alt_text, each.latitude] for each in found.items]
            return LoadedPage(json.dumps([shown, found.next_cursor]).encode(), found.next_cursor)

        place = ListPlace(name, page, cursor, may_be_kept)
        return await self.process.pages.images(principal, gallery_id, place, load)


@pytest.fixture
def site(library: Library, process: Process) -> Site:
    return Site(library, process)


@pytest.fixture
def other_site(library: Library, other: Process) -> Site:
    return Site(library, other)


async def a_gallery(library: Library, images: int = 1, visibility: VisibilityLike = "public") -> UUID:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    for _ in range(images):
        await library.add_image(with_place(make_image()), gallery.id)
    return gallery.id


async def test_a_hit_needs_no_connection(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    first = await site.images(VISITOR, gallery_id), await site.gallery(VISITOR, gallery_id)
    used = site.process.database.used
    for principal in (VISITOR, BEN):
        again = await site.images(principal, gallery_id), await site.gallery(principal, gallery_id)
        assert [page.result for page in again] == [HIT, HIT]
        assert [page.body for page in again] == [page.body for page in first]
        assert [page.digest for page in again] == [page.digest for page in first]
    assert site.process.database.used == used


async def test_a_thousand_clients_of_one_expired_page_cause_one_query(
    library: Library, site: Site, clock: ManualClock
) -> None:
    gallery_id = await a_gallery(library)
    await site.images(VISITOR, gallery_id)
    clock.advance(timedelta(seconds=151))
    used = site.process.database.used
    async with anyio.create_task_group() as tasks:
        for _ in range(CLIENTS):
            tasks.start_soon(site.images, VISITOR, gallery_id)
    assert site.process.database.used - used == 1


async def test_a_stale_page_is_served_and_made_anew_with_one_query(
    library: Library, site: Site, clock: ManualClock
) -> None:
    gallery_id = await a_gallery(library)
    await site.images(VISITOR, gallery_id)
    clock.advance(timedelta(seconds=130))
    used = site.process.database.used
    pages = [await site.images(VISITOR, gallery_id) for _ in range(5)]
    assert {page.result for page in pages} <= {STALE, HIT}
    assert sum(page.began_refresh for page in pages) == 1
    await _until_hit(site, gallery_id)
    assert site.process.database.used - used == 1


async def _until_hit(site: Site, gallery_id: UUID) -> None:
    with anyio.fail_after(30):
        while (await site.images(VISITOR, gallery_id)).result is not HIT:
            await anyio.sleep(0)


async def test_a_change_is_seen_by_the_next_request_of_this_process(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    before = await site.images(VISITOR, gallery_id)
    await site.gallery(VISITOR, gallery_id)

    image_id = UUID(json.loads(before.body)[0][0][0])
    await library.images.update(ANA, image_id, alt_text="A tram")
    await library.galleries.update(ANA, gallery_id, name="Lisboa")

    assert json.loads((await site.images(VISITOR, gallery_id)).body)[0][0][1] == "A tram"
    assert (await site.gallery(VISITOR, gallery_id)).body == b"Lisboa"


async def test_a_change_is_seen_in_other_processes_once_it_was_heard(
    library: Library, site: Site, other_site: Site
) -> None:
    gallery_id = await a_gallery(library)
    await settle(other_site.process.changes)
    assert (await other_site.gallery(VISITOR, gallery_id)).body == b"Lisbon"

    await library.galleries.update(ANA, gallery_id, name="Lisboa")

    await settle(other_site.process.changes)
    assert (await other_site.gallery(VISITOR, gallery_id)).body == b"Lisboa"


async def test_word_of_a_change_arrives_without_being_asked_for(library: Library, other_site: Site) -> None:
    gallery_id = await a_gallery(library)
    assert (await other_site.gallery(VISITOR, gallery_id)).body == b"Lisbon"
    await library.galleries.update(ANA, gallery_id, name="Lisboa")
    with anyio.fail_after(30):
        while (await other_site.gallery(VISITOR, gallery_id)).body != b"Lisboa":
            await anyio.sleep(0)


@pytest.mark.parametrize("who", [VISITOR, BEN])
async def test_a_gallery_that_becomes_private_is_gone_for_others_everywhere(
    library: Library, site: Site, other_site: Site, who: Principal
) -> None:
    gallery_id = await a_gallery(library)
    for each in (site, other_site):
        await each.images(who, gallery_id)
        await each.images(ANA, gallery_id)

    await library.galleries.update(ANA, gallery_id, visibility="private")

    await settle(other_site.process.changes)
    for each in (site, other_site):
        with pytest.raises(NotFound):
            await each.images(who, gallery_id)
        with pytest.raises(NotFound):
            await each.gallery(who, gallery_id)
        assert (await each.images(ANA, gallery_id)).result is MISS


async def test_the_owner_and_others_have_entries_of_their_own(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    own, others = await site.images(ANA, gallery_id), await site.images(BEN, gallery_id)
    assert json.loads(own.body)[0][0][2] is not None
    assert json.loads(others.body)[0][0][2] is None
    for principal, page in ((ANA, own), (BEN, others), (VISITOR, others)):
        assert (await site.images(principal, gallery_id)).body == page.body


async def test_a_private_page_that_is_kept_is_for_its_owner_only(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library, visibility="private")
    await site.images(ANA, gallery_id)
    assert (await site.images(ANA, gallery_id)).result is HIT
    for principal in (BEN, VISITOR):
        with pytest.raises(NotFound):
            await site.images(principal, gallery_id)


@pytest.mark.parametrize(
    ("visibility", "principal", "shared"),
    [("public", VISITOR, True), ("public", BEN, False), ("public", ANA, False), ("unlisted", VISITOR, False)],
)
async def test_only_what_a_visitor_gets_of_a_public_gallery_is_shared(
    library: Library, site: Site, visibility: VisibilityLike, principal: Principal, shared: bool
) -> None:
    gallery_id = await a_gallery(library, visibility=visibility)
    assert (await site.images(principal, gallery_id)).is_shared is shared
    assert (await site.gallery(principal, gallery_id)).is_shared is shared


async def test_the_first_three_pages_are_kept_by_number(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library, images=5)
    for page in range(1, 6):
        await site.images(VISITOR, gallery_id, page=page)
    again = [(await site.images(VISITOR, gallery_id, page=page)).result for page in range(1, 6)]
    assert again == [HIT, HIT, HIT, BYPASS, BYPASS]


async def test_the_first_three_pages_are_kept_by_cursor(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library, images=5)
    cursors: list[str | None] = [None]
    while len(cursors) == 1 or cursors[-1] is not None:
        cursors.append(json.loads((await site.images(VISITOR, gallery_id, cursor=cursors[-1])).body)[1])
    again = [(await site.images(VISITOR, gallery_id, cursor=cursor)).result for cursor in cursors[:-1]]
    assert again == [HIT, HIT, HIT, BYPASS, BYPASS]


async def test_a_cursor_from_elsewhere_is_answered_and_not_kept(library: Library, site: Site, other_site: Site) -> None:
    gallery_id = await a_gallery(library, images=3)
    cursor = json.loads((await other_site.images(VISITOR, gallery_id)).body)[1]
    pages = [await site.images(VISITOR, gallery_id, cursor=cursor) for _ in range(2)]
    assert [page.result for page in pages] == [BYPASS, BYPASS]
    assert pages[0].digest == pages[1].digest


async def test_what_has_another_name_is_another_page(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    await site.images(VISITOR, gallery_id)
    assert (await site.images(VISITOR, gallery_id, name="elsewhere")).result is MISS


async def test_what_is_not_there_is_not_found_and_not_remembered(library: Library, site: Site) -> None:
    with pytest.raises(NotFound):
        await site.gallery(ANA, uuid4())
    gallery_id = await a_gallery(library)
    await site.gallery(VISITOR, gallery_id)
    await library.galleries.delete(ANA, gallery_id)
    with pytest.raises(NotFound):
        await site.gallery(ANA, gallery_id)


async def test_while_deaf_nothing_over_a_minute_old_is_served(
    library: Library, other_site: Site, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery_id = await a_gallery(library)
    await settle(other_site.process.changes)
    await other_site.gallery(VISITOR, gallery_id)
    monkeypatch.setattr(generations, "PAUSE", timedelta(hours=1))  # it stays deaf
    await deafen(other_site.process)
    await library.galleries.update(ANA, gallery_id, name="Lisboa", visibility="private")

    clock.advance(timedelta(seconds=59))
    assert (await other_site.gallery(VISITOR, gallery_id)).body == b"Lisbon"
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotFound):
        await other_site.gallery(VISITOR, gallery_id)


async def test_the_list_of_public_galleries_changes_with_any_of_them(library: Library, site: Site) -> None:
    async def load() -> LoadedPage:
        page = await site.galleries.list(VISITOR)
        return LoadedPage(json.dumps([each.name for each in page.items]).encode(), page.next_cursor)

    async def names() -> object:
        return json.loads((await site.process.pages.public_galleries(VISITOR, ListPlace("galleries"), load)).body)

    await a_gallery(library)
    assert await names() == ["Lisbon"]
    used = site.process.database.used
    assert await names() == ["Lisbon"]
    assert site.process.database.used == used
    await library.galleries.create(ANA, name="Porto", visibility="public")
    assert await names() == ["Porto", "Lisbon"]


async def test_the_short_way_finds_what_is_fresh_and_theirs_and_nothing_else(
    library: Library, site: Site, clock: ManualClock
) -> None:
    gallery_id = await a_gallery(library)
    pages, page = site.process.pages, await site.images(VISITOR, gallery_id)
    assert page.ticket is not None
    for principal in (VISITOR, BEN):
        found = await pages.find(principal, page.ticket)
        assert found is not None
        assert (found.body, found.digest, found.result) == (page.body, page.digest, HIT)
    assert await pages.find(ANA, page.ticket) is None, "the owner's own page was not made yet"

    await library.galleries.update(ANA, gallery_id, visibility="private")
    assert await pages.find(VISITOR, page.ticket) is None, "a commit of its own that it has not looked into"
    await site.images(ANA, gallery_id)
    assert await pages.find(VISITOR, page.ticket) is None
    assert await pages.find(BEN, page.ticket) is None
    assert await pages.find(ANA, page.ticket) is not None

    clock.advance(timedelta(seconds=120))
    assert await pages.find(ANA, page.ticket) is None, "stale"


async def test_a_page_that_is_not_kept_has_no_ticket(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library)
    assert (await site.images(VISITOR, gallery_id, page=4)).ticket is None


async def test_a_list_that_may_not_be_kept_is_not_nor_is_what_follows(library: Library, site: Site) -> None:
    gallery_id = await a_gallery(library, images=2)
    first = await site.images(VISITOR, gallery_id, may_be_kept=False)
    cursor = json.loads(first.body)[1]
    for place in ({"page": 1}, {"cursor": cursor}, {}):
        pages = [await site.images(VISITOR, gallery_id, may_be_kept=False, **place) for _ in range(2)]
        assert [(page.result, page.ticket) for page in pages] == [(BYPASS, None), (BYPASS, None)]
    assert (await site.images(VISITOR, gallery_id)).result is MISS
