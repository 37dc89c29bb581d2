"""Images that look alike are offered in pairs: those that are there, each once, and never again once dismissed."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from tests.support.library import Library, make_image

from imagegallery.database.pool import Database
from imagegallery.errors import Forbidden, InvalidCursor, InvalidInput, NotFound, Unauthenticated
from imagegallery.ids import new_id
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.duplicates.duplicate import Lookalikes
from imagegallery.images.duplicates.records import MOST_ALIKE, PAIRS, WALK
from imagegallery.images.image import original_records
from imagegallery.images.image.image import Image
from imagegallery.pagination import LAST_ID
from imagegallery.principal import Principal

ANA, BEN = Principal.user("ana"), Principal.user("ben")
LOOK = 0x9F31_77C2_0D5A_E468
OTHER_LOOK = LOOK ^ 0xFFFF_0000_FFFF_0000


async def add(library: Library, phash: int = LOOK, *, content: bytes | None = None, owner: str = "ana") -> Image:
    """An image that looks like this, as its processing leaves it; of these bytes, or of its own."""
    image = evolve(make_image(owner), phash=None)
    if content is not None:
        image = evolve(image, sha256=hashlib.sha256(content).digest())
    await library.add_image(image)
    async with library.database.transaction() as connection:
        await lookalike_records.note(connection, owner, image.id, phash)
    return image


async def listed(library: Library, principal: Principal = ANA) -> dict[UUID, list[tuple[UUID, int, bool]]]:
    page = await library.images.duplicates.list(principal)
    assert not page.has_more
    return {each.image.id: [(o.image.id, o.distance, o.is_exact) for o in each.others] for each in page.items}


async def test_near_and_exact_copies_are_listed_beside_the_newest(library: Library) -> None:
    first = await add(library, content=b"1")
    copy = await add(library, content=b"1")
    near = await add(library, LOOK ^ 0b1011)
    await add(library, OTHER_LOOK)

    assert await listed(library) == {
        near.id: [(copy.id, 3, False), (first.id, 3, False)],
        copy.id: [(first.id, 0, True)],
    }


async def test_eight_bits_apart_is_another_picture(library: Library) -> None:
    for flipped in (0, 0x0000_0003_0303_0003, 0x00FF_0000_0000_0000):
        await add(library, LOOK ^ flipped)

    assert await listed(library) == {}


async def test_a_picture_without_detail_looks_like_none(library: Library) -> None:
    await add(library, 0)
    await add(library, 0)

    assert await listed(library) == {}


async def test_what_another_owner_has_is_nobody_elses_business(library: Library) -> None:
    await add(library, owner="ben", content=b"1")
    await add(library, content=b"1")

    assert await listed(library) == {}
    assert await listed(library, BEN) == {}


async def test_the_trash_is_left_out_and_comes_back(library: Library) -> None:
    first, second, third = [await add(library) for _ in range(3)]

    await library.images.delete(ANA, second.id)
    assert await listed(library) == {third.id: [(first.id, 0, False)]}

    await library.images.trash.restore(ANA, second.id)
    assert list(await listed(library)) == [third.id, second.id]


async def test_what_looks_like_an_image_in_the_trash_is_listed_when_that_comes_back(library: Library) -> None:
    first = await add(library)
    await library.images.delete(ANA, first.id)
    second = await add(library)
    assert await listed(library) == {}

    await library.images.trash.restore(ANA, first.id)

    assert await listed(library) == {second.id: [(first.id, 0, False)]}


async def test_a_dismissed_pair_is_never_offered_again(library: Library) -> None:
    first, second, third = [await add(library) for _ in range(3)]
    duplicates = library.images.duplicates

    await duplicates.dismiss(ANA, third.id, second.id)
    await duplicates.dismiss(ANA, second.id, third.id)

    kept = {third.id: [(first.id, 0, False)], second.id: [(first.id, 0, False)]}
    assert await listed(library) == kept
    await library.images.delete(ANA, third.id)
    await library.images.trash.restore(ANA, third.id)
    assert await listed(library) == kept


async def test_only_ones_own_pairs_can_be_dismissed(library: Library) -> None:
    mine, other, bens = await add(library), await add(library), await add(library, owner="ben")
    gallery = await library.galleries.create(BEN, name="Open", visibility="public")
    await library.galleries.add_images(BEN, gallery.id, [bens.id])
    dismiss = library.images.duplicates.dismiss

    with pytest.raises(Unauthenticated):
        await dismiss(Principal.anonymous(), mine.id, other.id)
    with pytest.raises(Forbidden):
        await dismiss(ANA, mine.id, bens.id)
    with pytest.raises(NotFound):
        await dismiss(ANA, mine.id, new_id())
    with pytest.raises(InvalidInput):
        await dismiss(ANA, mine.id, mine.id)
    assert list(await listed(library)) == [other.id]


async def test_the_last_of_a_hash_takes_it_along(library: Library) -> None:
    first, second = await add(library), await add(library, LOOK ^ 1)
    await library.delete_for_good(second)
    assert await _hashes(library.database) == {"buckets": 4, "neighbours": 1, "lookalikes": 1}

    await library.delete_for_good(first)
    assert await _hashes(library.database) == {"buckets": 0, "neighbours": 0, "lookalikes": 0}

    third, fourth = await add(library), await add(library, LOOK ^ 1)
    assert await listed(library) == {fourth.id: [(third.id, 1, False)]}


async def test_a_hash_is_given_once(library: Library) -> None:
    first, second = await add(library), await add(library)
    async with library.database.transaction() as connection:
        await lookalike_records.note(connection, "ana", second.id, OTHER_LOOK)

    assert await listed(library) == {second.id: [(first.id, 0, False)]}


async def test_pages_end_and_go_on(library: Library) -> None:
    await add(library)
    copies = [await add(library) for _ in range(5)]
    pages: list[Lookalikes] = []
    cursor = None
    while True:
        page = await library.images.duplicates.list(ANA, cursor=cursor, limit=2)
        pages += page.items
        if (cursor := page.next_cursor) is None:
            break

    assert [each.image.id for each in pages] == [image.id for image in reversed(copies)]
    with pytest.raises(InvalidCursor):
        await library.images.duplicates.list(BEN, cursor=(await _first_cursor(library)))


async def _first_cursor(library: Library) -> str | None:
    return (await library.images.duplicates.list(ANA, limit=1)).next_cursor


_MANY = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at, phash)
SELECT md5('image' || n)::uuid, 'ana', 'p/' || n || '/', 'p/1/original.jpg', 'tram.jpg', 'image/jpeg', 4000, 3000, 1000,
       sha256('1'), now(), now(), now(), $1
FROM generate_series(1, 10000) AS n"""
_MARK_ALL = "INSERT INTO lookalikes SELECT owner_id, id FROM images ON CONFLICT DO NOTHING"


