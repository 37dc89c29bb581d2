"""The check on ourselves: a picture that was lost on the way is found, a changed one is not taken for it."""

from collections.abc import Sequence

import pytest
import pyvips

from imagegallery.errors import BadImage
from imagegallery.imaging.decoder import sight

Colour = tuple[int, ...]


def of(pixels: Sequence[Colour]) -> sight.Sight:
    image = pyvips.Image.new_from_memory(b"".join(map(bytes, pixels)), len(pixels), 1, len(pixels[0]), "uchar")
    return sight.see(image.copy(interpretation="srgb"))


VARIED = ((200, 10, 10), (10, 200, 10))


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (VARIED, ((180, 60, 20), (60, 180, 20)), False),
        (VARIED, ((0, 0, 0), (0, 0, 0)), True),
        (VARIED, ((90, 90, 90), (90, 90, 90)), True),
        (((200, 32, 16),) * 2, ((0, 0, 0),) * 2, True),
        (((200, 32, 16),) * 2, ((190, 40, 20),) * 2, False),
        (((9, 9, 9, 255),) * 2, ((9, 9, 9, 0),) * 2, True),
        (((9, 9, 9, 0),) * 2, ((0, 0, 0, 0),) * 2, False),
        (((3, 3, 3),) * 2, ((0, 0, 0),) * 2, False),
    ],
)
def test_a_conversion_that_loses_the_picture_is_found(
    before: Sequence[Colour], after: Sequence[Colour], lost: bool
) -> None:
    if not lost:
        sight.check_conversion(of(before), of(after))
        return
    with pytest.raises(BadImage) as caught:
        sight.check_conversion(of(before), of(after))
    assert caught.value.reason == "rendering_empty"


def test_an_encoder_that_makes_another_picture_is_found() -> None:
    sight.check_encoding(of(VARIED), of(((190, 20, 20), (20, 190, 20))))
    for other in (((0, 0, 0),) * 2, ((105, 105, 10),) * 2, ((200, 10, 10, 0), (10, 200, 10, 0))):
        with pytest.raises(BadImage):
            sight.check_encoding(of(VARIED), of(other))
