"""Positions: room between neighbours, and what becomes of it when a gap closes. Pure."""

import itertools
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from imagegallery.galleries.positions import (
    COMFORT,
    HIGHEST,
    LOWEST,
    REACHES,
    SPACING,
    Placement,
    Renumbering,
    place,
    spread,
)

positions = st.integers(LOWEST + 1, HIGHEST - 1)
# Crowded lists, so that gaps close: many positions right next to each other.
crowded = st.lists(st.integers(0, 60) | positions, min_size=1, max_size=40, unique=True).map(sorted)


def placed(order: list[int], at: int, count: int) -> tuple[Placement, int]:
    """The first reach that finds room, as the service tries them."""
    for reach in REACHES:
        found = place(order[:at][::-1][: reach + 1], order[at:][: reach + 1], count, reach)
        if found is not None:
            return found, reach
    raise AssertionError("no reach finds room")


@given(below=positions, above=positions, count=st.integers(1, 1000))
def test_positions_are_between_their_bounds(below: int, above: int, count: int) -> None:
    below, above = sorted((below, above))

    found = spread(below, above, count)

    assert (found is None) == (above - below <= count)
    if found is not None:
        assert len(found) == count
        assert all(a < b for a, b in itertools.pairwise([below, *found, above]))


@given(bound=positions, count=st.integers(1, 1000))
def test_an_open_end_has_room_until_numbers_end(bound: int, count: int) -> None:
    for below, above in ((bound, None), (None, bound)):
        found = spread(below, above, count)
        if found is not None:
            bounds = [LOWEST if below is None else below, *found, HIGHEST if above is None else above]
            assert all(a < b for a, b in itertools.pairwise(bounds))


def test_ends_grow_by_the_spacing() -> None:
    assert spread(7, None, 2) == (7 + SPACING, 7 + 2 * SPACING)
    assert spread(None, 7, 2) == (7 - 2 * SPACING, 7 - SPACING)
    assert spread(HIGHEST - 3, None, 3) is None


def test_a_gap_takes_32_images_one_by_one_before_anything_else_is_written() -> None:
    below, above = 0, SPACING
    for _ in range(32):
        found = place([below], [above], 1, 0)
        assert found is not None
        assert (found.before, found.after) == ((), ())
        (above,) = found.moved
    assert place([below], [above], 1, 0) is None


@given(order=crowded, data=st.data(), count=st.integers(1, 50))
def test_what_is_placed_keeps_the_order_and_writes_no_more_than_its_reach(
    order: list[int], data: st.DataObject, count: int
) -> None:
    at = data.draw(st.integers(0, len(order)))

    found, reach = placed(order, at, count)

    first, last = at - len(found.before), at + len(found.after)
    result = [*order[:first], *found.before, *found.moved, *found.after, *order[last:]]
    assert all(a < b for a, b in itertools.pairwise(result))
    assert len(found.moved) == count
    assert len(found.before) <= reach
    assert len(found.after) <= reach
    if reach:
        window = [found.below, *found.before, *found.moved, *found.after, found.above]
        assert all(b - a >= COMFORT for a, b in itertools.pairwise(window))


@given(order=crowded, data=st.data(), count=st.integers(1, 50))
def test_a_cursor_from_before_a_renumbering_goes_on_where_it_was(
    order: list[int], data: st.DataObject, count: int
) -> None:
    """Whether its image is still there or not: a position between two images stays between them."""
    at = data.draw(st.integers(0, len(order)))
    found, _ = placed(order, at, count)
    first, last = at - len(found.before), at + len(found.after)
    new = [*order[:first], *found.before, *found.after, *order[last:]]
    change = Renumbering(1, found.below, found.above, tuple(order[first:last]), found.before + found.after)

    cursor = data.draw(st.sampled_from(order) | positions)

    assert sum(position <= change.translate(cursor) for position in new) == sum(p <= cursor for p in order)


class Shelf:
    """A list of images, and the same as numbers: what `place` is for."""

    def __init__(self, count: int) -> None:
        self.images = [UUID(int=number) for number in range(count)]
        self.numbers = {image: number * SPACING for number, image in enumerate(self.images)}
        self.written = self.most_written = 0

    def move(self, image: UUID, to: int) -> None:
        self.images.remove(image)
        old = [self.numbers[each] for each in self.images]
        found, _ = placed(old, to, 1)
        self.images.insert(to, image)
        window = self.images[to - len(found.before) : to + 1 + len(found.after)]
        self.numbers.update(zip(window, (*found.before, *found.moved, *found.after), strict=True))
        self.written += len(window)
        self.most_written = max(self.most_written, len(window))


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=60))
def test_any_series_of_moves_is_that_of_a_list(moves: list[tuple[int, int]]) -> None:
    shelf = Shelf(20)
    for number, to in moves:
        shelf.move(UUID(int=number), to)
        assert sorted(shelf.images, key=shelf.numbers.__getitem__) == shelf.images


def test_what_a_closing_gap_costs_is_shared_by_many_moves() -> None:
    """The worst case: every move goes into the same gap of a long list."""
    shelf = Shelf(600)
    for number in range(1000):
        shelf.move(shelf.images[-1 - number % 200], 300)
    assert shelf.written <= 1000 * 16
    assert shelf.most_written <= 2 * 64 + 1
