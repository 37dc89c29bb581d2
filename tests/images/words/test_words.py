"""Words: what may be said of an image, and which tags are the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.common.validation import Faults
from imagegallery.errors import InvalidInput
from imagegallery.images.words.words import (
    MAX_DESCRIPTION,
    MAX_TAG,
    MAX_TAGS,
    MAX_TITLE,
    WordChanges,
    check_words,
    distinct,
    key_of,
)

DECOMPOSED = "Cafe\N{COMBINING ACUTE ACCENT}"


def test_capitals_and_the_form_of_accents_make_no_other_tag() -> None:
    tags = distinct(["Café", DECOMPOSED, "CAFÉ", "STRASSE", "straße", "Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"])
    assert [each.name for each in tags] == ["Café", "STRASSE", "Ὀδυσσεύς"]


@given(st.text(max_size=50))
def test_a_key_is_its_own_key(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)
    assert key_of(unicodedata.normalize("NFD", name)) == key_of(name)


def test_what_is_said_is_kept_as_it_is_shown() -> None:
    faults = Faults()
    words = check_words(faults, ["  two  blanks ", DECOMPOSED], " Line 28 ", "One\nTwo\n", 0)
    faults.check()
    assert isinstance(words.tags, tuple)
    assert [each.name for each in words.tags] == ["Café", "two blanks"]
    assert (words.title, words.description, words.rating) == ("Line 28", "One\nTwo\n", 0)
    assert words.said == ("tags", "title", "description", "rating")
    assert not WordChanges(title="Line 28", description="").is_for_owner


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"tags": ["tram", "a\0b"]}, "tags.1"),
        ({"tags": ["gpj\N{RIGHT-TO-LEFT OVERRIDE}.exe"]}, "tags.0"),
        ({"tags": ["<script>alert(1)</script>"]}, "tags.0"),
        ({"tags": ["  "]}, "tags.0"),
        ({"tags": ["x" * (MAX_TAG + 1)]}, "tags.0"),
        ({"tags": [str(number) for number in range(MAX_TAGS + 1)]}, "tags"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "x" * (MAX_TITLE + 1)}, "title"),
        ({"description": "\x07"}, "description"),
        ({"description": "x" * (MAX_DESCRIPTION + 1)}, "description"),
        ({"rating": 6}, "rating"),
        ({"rating": -1}, "rating"),
    ],
)
def test_what_cannot_be_shown_is_refused_where_it_stands(given: dict[str, object], path: str) -> None:
    faults = Faults()
    check_words(faults, **given)  # type: ignore[arg-type]  # of whatever field
    with pytest.raises(InvalidInput) as raised:
        faults.check()
    assert [".".join(fault.path) for fault in raised.value.faults] == [f"body.{path}"]
