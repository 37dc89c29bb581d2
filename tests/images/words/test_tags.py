"""An owner's tags: listed with exact counts, renamed, merged, deleted; nobody else's."""

from uuid import UUID, uuid4

import anyio
import pytest
from tests.support.library import Library, make_image

from imagegallery.errors import Conflict, InvalidCursor, InvalidInput, NotFound, Unauthenticated
from imagegallery.images.image.image import Image
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.words.checks import WRONG_TAG_COUNT, TagCounts
from imagegallery.principal import Principal
from imagegallery.reconciliation.finding import RepairOutcome

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()


async def tagged(library: Library, *tags: str) -> Image:
    image = await library.add_image(make_image())
    return await library.images.update(ANA, image.id, tags=tags)


async def listed(library: Library, prefix: str = "") -> dict[str, int]:
    page = await library.images.tags.list(ANA, prefix=prefix)
    return {each.name: each.image_count for each in page.items}


async def id_of(library: Library, name: str) -> UUID:
    (tag,) = (await library.images.tags.list(ANA, prefix=name, limit=1)).items
    return tag.id


async def test_tags_are_listed_by_letters_in_pages_and_by_what_they_begin_with(library: Library) -> None:
    for tags in (["Tram", "sea"], ["tram", "Ärger"], ["Trail"]):
        await tagged(library, *tags)
    assert await listed(library) == {"sea": 1, "Trail": 1, "Tram": 2, "Ärger": 1}
    assert await listed(library, "TRA") == {"Trail": 1, "Tram": 2}
    assert await listed(library, "%") == await listed(library, "x") == {}
    first = await library.images.tags.list(ANA, limit=3)
    rest = await library.images.tags.list(ANA, limit=3, cursor=first.next_cursor)
    assert [each.name for each in (*first.items, *rest.items)] == ["sea", "Trail", "Tram", "Ärger"]
    with pytest.raises(InvalidCursor):
        await library.images.tags.list(ANA, prefix="t", cursor=first.next_cursor)
    assert (await library.images.tags.list(BEN)).items == ()
    with pytest.raises(Unauthenticated):
        await library.images.tags.list(VISITOR)


async def test_another_name_is_on_all_images_and_one_that_is_taken_is_a_conflict(library: Library) -> None:
    image = await tagged(library, "tram", "sea")
    tag_id = await id_of(library, "tram")
    renamed = await library.images.tags.rename(ANA, tag_id, "  Eléctrico 28 ")
    assert (renamed.name, renamed.image_count) == ("Eléctrico 28", 1)
    assert (await library.images.get(ANA, image.id)).tags == ("Eléctrico 28", "sea")
    assert (await library.images.tags.rename(ANA, tag_id, "ELÉCTRICO 28")).name == "ELÉCTRICO 28"
    with pytest.raises(Conflict):
        await library.images.tags.rename(ANA, tag_id, "SEA")
    for name in ("", "<b>", "\N{RIGHT-TO-LEFT OVERRIDE}x", "a\0"):
        with pytest.raises(InvalidInput):
            await library.images.tags.rename(ANA, tag_id, name)


async def test_merged_tags_are_one_and_each_image_counts_once(library: Library) -> None:
    both = await tagged(library, "tram", "Straßenbahn")
    other = await tagged(library, "Straßenbahn", "eléctrico")
    gone = await tagged(library, "eléctrico")
    await library.images.trash.put(ANA, gone.id)
    tram, *others = [await id_of(library, name) for name in ("tram", "strassenbahn", "eléctrico")]

    merged = await library.images.tags.merge(ANA, tram, others)
    assert (merged.name, merged.image_count) == ("tram", 2)
    assert await listed(library) == {"tram": 2}
    await library.images.trash.restore(ANA, gone.id)
    for image in (both, other, gone):
        assert (await library.images.get(ANA, image.id)).tags == ("tram",)
    assert await listed(library) == {"tram": 3}
    for tags in ([tram], [uuid4()], [tram, tram]):
        with pytest.raises((InvalidInput, NotFound)):
            await library.images.tags.merge(ANA, tram, tags)


async def test_a_deleted_tag_is_on_no_image(library: Library) -> None:
    image = await tagged(library, "tram", "sea")
    tag_id = await id_of(library, "tram")
    for attempt in (
        library.images.tags.delete(BEN, tag_id),
        library.images.tags.rename(BEN, tag_id, "mine"),
        library.images.tags.merge(BEN, tag_id, [await id_of(library, "sea")]),
    ):
        with pytest.raises(NotFound):
            await attempt
    await library.images.tags.delete(ANA, tag_id)
    assert (await library.images.get(ANA, image.id)).tags == ("sea",)
    assert await listed(library) == {"sea": 1}
    with pytest.raises(NotFound):
        await library.images.tags.delete(ANA, tag_id)


