import pytest

from imagegallery.imaging.decoder_errors import bad_image, is_cut


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [
        ("unable to call jpegload\n  VipsJpeg: premature end of JPEG image", "truncated"),
        ("gifload: Unexpected end of GIF source data", "truncated"),
        ("heif: Invalid input: Unexpected end of file", "truncated"),
        ("vips_tracked: out of memory --- size == 768MB", "decoder_out_of_memory"),
        ("GLib-ERROR **: gmem.c:106: failed to allocate 123 bytes", "decoder_out_of_memory"),
        ("VipsJpeg: Insufficient memory (case 4)", "decoder_out_of_memory"),
        ("ImportError: libde265.so.0: failed to map segment from shared object", "decoder_out_of_memory"),
        ("Unsupported feature: Unsupported codec", "unsupported"),
        ("Support for this compression format has not been built in", "unsupported"),
        ("webp: unable to parse image", "undecodable"),
        ("", "undecodable"),
    ],
)
def test_a_complaint_becomes_a_reason(complaint: str, reason: str) -> None:
    assert bad_image(complaint).reason == reason


def test_what_is_known_to_be_cut_is_truncated() -> None:
    assert bad_image("libpng read error", cut=True).reason == "truncated"
    assert bad_image("out of memory", cut=True).reason == "decoder_out_of_memory"


@pytest.mark.parametrize(
    ("content_type", "size", "head", "tail", "cut"),
    [
        ("image/webp", 108, b"RIFF\x64\0\0\0WEBP", b"", False),
        ("image/webp", 107, b"RIFF\x64\0\0\0WEBP", b"", True),
        ("image/png", 100, b"\x89PNG", b"..IEND\xae\x42\x60\x82", False),
        ("image/png", 100, b"\x89PNG", b"..IDAT", True),
        ("image/jpeg", 100, b"\xff\xd8\xff", b"", False),
    ],
)
def test_containers_tell_whether_their_end_is_there(
    content_type: str, size: int, head: bytes, tail: bytes, cut: bool
) -> None:
    assert is_cut(content_type, size, head, tail) is cut
