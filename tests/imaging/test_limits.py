from datetime import timedelta

import pytest

from imagegallery.errors import BadImage
from imagegallery.imaging.limits import ImagingOptions, check_header, from_json, keeps_animation, to_json

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


@pytest.mark.parametrize(("frames", "kept"), [(1, False), (2, True), (5, True), (6, False)])
def test_an_animation_is_kept_within_its_budget(frames: int, kept: bool) -> None:
    assert keeps_animation(100, 10, frames, OPTIONS) is kept


def test_the_largest_phone_photographs_pass_by_default() -> None:
    check_header(16_320, 12_240, 1, ImagingOptions())


def test_a_limit_is_told_so_that_it_can_be_read() -> None:
    with pytest.raises(BadImage, match="at most 200,000,000 are accepted"):
        check_header(20_000, 20_000, 1, ImagingOptions())


def test_options_survive_the_command_line() -> None:
    options = ImagingOptions(deadline=timedelta(seconds=1.5), memory_limit=200 * 1024**2, threads=3)
    assert from_json(to_json(options)) == options


def test_options_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="processes"):
        ImagingOptions(processes=0)