async def test_counts_stay_exact_while_everything_happens_at_once(library: Library) -> None:
    """Tags are given, merged, renamed and trashed by many: what is counted is what is there."""
    images = [await tagged(library, "a", "b") for _ in range(8)]
    a, b = [await id_of(library, name) for name in "ab"]

    async def work(number: int, image: Image) -> None:
        if number % 4 == 0:
            await library.images.trash.put(ANA, image.id)
        await library.images.update(ANA, image.id, tags=["b", "c"]) if number % 4 else None
        if number % 4 == 1:
            await library.images.trash.put(ANA, image.id)
            await library.images.trash.restore(ANA, image.id)

    async with anyio.create_task_group() as tasks:
        for number, image in enumerate(images):
            tasks.start_soon(work, number, image)
            if number == 3:
                tasks.start_soon(library.images.tags.merge, ANA, a, [b])
            if number == 5:
                tasks.start_soon(library.images.tags.rename, ANA, a, "A")
    there: dict[str, int] = {}
    for image in (await library.images.library.list(ANA)).items:
        for name in image.tags:
            there[name] = there.get(name, 0) + 1
    assert {name: count for name, count in (await listed(library)).items() if count} == there


async def test_the_trash_is_filtered_and_each_list_by_what_its_owner_said(library: Library) -> None:
    tram, other = await tagged(library, "tram"), await tagged(library, "sea")
    await library.images.update(ANA, other.id, rating=5)
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    await library.galleries.add_images(ANA, gallery.id, [tram.id, other.id])

    async def in_gallery(who: Principal, where: ImageFilter) -> list[UUID]:
        page = await library.galleries.list_images(who, gallery.id, where=where)
        return [each.id for each in page.items]

    assert await in_gallery(ANA, ImageFilter(tag="TRAM")) == [tram.id]
    assert await in_gallery(ANA, ImageFilter(rating_from=4)) == [other.id]
    for where in (ImageFilter(tag="tram"), ImageFilter(rating=5), ImageFilter(rating_from=0)):
        for who in (BEN, VISITOR):
            with pytest.raises(InvalidInput):
                await in_gallery(who, where)

    for image in (tram, other):
        await library.images.trash.put(ANA, image.id)
    for where, expected in ((ImageFilter(tag="tram"), tram), (ImageFilter(rating=5), other)):
        page = await library.images.trash.list(ANA, where=where)
        assert [each.id for each in page.items] == [expected.id]
    first = await library.images.trash.list(ANA, where=ImageFilter(is_favorite=False), limit=1)
    rest = await library.images.trash.list(ANA, where=ImageFilter(is_favorite=False), cursor=first.next_cursor)
    assert {each.id for each in (*first.items, *rest.items)} == {tram.id, other.id}
    with pytest.raises(InvalidCursor):
        await library.images.trash.list(ANA, cursor=first.next_cursor)


async def test_each_change_is_an_event_that_says_what_changed(library: Library) -> None:
    image = await library.add_image(make_image())
    await library.images.update(ANA, image.id, title="Line 28", tags=["tram"], is_favorite=True)
    await library.images.batches.run(ANA, "favorite", [image.id])  # it is one
    await library.images.batches.run(ANA, "rate", [image.id], rating=3)
    async with library.database.connection() as connection:
        rows = await connection.fetch("SELECT data FROM events WHERE type = 'image.updated' ORDER BY id")
    assert [row["data"]["fields"] for row in rows] == [["is_favorite", "tags", "title"], ["rating"]]


async def test_a_wrong_count_is_found_and_counted_again(library: Library) -> None:
    images = [await tagged(library, "tram", "sea") for _ in range(3)]
    check = TagCounts(library.database)
    assert [finding async for step in check.run(repair=False) for finding in step.findings] == []
    async with library.database.transaction() as connection:
        await connection.execute("DELETE FROM tag_counts WHERE tag_id = $1", await id_of(library, "tram"))
        await connection.execute("UPDATE image_tags SET is_listed = false WHERE image_id = $1", images[0].id)
    (found,) = [finding async for step in check.run(repair=True) for finding in step.findings]
    assert (found.kind, found.outcome) == (WRONG_TAG_COUNT, RepairOutcome.REPAIRED)
    assert await listed(library) == {"sea": 3, "tram": 3}
    page = await library.images.library.list(ANA, where=ImageFilter(tag="tram"))
    assert {each.id for each in page.items} == {each.id for each in images}
