"""Input checked in one pass."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.common.validation import Faults
from imagegallery.errors import Fault, InvalidInput

PATH = ("body", "name")


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def found(faults: Faults) -> tuple[Fault, ...]:
    try:
        faults.check()
    except InvalidInput as error:
        return error.faults
    return ()


def test_nothing_wrong_raises_nothing() -> None:
    faults = Faults()

    assert faults.line(PATH, "  a name ", 6) == "a name"
    assert faults.prose(PATH, "two\r\n\tlines", 20) == "two\r\n\tlines"
    assert faults.choice(PATH, "blue", Colour) is Colour.BLUE
    assert found(faults) == ()


def test_all_that_is_wrong_is_raised_at_once_and_said_in_the_message() -> None:
    faults = Faults()
    faults.line(("body", "name"), " ", 6)
    faults.prose(("body", "text"), "abc", 2)
    faults.choice(("query", "colour"), "green", Colour)

    with pytest.raises(InvalidInput) as caught:
        faults.check()

    assert caught.value.faults == (
        Fault(("body", "name"), "must be 1 to 6 characters long"),
        Fault(("body", "text"), "must be at most 2 characters long"),
        Fault(("query", "colour"), "must be one of red, blue"),
    )
    assert "text must be at most 2 characters long" in caught.value.message


@given(st.text(max_size=30))
def test_what_passes_can_be_stored(text: str) -> None:
    faults = Faults()
    line, prose = faults.line(PATH, text, 20), faults.prose(PATH, text, 20)

    if not found(faults):
        assert 1 <= len(line) <= 20
        assert line == line.strip()
        for each in (line, prose):
            assert "\0" not in each.encode().decode()


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_are_refused_everywhere(character: str) -> None:
    for check in (Faults.line, Faults.prose):
        faults = Faults()
        check(faults, PATH, f"a{character}b", 20)
        assert found(faults) == (Fault(PATH, "must not contain control characters"),)