async def test_ten_thousand_equal_images_cost_a_page_no_more(library: Library) -> None:
    """Reads what it shows, and nothing of the rest."""
    await add(library, content=b"1")
    async with library.database.connection() as connection:
        phash = await connection.fetchval("SELECT phash FROM images")
        await connection.execute(_MANY, phash)
        await connection.execute(_MARK_ALL)
        await connection.execute("ANALYZE")
        plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {PAIRS}", "ana", LAST_ID, 21)
        page = await library.images.duplicates.list(ANA, limit=20)

    assert {len(each.others) for each in page.items} == {MOST_ALIKE}
    assert len(page.items) == 20
    assert _rows_read(json.loads(plan)[0]["Plan"]) <= 21 * (MOST_ALIKE + 3)


async def test_a_page_of_pairs_that_are_all_gone_still_leads_on(library: Library) -> None:
    oldest, old = await add(library), await add(library)
    gone = [await add(library, OTHER_LOOK) for _ in range(2)]
    async with library.database.connection() as connection:
        # Images that are in the trash, newer than all others.
        await connection.executemany(
            "INSERT INTO lookalikes VALUES ('ana', $1)", [(UUID(int=2**128 - 1 - n),) for n in range(WALK)]
        )
    for image in gone:
        await library.images.delete(ANA, image.id)

    first = await library.images.duplicates.list(ANA)
    second = await library.images.duplicates.list(ANA, cursor=first.next_cursor)

    assert (first.items, first.has_more) == ((), True)
    assert [each.image.id for each in second.items] == [old.id]
    assert second.items[0].others[0].image.id == oldest.id
    assert not second.has_more


async def test_files_that_are_in_are_told_by_their_digests(library: Library) -> None:
    def digest(content: bytes) -> bytes:
        return hashlib.sha256(content).digest()

    oldest, _, trashed = [await add(library, content=content) for content in (b"1", b"1", b"2")]
    await add(library, content=b"3", owner="ben")
    await library.images.delete(ANA, trashed.id)
    check = library.images.duplicates.check

    known = await check(ANA, [digest(content) for content in (b"1", b"2", b"3", b"4")])

    assert {(each.sha256, each.image_id, each.is_trashed) for each in known} == {
        (digest(b"1"), oldest.id, False),
        (digest(b"2"), trashed.id, True),
    }
    for wrong in ([], [b"short"], [digest(b"1")] * 1001):
        with pytest.raises(InvalidInput):
            await check(ANA, wrong)
    with pytest.raises(Unauthenticated):
        await check(Principal.anonymous(), [digest(b"1")])


async def test_the_sweeper_leaves_what_is_just_uploaded_again(library: Library) -> None:
    image = await add(library)
    await library.images.delete(ANA, image.id)
    library.clock.advance(library.images.trash._options.retention)
    async with library.database.transaction() as connection:
        await original_records.hold_content(connection, "ana", image.file_size)
        assert await library.images.trash.sweep() == 0

    assert await library.images.trash.sweep() == 1


async def _hashes(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM phash_buckets) AS buckets, (SELECT count(*) FROM lookalikes) AS lookalikes, "
            "(SELECT count(*) FROM phash_neighbours) AS neighbours"
        )
    return dict(row or {})


def _rows_read(node: Mapping[str, Any]) -> float:
    """What all scans of a plan that was carried out have read, and thrown away."""
    own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    below = sum(_rows_read(child) for child in node.get("Plans", ()))
    return below + (own if "Relation Name" in node else 0)
