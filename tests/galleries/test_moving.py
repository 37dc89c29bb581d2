"""Custom order on a real database: moves, many at once, bad ones, and many people moving at the same time."""

import random
from contextlib import suppress
from uuid import UUID, uuid4

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.library import Library, make_image

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import Fault, Forbidden, InvalidInput, NotFound, Unauthenticated
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()


async def gallery_of(library: Library, count: int, visibility: VisibilityLike = "private") -> tuple[UUID, list[UUID]]:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    ids = [(await library.add_image(make_image())).id for _ in range(count)]
    if ids:
        await library.galleries.add_images(ANA, gallery.id, ids)
    return gallery.id, ids


async def shown(library: Library, gallery_id: UUID) -> list[UUID]:
    return [image.id for image in (await library.galleries.list_images_page(ANA, gallery_id, limit=100)).items]


async def rows_written(library: Library, gallery_id: UUID, image_id: UUID) -> int:
    """How many rows the transaction wrote that last wrote this image's: each carries its number."""
    async with library.database.connection() as connection:
        written: int = await connection.fetchval(
            """SELECT count(*) FROM gallery_images WHERE gallery_id = $1 AND xmin = (
                   SELECT xmin FROM gallery_images WHERE gallery_id = $1 AND image_id = $2)""",
            gallery_id,
            image_id,
        )
        return written


async def close_gaps(library: Library, gallery_id: UUID) -> None:
    """As after a great many moves: no number is left between any two images."""
    async with library.database.connection() as connection:
        await connection.execute(
            """UPDATE gallery_images m SET position = packed.place
               FROM (SELECT image_id, row_number() OVER (ORDER BY position) AS place
                     FROM gallery_images WHERE gallery_id = $1) packed
               WHERE m.gallery_id = $1 AND m.image_id = packed.image_id""",
            gallery_id,
        )


def moved(ids: list[UUID], chosen: list[UUID], *, before: UUID | None = None, after: UUID | None = None) -> list[UUID]:
    """What a list of images becomes: the model."""
    rest = [each for each in ids if each not in chosen]
    at = rest.index(before) if before is not None else rest.index(after) + 1 if after is not None else 0
    return [*rest[:at], *chosen, *rest[at:]]


async def test_images_go_before_or_after_another_in_the_order_given(library: Library) -> None:
    gallery_id, ids = await gallery_of(library, 5)
    a, b, c, d, e = ids

    gallery = await library.galleries.move(ANA, gallery_id, [e, b], before=a)
    assert await shown(library, gallery_id) == [e, b, a, c, d]
    await library.galleries.move(ANA, gallery_id, [e], after=d)
    assert await shown(library, gallery_id) == [b, a, c, d, e]
    await library.galleries.move(ANA, gallery_id, [a], after=b)
    assert await shown(library, gallery_id) == [b, a, c, d, e]
    assert gallery.image_count == 5


@pytest.mark.parametrize("count", [1, 3])
async def test_a_move_writes_one_row_for_each_image(library: Library, count: int) -> None:
    gallery_id, ids = await gallery_of(library, 20)
    chosen = ids[-count:]

    await library.galleries.move(ANA, gallery_id, chosen, before=ids[3])

    assert await shown(library, gallery_id) == moved(ids, chosen, before=ids[3])
    assert await rows_written(library, gallery_id, ids[-1]) == count


async def test_a_closed_gap_renumbers_a_window_and_nothing_beyond(library: Library) -> None:
    gallery_id, ids = await gallery_of(library, 80)
    await close_gaps(library, gallery_id)

    await library.galleries.move(ANA, gallery_id, [ids[-1]], after=ids[39])

    assert await shown(library, gallery_id) == moved(ids, [ids[-1]], after=ids[39])
    written = await rows_written(library, gallery_id, ids[-1])
    assert 1 < written <= 80
    await library.galleries.move(ANA, gallery_id, [ids[-2]], after=ids[39])
    assert await rows_written(library, gallery_id, ids[-2]) == 1


