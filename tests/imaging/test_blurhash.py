from PIL import Image

from imagegallery.imaging import blurhash
from imagegallery.testing.images import quarters


def shape(code: str) -> tuple[int, int]:
    """Components along and down, as the first character holds them (the BlurHash algorithm's description)."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
    packed = digits.index(code[0])
    return packed % 9 + 1, packed // 9 + 1


def encoded(picture: Image.Image) -> str:
    return blurhash.encode(picture.tobytes(), *picture.size)


def test_the_longer_side_gets_more_components() -> None:
    assert shape(encoded(quarters(32, 24))) == (4, 3)
    assert shape(encoded(quarters(24, 32))) == (3, 4)
    assert shape(encoded(quarters(20, 20))) == (4, 3)


def test_the_average_colour_of_white_is_white() -> None:
    assert encoded(Image.new("RGB", (8, 8), (255, 255, 255)))[2:6] == "TSUA"


def test_a_single_pixel_has_one() -> None:
    assert len(encoded(Image.new("RGB", (1, 1)))) == 28
