"""From a file's texts, which may say anything, to words that can be shown."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imagegallery.common.validation import Faults
from imagegallery.images.words.file_words import Words, read_words
from imagegallery.images.words.words import check_words
from imagegallery.imaging.protocol import FileWords, Notes

TEXTS = st.lists(st.text(), max_size=5).map(tuple)


def said(**words: tuple[str, ...]) -> Words:
    return read_words(b"", Notes(words=FileWords(**words)))


@given(st.builds(FileWords, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS))
def test_whatever_a_file_says_could_be_said_by_its_owner(words: FileWords) -> None:
    found = read_words(b"", Notes(words=words))
    faults = Faults()
    check_words(faults, found.tags, found.title, found.description, found.rating)
    faults.check()
    assert Words.from_json(found.to_json()) == found


def test_control_and_direction_characters_are_taken_out_and_what_is_no_tag_is_left_out() -> None:
    strange = ("tr\0am", "TRAM", "\N{RIGHT-TO-LEFT OVERRIDE}gpj", "<b>", "...", " two\n lines ", "x" * 101, "")
    assert said(tags=strange).tags == ("gpj", "tram", "two lines")
    assert said(tags=tuple(map(str, range(10_000)))).tags[0] == "0"
    assert len(said(tags=tuple(map(str, range(10_000)))).tags) == 100
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}"
    assert said(people=(family,)).people == (family,)


@pytest.mark.parametrize(
    ("rating", "stars"), [("5", 5), (" 3 ", 3), ("4.0", 4), ("0", None), ("-1", None), ("99", None), ("five", None)]
)
def test_a_rating_is_in_stars(rating: str, stars: int | None) -> None:
    assert said(ratings=(rating,)).rating == stars


def utf_16(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def test_exif_counts_last_and_cameras_are_no_authors() -> None:
    exif = Pillow.Exif()
    exif[0x010E], exif[0x4746] = "OLYMPUS DIGITAL CAMERA         ", 4
    exif[0x9C9B], exif[0x9C9C], exif[0x9C9E] = utf_16("Line 28"), utf_16("Up to the castle"), utf_16("tram; sea;tram")
    block = exif.tobytes()
    assert read_words(block) == Words(("sea", "tram"), "Line 28", "Up to the castle", 4)
    better = Notes(words=FileWords(("XMP",), ("Title",), ("Text",), ("2",)))
    assert read_words(block, better) == Words(("XMP",), "Title", "Text", 2)
    for camera in ("SONY DSC", "DCIM\\100MEDIA\\DJI_0001.JPG", "   ", "---"):
        exif = Pillow.Exif()
        exif[0x010E] = camera
        assert read_words(exif.tobytes()) == Words()


@given(st.binary(max_size=200))
def test_no_exif_block_raises(block: bytes) -> None:
    read_words(b"II*\0" + struct.pack("<I", 8) + block)
