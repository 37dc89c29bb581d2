import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery import InvalidInput
from imagegallery.common.validation import Faults
from imagegallery.images.image.filename import check_filename, clean_filename, download_name


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("tram.jpg", "tram.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\tram.jpg", "tram.jpg"),
        ("holiday/", "holiday"),
        ("a/./..", "a"),
        ("tr\0am.jpg", "tram.jpg"),
        ("tram\r\n2.jpg", "tram 2.jpg"),
        ("\ud800tram.jpg", "tram.jpg"),
        (".htaccess", "htaccess"),
        ("tram.jpg. .", "tram.jpg"),
        ("  two   words.jpg ", "two words.jpg"),
        ("what?*<>|.jpg", "what_____.jpg"),
        ("con.jpg", "_con.jpg"),
        ("LPT1", "_LPT1"),
        ("contact.jpg", "contact.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("תמונה.jpg", "תמונה.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\ufefftram.jpg", "tram.jpg"),
        ("👩\u200d👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿.jpg", "👩\u200d👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿.jpg"),
    ],
)
def test_a_name_becomes_safe_and_stays_itself(raw: str, clean: str) -> None:
    assert clean_filename(raw) == clean


@pytest.mark.parametrize("raw", ["", "...", " . . ", "/", "\\", "\0", "\u202e", "../.."])
def test_what_holds_no_name_gets_one(raw: str) -> None:
    assert clean_filename(raw) == "image"


def test_a_long_name_keeps_its_extension() -> None:
    name = clean_filename("x" * 1000 + ".jpeg")
    assert len(name) == 255
    assert name.endswith("x.jpeg")


def test_a_long_name_without_an_extension_is_cut() -> None:
    assert clean_filename("x" * 1000) == "x" * 255
    assert len(clean_filename("a." + "x" * 1000)) == 255


def test_a_name_has_at_most_255_bytes_however_many_characters() -> None:
    assert clean_filename("\u6771" * 300 + ".jpg") == "\u6771" * 83 + ".jpg"
    assert clean_filename("\u6771" * 300) == "\u6771" * 85


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" el\u00e9ctrico  28.jpg ", "el\u00e9ctrico 28.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("\u6771" * 85, "\u6771" * 85),
    ],
)
def test_a_name_that_somebody_chose_stays_if_it_is_safe(given: str, kept: str) -> None:
    faults = Faults()
    assert check_filename(faults, ("body", "filename"), given) == kept
    faults.check()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("..", "dots alone"),
        ("\u6771" * 86, "at most 255 bytes"),
        ("photo\u202egpj.exe", "direction"),
        ("<script>.jpg", "markup"),
        ("a<b.jpg", "'a_b.jpg' would be"),
        ("../tram.jpg", "'tram.jpg' would be"),
        ("a\\b.jpg", "'b.jpg' would be"),
        (".htaccess", "'htaccess' would be"),
        ("con.jpg", "'_con.jpg' would be"),
        ("tram.jpg\0", "control characters"),
        ("", "1 to 255"),
    ],
)
def test_any_other_choice_is_refused_with_what_would_do(given: str, said: str) -> None:
    faults = Faults()
    check_filename(faults, ("body", "filename"), given)
    with pytest.raises(InvalidInput, match=said):
        faults.check()


@pytest.mark.parametrize(
    ("name", "content_type", "saved"),
    [
        ("tram.jpg", "image/jpeg", "tram.jpg"),
        ("TRAM.JPEG", "image/jpeg", "TRAM.JPEG"),
        ("tram.heif", "image/heic", "tram.heif"),
        ("tram.html", "image/jpeg", "tram.html.jpg"),
        ("tram.png", "image/jpeg", "tram.jpg"),
        ("12.05.2023", "image/webp", "12.05.2023.webp"),
        ("tram", "image/png", "tram.png"),
        (".png", "image/jpeg", "image.jpg"),
        ("../a<b>.exe", "image/gif", "a_b_.exe.gif"),
        ("x" * 255, "image/avif", "x" * 250 + ".avif"),
    ],
)
def test_a_picture_is_saved_as_the_picture_that_it_is(name: str, content_type: str, saved: str) -> None:
    assert download_name(name, content_type) == saved


def test_a_cut_does_not_part_a_family_or_a_letter_from_its_accents() -> None:
    family = "x" * 249 + "👩\u200d👧.jpg"
    assert clean_filename(family) == "x" * 249 + ".jpg"
    accented = "x" * 250 + "q\u0303\u0301.jpg"  # q has no composed form
    assert clean_filename(accented) == "x" * 250 + ".jpg"


@given(st.text())
def test_any_text_becomes_a_name(raw: str) -> None:
    name = clean_filename(raw)
    assert 1 <= len(name.encode()) <= 255
    assert not set(name) & set('/\\\0\r\n<>:"|?*')
    assert unicodedata.is_normalized("NFC", name)
    assert name.strip(" .") == name
    name.encode()


@given(st.text(alphabet=st.sampled_from("a.é ~/\\\u0301\u200d\u202e👩_<conON1\t"), max_size=300))
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    assert clean_filename(clean_filename(raw)) == clean_filename(raw)
