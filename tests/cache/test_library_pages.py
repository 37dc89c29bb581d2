"""Cached pages of a library: without a query for whoever asks again, for nobody else, and never older than a change."""

import json

import pytest
from tests.support.library import Library, make_image
from tests.support.processes import Process, settle

from imagegallery.cache.stale_while_revalidate import CacheResult
from imagegallery.errors import Unauthenticated
from imagegallery.galleries.pages import CachedPage, ListPlace, LoadedPage
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
HIT, MISS, BYPASS = CacheResult.HIT, CacheResult.MISS, CacheResult.BYPASS


async def shown(library: Library, process: Process, principal: Principal, cursor: str | None = None) -> CachedPage:
    """A page of one image."""

    async def load() -> LoadedPage:
        found = await library.images.library.list(principal, cursor=cursor, limit=1)
        body = json.dumps([[str(each.id), each.alt_text] for each in found.items] + [found.next_cursor])
        return LoadedPage(body.encode(), found.next_cursor)

    return await process.pages.library(principal, ListPlace("list", cursor=cursor), load)


async def test_a_hit_needs_no_connection(library: Library, process: Process) -> None:
    await library.add_image(make_image())
    first = await shown(library, process, ANA)
    used = process.database.used
    again = await shown(library, process, ANA)
    assert (first.result, again.result, again.body, again.is_shared) == (MISS, HIT, first.body, False)
    assert process.database.used == used


async def test_everybody_sees_their_own(library: Library, process: Process) -> None:
    image = await library.add_image(make_image())
    own, bens = await shown(library, process, ANA), await shown(library, process, BEN)
    assert (str(image.id) in own.body.decode(), json.loads(bens.body)) == (True, [None])
    assert own.ticket == bens.ticket, "whose library it is, is not part of the address"
    assert own.ticket is not None
    for principal, page in ((ANA, own), (BEN, bens)):
        found = await process.pages.find(principal, own.ticket)
        assert found is not None
        assert (found.body, found.result) == (page.body, HIT)
    assert await process.pages.find(Principal.user("eva"), own.ticket) is None
    assert await process.pages.find(VISITOR, own.ticket) is None
    with pytest.raises(Unauthenticated):
        await shown(library, process, VISITOR)


async def test_a_change_is_in_the_next_answer_of_every_process(
    library: Library, process: Process, other: Process
) -> None:
    image = await library.add_image(make_image())
    for each in (process, other):
        await settle(each.changes)
        await shown(library, each, ANA)
    await library.images.update(ANA, image.id, alt_text="A tram")
    await settle(other.changes)
    for each in (process, other):
        page = await shown(library, each, ANA)
        assert (page.result, json.loads(page.body)[0][1]) == (MISS, "A tram")


async def test_the_first_three_pages_are_kept(library: Library, process: Process) -> None:
    for _ in range(5):
        await library.add_image(make_image())
    cursors: list[str | None] = [None]
    while len(cursors) == 1 or cursors[-1] is not None:
        cursors.append(json.loads((await shown(library, process, ANA, cursors[-1])).body)[-1])
    again = [(await shown(library, process, ANA, cursor)).result for cursor in cursors[:-1]]
    assert again == [HIT, HIT, HIT, BYPASS, BYPASS]
