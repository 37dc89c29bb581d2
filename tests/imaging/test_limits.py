from datetime import timedelta

import pytest

from imagegallery.errors import BadImage
from imagegallery.imaging.limits import (
    ImagingOptions,
    can_move,
    check_header,
    check_scans,
    deadline_for,
    frame_step,
    from_json,
    shortest_deadline,
    to_json,
)

OPTIONS = ImagingOptions(max_pixels=1_000, max_frames=10, max_animation_pixels=5_000)


@pytest.mark.parametrize(
    ("width", "height", "frames", "reason"),
    [
        (11, 91, 1, "too_many_pixels"),
        (1_001, 1, 1, "too_many_pixels"),
        (10, 10, 11, "too_many_frames"),
        (50_000, 50_000, 10_000, "too_many_pixels"),
        (0, 10, 1, "undecodable"),
    ],
)
def test_what_costs_too_much_is_refused_by_name(width: int, height: int, frames: int, reason: str) -> None:
    with pytest.raises(BadImage) as caught:
        check_header(width, height, frames, OPTIONS)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("width", "height", "frames"), [(1, 1, 1), (100, 10, 1), (1, 1_000, 10)])
def test_a_limit_itself_is_within(width: int, height: int, frames: int) -> None:
    check_header(width, height, frames, OPTIONS)


@pytest.mark.parametrize(("frames", "moves"), [(1, False), (2, True), (20, True), (21, False)])
def test_an_animation_moves_as_long_as_decoding_it_is_within_reason(frames: int, moves: bool) -> None:
    assert can_move(100, 10, frames, OPTIONS) is moves


@pytest.mark.parametrize(("frames", "step"), [(2, 1), (5, 1), (6, 2), (10, 2), (11, 3), (20, 4)])
def test_beyond_its_budget_an_animation_gives_up_frames(frames: int, step: int) -> None:
    assert frame_step(100, 10, frames, OPTIONS) == step
    assert 100 * 10 * len(range(0, frames, step)) <= OPTIONS.max_animation_pixels


def test_without_a_budget_nothing_moves() -> None:
    assert not can_move(1, 1, 2, ImagingOptions(max_animation_pixels=0))


def test_the_largest_phone_photographs_pass_by_default() -> None:
    check_header(16_320, 12_240, 1, ImagingOptions())


def test_a_limit_is_told_so_that_it_can_be_read() -> None:
    with pytest.raises(BadImage, match="at most 200,000,000 are accepted"):
        check_header(20_000, 20_000, 1, ImagingOptions())


@pytest.mark.parametrize(
    ("width", "height", "frames", "seconds"),
    [
        (1, 1, 1, 15.0),
        (100, 100, 1, 15.0 + 4.5),
        (1_000, 100, 1, 60.0),
        (10_000, 10_000, 1, 60.0),
        (100, 10, 25, 15.0 + 22.5),
        (100, 10, 50, 60.0),
        (100, 10, 200, 60.0),
        (100, 10, 201, 15.0 + 0.45),  # stands still
    ],
)
def test_a_picture_has_the_time_that_its_pixels_take(width: int, height: int, frames: int, seconds: float) -> None:
    options = ImagingOptions(max_pixels=100_000, max_animation_pixels=50_000, deadline=timedelta(seconds=60))
    assert deadline_for(width, height, frames, options).total_seconds() == pytest.approx(seconds, abs=0.01)
    assert shortest_deadline(options) == timedelta(seconds=15)


def test_without_animations_stills_have_their_time() -> None:
    options = ImagingOptions(max_animation_pixels=0)
    assert deadline_for(10, 10, 10, options) < options.deadline / 3


def test_options_survive_the_command_line() -> None:
    options = ImagingOptions(deadline=timedelta(seconds=1.5), memory_limit=200 * 1024**2, threads=3)
    assert from_json(to_json(options)) == options


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="processes"):
        ImagingOptions(processes=0)


def test_one_scan_too_many_is_refused_and_the_limit_named() -> None:
    check_scans(has_more=False, options=OPTIONS)
    with pytest.raises(BadImage, match="at most 64") as caught:
        check_scans(has_more=True, options=OPTIONS)
    assert (caught.value.reason, caught.value.details["limit"]) == ("too_many_scans", OPTIONS.max_scans)
