from hypothesis import assume, given
from hypothesis import strategies as st

from imagegallery.imaging.decoder.sizes import COMFORTABLE, fit, inside, largest, parent, shrink_on_load, turn
from imagegallery.imaging.protocol import Rendition

sides = st.integers(1, 50_000)
sizes = st.tuples(sides, sides)
crops = st.sampled_from([None, "centre", "attention"])


def rendition(box: tuple[int, int], crop: str | None = None) -> Rendition:
    return Rendition("any", *box, format="webp", quality=70, effort=4, crop=crop)


@given(size=sizes, box=sizes, crop=crops)
def test_nothing_is_enlarged_and_everything_fits_its_box(
    size: tuple[int, int], box: tuple[int, int], crop: str | None
) -> None:
    target = fit(size, rendition(box, crop))
    for final, scaled, side, limit in zip(target.final, target.scaled, size, box, strict=True):
        assert 1 <= final <= min(scaled, limit)
        assert scaled <= side


@given(size=sizes, box=sizes)
def test_a_crop_fills_the_box_as_far_as_the_picture_goes(size: tuple[int, int], box: tuple[int, int]) -> None:
    assume(size[0] >= box[0] and size[1] >= box[1])
    assert fit(size, rendition(box, "centre")).final == box


@given(size=sizes, box=sizes)
def test_inside_touches_the_box_or_is_the_picture(size: tuple[int, int], box: tuple[int, int]) -> None:
    width, height = inside(size, box)
    assert (width, height) == size or width == box[0] or height == box[1]


def test_the_usual_sizes() -> None:
    assert inside((5640, 3172), (1920, 1920)) == (1920, 1080)
    assert inside((3, 10_000), (80, 80)) == (1, 80)
    assert fit((5640, 3172), rendition((80, 80), "centre")).scaled == (142, 80)
    assert fit((50, 30), rendition((80, 80), "centre")).final == (50, 30)


@given(size=sizes, box=sizes)
def test_shrinking_on_load_leaves_room_for_a_good_resize(size: tuple[int, int], box: tuple[int, int]) -> None:
    needed = inside(size, box)
    factor = shrink_on_load(size, needed)
    assert factor in (1, 2, 4, 8)
    if factor > 1:
        assert all(side / factor >= COMFORTABLE * want for side, want in zip(size, needed, strict=True))


def test_shrinking_on_load_is_used_where_it_can_be() -> None:
    assert shrink_on_load((8000, 6000), (800, 600)) == 4
    assert shrink_on_load((3840, 2160), (1920, 1080)) == 1


def test_a_rung_is_made_from_the_smallest_comfortable_one() -> None:
    rungs = [(1920, 1080), (800, 450), (300, 169)]
    assert parent(rungs, (142, 80)) == (300, 169)
    assert parent(rungs, (300, 169)) == (800, 450)
    assert parent(rungs, (1000, 562)) == (1920, 1080)


@given(size=sizes, orientation=st.integers(1, 8))
def test_turning_back_is_turning(size: tuple[int, int], orientation: int) -> None:
    assert turn(turn(size, orientation), orientation) == size


@given(size=sizes, boxes=st.lists(sizes, min_size=1))
def test_all_sizes_can_be_made_from_the_largest(size: tuple[int, int], boxes: list[tuple[int, int]]) -> None:
    targets = [inside(size, box) for box in boxes]
    biggest = largest(targets)
    assert all(target[0] <= biggest[0] and target[1] <= biggest[1] for target in targets)
