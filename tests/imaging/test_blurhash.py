"""The hash is read by a decoder that is written after the algorithm's description, as those of clients are."""

import math
from collections.abc import Callable, Sequence
from operator import mul
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from tests.support.images import BLUE, RED, quarters

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.imaging import blurhash
from imagegallery.imaging.sandbox.engine import SandboxedEngine

Place = Callable[[bytes], Path]
Colour = tuple[int, int, int]

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def number(code: str) -> int:
    value = 0
    for digit in code:
        value = value * 83 + DIGITS.index(digit)
    return value


def shape(code: str) -> tuple[int, int]:
    """Components across and down."""
    return number(code[0]) % 9 + 1, number(code[0]) // 9 + 1


def light(value: float) -> float:
    return value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4


def value_of(linear: float) -> int:
    bounded = max(0.0, min(1.0, linear))
    return round(255 * (bounded * 12.92 if bounded <= 0.0031308 else 1.055 * bounded ** (1 / 2.4) - 0.055))


def decoded(code: str, width: int = 16, height: int = 16) -> list[list[Colour]]:
    across, down = shape(code)
    loudest = (number(code[1]) + 1) / 166
    average = number(code[2:6])
    factors = [[light(average >> 16), light(average >> 8 & 255), light(average & 255)]]
    for start in range(6, len(code), 2):
        packed = number(code[start : start + 2])
        steps = (packed // 361, packed // 19 % 19, packed % 19)
        factors.append([math.copysign(((step - 9) / 9) ** 2, step - 9) * loudest for step in steps])

    def colour(x: int, y: int) -> Colour:
        waves = [
            math.cos(math.pi * h * x / width) * math.cos(math.pi * v * y / height)
            for v in range(down)
            for h in range(across)
        ]
        red, green, blue = (sum(map(mul, waves, band)) for band in zip(*factors, strict=True))
        return value_of(red), value_of(green), value_of(blue)

    return [[colour(x, y) for x in range(width)] for y in range(height)]


def lights(picture: Image.Image) -> Sequence[float]:
    small = picture.resize((blurhash.SIDE, blurhash.SIDE), Image.Resampling.NEAREST)
    return [light(byte) for byte in small.tobytes()]


def test_the_longer_side_gets_more_components() -> None:
    pixels = lights(quarters(32, 32))
    assert shape(blurhash.encode(pixels)) == (4, 3)
    assert shape(blurhash.encode(pixels, is_upright=True)) == (3, 4)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (180, 120, 60), (1, 254, 128)])
@pytest.mark.parametrize("is_upright", [False, True])
def test_one_colour_stays_one_colour(colour: Colour, is_upright: bool) -> None:
    code = blurhash.encode(lights(Image.new("RGB", (32, 32), colour)), is_upright=is_upright)
    assert {pixel for row in decoded(code) for pixel in row} == {colour}


def test_a_picture_is_where_it_was() -> None:
    rows = decoded(blurhash.encode(lights(quarters(32, 32))))
    for colour, (x, y) in {RED: (2, 2), BLUE: (2, 13)}.items():
        strongest = max(range(3), key=lambda band: rows[y][x][band])
        assert strongest == max(range(3), key=lambda band: colour[band])
    assert len(blurhash.encode(lights(quarters(32, 32)))) == 4 + 2 * 12


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("size", [(1600, 100), (100, 1600), (3000, 2), (1, 1), (7, 5)])
async def test_a_flat_picture_of_any_shape_is_flat(
    engine: SandboxedEngine, place: Place, into: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    Image.new("RGB", size, (180, 120, 60)).save(tmp_path / "flat.png")
    answer = await engine.render(
        tmp_path / "flat.png", (), into, content_type="image/png", measurements=PLACEHOLDER.measurements
    )
    assert answer.measured["placeholder"]
    assert {pixel for row in decoded(str(answer.measured["placeholder"])) for pixel in row} == {(180, 120, 60)}


@pytest.mark.asyncio(loop_scope="module")
async def test_the_average_is_that_of_light(engine: SandboxedEngine, into: Path, tmp_path: Path) -> None:
    """Stripes of black and white are as bright as the grey 188, which gives half their light."""
    stripes = Image.new("RGB", (256, 256))
    draw = ImageDraw.Draw(stripes)
    for x in range(0, 256, 8):
        draw.rectangle([x, 0, x + 3, 255], fill=(255, 255, 255))
    stripes.save(tmp_path / "stripes.png")
    answer = await engine.render(
        tmp_path / "stripes.png", (), into, content_type="image/png", measurements=PLACEHOLDER.measurements
    )
    assert answer.measured["placeholder"]
    assert all(
        abs(byte - 188) <= 2 for row in decoded(str(answer.measured["placeholder"])) for pixel in row for byte in pixel
    )


def test_the_mean_colour_is_read_without_decoding() -> None:
    """The specification's own example: https://github.com/woltapp/blurhash."""
    assert blurhash.mean_colour("LEHV6nWB2yk8pyo0adR*.7kCMdnj") == "#979695"
    with pytest.raises(ValueError, match="substring not found"):
        blurhash.mean_colour('L"><script>')