async def test_a_thousand_images_move_at_once(library: Library) -> None:
    gallery_id, _ = await gallery_of(library, 0)
    async with library.database.connection() as connection:
        await connection.execute(_MANY, "ana")
        rows = await connection.fetch("SELECT id FROM images ORDER BY filename")
    ids = [row["id"] for row in rows]
    await library.galleries.add_images(ANA, gallery_id, ids[:1000])
    await library.galleries.add_images(ANA, gallery_id, ids[1000:])

    await library.galleries.move(ANA, gallery_id, ids[1:][::-1], before=ids[0])

    assert await shown(library, gallery_id) == ids[1:][::-1][:100]
    assert await rows_written(library, gallery_id, ids[1]) == 1000


_MANY = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at)
SELECT gen_random_uuid(), $1, n || '/', n || '/o.jpg', lpad(n::text, 5, '0'), 'image/jpeg', 4, 3, 1,
       sha256(n::text::bytea), now(), now(), now()
FROM generate_series(1, 1001) AS n"""


async def test_bad_moves_have_one_clear_error_and_change_nothing(library: Library) -> None:
    gallery_id, ids = await gallery_of(library, 4)
    stranger = (await library.add_image(make_image())).id
    a, b, c, d = ids
    unsure = "must be given, or the other one, not both"

    for chosen, before, after, faults in (
        ([a, b], None, stranger, [Fault(("body", "after"), "is not in the gallery")]),
        ([a, b], uuid4(), None, [Fault(("body", "before"), "is not in the gallery")]),
        ([a, b, c], b, None, [Fault(("body", "before"), "is one of the images to move")]),
        ([a, b, a], c, None, [Fault(("body", "image_ids", "2"), "is a repetition")]),
        ([a], b, c, [Fault(("body", "before"), unsure), Fault(("body", "after"), unsure)]),
        ([a], None, None, [Fault(("body", "before"), unsure), Fault(("body", "after"), unsure)]),
        ([a, stranger, d], b, None, [Fault(("body", "image_ids", "1"), "is not in the gallery")]),
        ([], b, None, [Fault(("body", "image_ids"), "must hold 1 to 1,000 ids")]),
        ([uuid4() for _ in range(1001)], b, None, [Fault(("body", "image_ids"), "must hold 1 to 1,000 ids")]),
    ):
        with pytest.raises(InvalidInput) as caught:
            await library.galleries.move(ANA, gallery_id, chosen, before=before, after=after)
        assert list(caught.value.faults) == faults
    assert await shown(library, gallery_id) == ids


async def test_only_the_owner_moves_and_removes(library: Library) -> None:
    open_id, ids = await gallery_of(library, 2, "public")
    hidden_id, hidden = await gallery_of(library, 2)
    galleries = library.galleries

    for principal, gallery_id, images, error in (
        (BEN, open_id, ids, Forbidden),
        (BEN, hidden_id, hidden, NotFound),
        (VISITOR, open_id, ids, Unauthenticated),
    ):
        with pytest.raises(error):
            await galleries.move(principal, gallery_id, images[:1], after=images[1])
        with pytest.raises(error):
            await galleries.remove_images(principal, gallery_id, images)


async def test_a_batch_is_removed_whole_or_not_at_all(library: Library) -> None:
    gallery_id, ids = await gallery_of(library, 4)
    await library.galleries.update(ANA, gallery_id, cover_image_id=ids[1])
    stranger = uuid4()

    for batch, path in (
        ([ids[0], stranger], ("body", "image_ids", "1")),
        ([ids[0], ids[0]], ("body", "image_ids", "1")),
        ([], ("body", "image_ids")),
        ([uuid4() for _ in range(1001)], ("body", "image_ids")),
    ):
        with pytest.raises(InvalidInput) as caught:
            await library.galleries.remove_images(ANA, gallery_id, batch)
        assert [fault.path for fault in caught.value.faults] == [path]
    assert await shown(library, gallery_id) == ids

    gallery = await library.galleries.remove_images(ANA, gallery_id, [ids[1], ids[3]])
    assert await shown(library, gallery_id) == [ids[0], ids[2]]
    assert (gallery.image_count, gallery.cover_image_id) == (2, None)


# Which images, next to which, on which side; numbers are places in the list as it is then.
steps = st.lists(
    st.tuples(
        st.sampled_from(["move", "move", "move", "remove", "add"]),
        st.lists(st.integers(0, 99), min_size=1, max_size=4),
        st.integers(0, 99),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(2, 8), actions=steps, is_crowded=st.booleans())
async def test_a_gallery_is_the_list_that_the_same_actions_make(
    library: Library, count: int, actions: list[tuple[str, list[int], int, bool]], is_crowded: bool
) -> None:
    gallery_id, model = await gallery_of(library, count)
    out: list[UUID] = []
    for action, numbers, number, goes_after in actions:
        if is_crowded:
            await close_gaps(library, gallery_id)
        model, out = await act(library, gallery_id, model, out, action, numbers, number, goes_after)
        assert await shown(library, gallery_id) == model
    assert (await library.galleries.get(ANA, gallery_id)).image_count == len(model)


async def act(
    library: Library,
    gallery_id: UUID,
    model: list[UUID],
    out: list[UUID],
    action: str,
    numbers: list[int],
    number: int,
    goes_after: bool,
) -> tuple[list[UUID], list[UUID]]:
    """Do it to the gallery and to the lists of what is in it and what was taken out."""
    chosen = list(dict.fromkeys(model[each % len(model)] for each in numbers)) if model else []
    rest = [each for each in model if each not in chosen]
    if action == "add":
        if out:
            await library.galleries.add_images(ANA, gallery_id, out)
        return [*model, *out], []
    if action == "remove" and chosen:
        await library.galleries.remove_images(ANA, gallery_id, chosen)
        return rest, [*out, *chosen]
    if action == "move" and chosen and rest:
        anchor = rest[number % len(rest)]
        before, after = (None, anchor) if goes_after else (anchor, None)
        await library.galleries.move(ANA, gallery_id, chosen, before=before, after=after)
        return moved(model, chosen, before=before, after=after), out
    return model, out


async def test_concurrent_moves_lose_and_double_nothing(library: Library) -> None:
    gallery_id, ids = await gallery_of(library, 30)
    stay = ids[:20]

    async def move_at_random(seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(12):
            chosen = choice.sample(stay, choice.randint(1, 5))
            anchor = choice.choice([each for each in stay if each not in chosen])
            await library.galleries.move(ANA, gallery_id, chosen, before=anchor)
            assert_in_a_row(await shown(library, gallery_id), set(stay))

    async def come_and_go() -> None:
        for image_id in ids[20:]:
            await library.galleries.remove_images(ANA, gallery_id, [image_id])
            await library.galleries.add_images(ANA, gallery_id, [image_id])

    async def close() -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
            with suppress(InvalidInput):
                await library.galleries.move(ANA, gallery_id, [ids[0]], after=ids[1])

    await close_gaps(library, gallery_id)
    async with anyio.create_task_group() as tasks:
        for seed in range(4):
            tasks.start_soon(move_at_random, seed)
        tasks.start_soon(come_and_go)
        tasks.start_soon(close)

    assert sorted(await shown(library, gallery_id)) == sorted(ids)


def assert_in_a_row(found: list[UUID], stay: set[UUID]) -> None:
    assert len(found) == len(set(found))
    assert stay <= set(found)


async def test_what_was_in_the_trash_comes_back_between_its_neighbours(library: Library) -> None:
    """Although everything around it was renumbered meanwhile."""
    gallery_id, ids = await gallery_of(library, 12)
    await close_gaps(library, gallery_id)
    await library.images.delete(ANA, ids[5])

    await library.galleries.move(ANA, gallery_id, [ids[11]], after=ids[2])
    await library.images.trash.restore(ANA, ids[5])

    assert await shown(library, gallery_id) == moved(ids, [ids[11]], after=ids[2])
