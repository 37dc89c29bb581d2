"""Names in the order in which people count. Pure."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.images.image.filename import KEY_LENGTH, natural_key

names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=255)


@pytest.mark.parametrize(
    "in_order",
    [
        ["img1.jpg", "img2.jpg", "img10.jpg", "img100.jpg"],
        ["1.jpg", "2.jpg", "11.jpg", "a.jpg"],
        ["IMG_2.jpg", "img_3.JPG", "Img_10.jpg"],
        ["2024-06-01 9.jpg", "2024-06-01 10.jpg", "2024-12-01 1.jpg"],
        ["a9b1", "a9b02", "a010b1"],
        ["img" + "9" * 30, "img1" + "0" * 30],
        ["tram", "tram 1", "tram1"],
    ],
)
def test_numbers_count_as_numbers(in_order: list[str]) -> None:
    assert sorted(in_order, key=natural_key, reverse=True) == in_order[::-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [("STRASSE", "straße"), ("img２", "img2"), ("é", "e\u0301"), ("img007", "IMG7"), ("٣", "3"), ("ﬁn", "fin")],
)
def test_what_looks_the_same_counts_the_same(one: str, other: str) -> None:
    assert natural_key(one) == natural_key(other)


@given(names)
def test_a_key_fits_an_index_and_a_cursor(name: str) -> None:
    key = natural_key(name)
    assert key
    assert len(key) <= KEY_LENGTH
    assert len(key.encode()) <= 4 * KEY_LENGTH


@given(st.text(string.ascii_letters, max_size=5), st.integers(0, 10**20), st.integers(0, 10**20))
def test_numbers_after_the_same_letters_sort_by_value(prefix: str, low: int, high: int) -> None:
    low, high = sorted((low, high))
    assert (natural_key(f"{prefix}{low}") < natural_key(f"{prefix}{high}")) == (low < high)
