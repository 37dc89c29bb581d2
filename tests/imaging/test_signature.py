import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.imaging.signature import HEAD_SIZE, is_as_declared, sniff
from imagegallery.uploads.session.policy import UploadPolicy


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """A file type box (ISO/IEC 14496-12 section 4.3), and the start of what follows it."""
    brands = major + bytes(4) + b"".join(compatible)
    return (len(brands) + 8).to_bytes(4, "big") + b"ftyp" + brands + b"\0\0\0\x20meta" + bytes(24)


@pytest.mark.parametrize(
    ("start", "content_type"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\xff\xd8\xff\xe1Exif", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (ftyp(b"avif", b"mif1", b"miaf"), "image/avif"),
        (ftyp(b"avis", b"avif", b"msf1"), "image/avif"),
        (ftyp(b"mif1", b"avif", b"miaf"), "image/avif"),
        (ftyp(b"heic", b"mif1", b"heic"), "image/heic"),
        (ftyp(b"heix", b"mif1"), "image/heic"),
        (ftyp(b"hevc", b"msf1"), "image/heic"),
        (ftyp(b"mif1", b"mif1", b"heic"), "image/heic"),
        (ftyp(b"msf1", b"hevc"), "image/heic"),
        (ftyp(b"mif1"), "image/heif"),
        (ftyp(b"msf1", b"iso8"), "image/heif"),
        (ftyp(b"isom", b"mp42", b"avc1"), None),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"%PDF-1.7", None),
        (b"BM\0\0\0\0", None),
        (b"II*\0", None),
        (b"", None),
        (b"\xff\xd8", None),
    ],
)
def test_a_file_is_known_by_its_first_bytes(start: bytes, content_type: str | None) -> None:
    assert sniff(start) == content_type


def test_brands_beyond_the_box_do_not_count() -> None:
    assert sniff(ftyp(b"mif1") + b"avif") == "image/heif"


@given(st.binary(max_size=200))
def test_the_first_bytes_are_enough(start: bytes) -> None:
    assert sniff(start) == sniff(start[:HEAD_SIZE])


@given(st.binary(max_size=HEAD_SIZE))
def test_any_bytes_are_of_an_uploadable_type_or_of_none(tail: bytes) -> None:
    assert sniff(b"\0\0\0\x20ftyp" + tail) in (None, *UploadPolicy().allowed_types)


def test_heic_and_heif_are_one_format_under_two_names() -> None:
    assert is_as_declared("image/heic", "image/heif")
    assert is_as_declared("image/heif", "image/heic")
    assert is_as_declared("image/png", "image/png")
    assert not is_as_declared("image/heic", "image/avif")
    assert not is_as_declared("image/png", None)
