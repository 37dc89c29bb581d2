"""What a policy says, and that it says nothing that nobody could keep."""

import pytest

from imagegallery.errors import ConfigurationError, WrongDimensions
from imagegallery.policies.policy import Policy, check_policy_name

WIDE = Policy(min_width=200, max_width=400, min_height=100, max_height=300, max_pixels=100_000, min_aspect=1.0)


@pytest.mark.parametrize(
    ("width", "height", "broken"),
    [
        (200, 100, None),
        (400, 250, None),
        (199, 100, "min_width"),
        (401, 100, "max_width"),
        (200, 99, "min_height"),
        (400, 301, "max_height"),
        (400, 251, "max_pixels"),
        (200, 201, "min_aspect"),
    ],
)
def test_dimensions_are_held_to_each_limit(width: int, height: int, broken: str | None) -> None:
    if broken is None:
        WIDE.check_dimensions(width, height)
        return
    with pytest.raises(WrongDimensions) as refused:
        WIDE.check_dimensions(width, height)
    assert refused.value.details == {"width": width, "height": height, broken: getattr(WIDE, broken)}


def test_the_words_name_the_limit() -> None:
    with pytest.raises(WrongDimensions, match=r"has 100 x 1,000 pixels; it must be at least 200 wide\."):
        Policy(min_width=200).check_dimensions(100, 1000)
    with pytest.raises(WrongDimensions, match=r"its width must be at most 1\.5 times its height\."):
        Policy(max_aspect=1.5).check_dimensions(160, 100)


@pytest.mark.parametrize(
    "impossible",
    [
        {"min_width": 3, "max_width": 2},
        {"min_aspect": 2.0, "max_aspect": 1.0},
        {"single": True, "max_images": 3},
        {"types": ("image/svg+xml",)},
    ],
)
def test_what_nobody_could_keep_is_no_policy(impossible: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Policy(**impossible)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", ["max_size", "min_width", "max_images", "max_pixels"])
def test_limits_are_above_nothing(limit: str) -> None:
    with pytest.raises(ValueError, match=limit):
        Policy(**{limit: 0})  # type: ignore[arg-type]


def test_room_is_one_or_some_or_any() -> None:
    assert (Policy(single=True).room, Policy(max_images=3).room, Policy().room) == (1, 3, None)


@pytest.mark.parametrize("name", ["", "Avatar", "a-b", "1a", "a" * 33, "a.b", "ä"])
def test_names_are_words_of_code_and_of_the_environment(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name for a policy"):
        check_policy_name(name)
