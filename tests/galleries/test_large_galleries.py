"""A gallery with more images than a filtered page looks at: pages are short or empty, and nothing is left out."""

from uuid import UUID

import pytest
from tests.support.library import Library

from imagegallery.errors import InvalidCursor, InvalidInput
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.galleries.input import check_selection
from imagegallery.galleries.listing_records import EXAMINED
from imagegallery.galleries.walk import MAX_RANDOM_OFFSET
from imagegallery.images.library.filter import ImageFilter
from imagegallery.pagination import FIRST_ID, MAX_OFFSET, encode_cursor
from imagegallery.principal import Principal

ANA, VISITOR = Principal.user("ana"), Principal.anonymous()
COUNT = 2 * EXAMINED + 1000
RARE = ImageFilter(mime_type="image/gif")

# Image n is the nth in every order but the random one. So many of them are GIFs: the last that the first page looks at,
# the first and the last of the second page, and one more.
_FILL = f"""
ALTER TABLE images DISABLE TRIGGER USER;
ALTER TABLE gallery_images DISABLE TRIGGER USER;
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at)
SELECT md5(n::text)::uuid, 'ana', 'p/' || n || '/', 'p/' || n || '/original.gif', 'tram.gif',
       CASE WHEN n IN ({EXAMINED}, {EXAMINED} + 1, {2 * EXAMINED}, {COUNT}) THEN 'image/gif' ELSE 'image/jpeg' END,
       4000, 3000, 1000, sha256(n::text::bytea), moment, moment, moment
FROM generate_series(1, {COUNT}) AS n, LATERAL (SELECT timestamptz '2026-01-01Z' - n * interval '1 minute' AS moment) t;
INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, image_taken_at, name_key, added_at)
SELECT g.id, i.id, n, i.created_at, i.taken_at, lpad(n::text, 9, '0'), i.created_at
FROM galleries g, generate_series(1, {COUNT}) AS n JOIN images i ON i.id = md5(n::text)::uuid;
UPDATE galleries SET image_count = {COUNT};
ANALYZE images, gallery_images"""


@pytest.fixture
async def gallery(library: Library) -> UUID:
    made = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    async with library.database.connection() as connection:
        await connection.execute(_FILL)
    return made.id


async def walked(library: Library, gallery: UUID, order: ImageOrder, limit: int) -> list[list[UUID]]:
    pages: list[list[UUID]] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        page = await library.galleries.list_images(
            VISITOR, gallery, order=order, seed=3 if order is ImageOrder.RANDOM else None, where=RARE, cursor=cursor,
            limit=limit,
        )  # fmt: skip
        pages.append([image.id for image in page.items])
        cursor = page.next_cursor
    return pages


async def test_bounded_pages_leave_nothing_out_and_repeat_nothing(library: Library, gallery: UUID) -> None:
    async with library.database.connection() as connection:
        rows = await connection.fetch("SELECT id FROM images WHERE mime_type = 'image/gif' ORDER BY created_at DESC")
    last_of_one, first_of_two, last_of_two, last = (row["id"] for row in rows)
    for order in (ImageOrder.POSITION, ImageOrder.CREATED_AT, ImageOrder.TAKEN_AT, ImageOrder.FILENAME):
        assert await walked(library, gallery, order, 50) == [[last_of_one], [first_of_two, last_of_two], [last]]
        assert await walked(library, gallery, order, 1) == [[last_of_one], [first_of_two], [last_of_two], [last]]
    for limit in (1, 50):
        at_random = await walked(library, gallery, ImageOrder.RANDOM, limit)
        assert sorted(image for page in at_random for image in page) == sorted(row["id"] for row in rows)

    for order, seed in ((ImageOrder.POSITION, None), (ImageOrder.RANDOM, 3)):
        page = await library.galleries.list_images_page(VISITOR, gallery, order=order, seed=seed, where=RARE)
        assert len(page.items) < 4
        assert (page.total, page.total_pages) == (None, None), "they are too many to be counted"

    for order, seed in ((ImageOrder.FILENAME, None), (ImageOrder.RANDOM, 3)):
        none = ImageFilter(mime_type="image/bmp")
        empty = await library.galleries.list_images(VISITOR, gallery, order=order, seed=seed, where=none)
        assert empty.items == ()
        assert empty.next_cursor is not None, "behind what was looked at there may be some"

    pages = [
        await library.galleries.list_images_page(VISITOR, gallery, order="random", seed=3, page=number, limit=100)
        for number in range(1, MAX_RANDOM_OFFSET // 100 + 2)
    ]
    shown = [image.id for page in pages for image in page.items]
    assert len(set(shown)) == len(shown) == MAX_RANDOM_OFFSET + 100
    begun = await library.galleries.list_images(VISITOR, gallery, order="random", seed=3, limit=100)
    assert [image.id for image in begun.items] == shown[:100]

    for order, seed, deepest in ((ImageOrder.RANDOM, 3, MAX_RANDOM_OFFSET), (ImageOrder.POSITION, None, MAX_OFFSET)):
        with pytest.raises(InvalidInput, match=f"page must be 1 to {deepest // 50 + 1:,}"):
            await library.galleries.list_images_page(VISITOR, gallery, order=order, seed=seed, page=deepest // 50 + 2)

    scope = check_selection(ImageOrder.RANDOM, 3).scope(gallery)
    with pytest.raises(InvalidCursor, match="Begin again"):  # one slot for all: it would have to be sorted
        await library.galleries.list_images(
            VISITOR, gallery, order="random", seed=3, cursor=encode_cursor(scope, (0, 0, -1, FIRST_ID))
        )
