"""What colours are meant, by everything but a profile; and that no conversion loses the picture.

Right values are those of the standards' own formulas, worked out apart from our code.
"""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pyvips
from PIL import ExifTags, Image, ImageCms
from tests.support import images
from tests.support.images import coded_avif

from imagegallery.imaging.decoder.heic import HeicSource
from imagegallery.imaging.formats.boxes import PrimaryPicture
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = Callable[[bytes], Path]
Colour = tuple[int, ...]

PNG = Rendition("copy", 100, 100, "png", 100, 1)
PROFILE: Any = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3, BT2020, SRGB_CURVE, PQ, HLG = 12, 9, 13, 16, 18


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values: Sequence[int], *chunks: bytes, deep: bool = False) -> bytes:
    """16 x 16 of one colour: grey, RGB or RGBA by the number of values."""
    row = struct.pack(f">{len(values)}{'H' if deep else 'B'}", *values) * 16
    kind = {1: 0, 3: 2, 4: 6}[len(values)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16 if deep else 8, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + row) * 16))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def cicp(primaries: int, transfer: int, *, full: bool = True) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, full]))


COLOURS: tuple[list[float], list[float]] = ([255, 32, 16], [16, 32, 255])


def deep_avif(bits: int, *, profile: bool) -> bytes:
    """(255, 32, 16) above (16, 32, 255)."""
    halves = [pyvips.Image.black(32, 16, bands=3).linear([1.0] * 3, colour) for colour in COLOURS]
    picture = (halves[0].join(halves[1], "vertical") * 257).cast("ushort").copy(interpretation="rgb16")
    if profile:
        picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", PROFILE)
    return bytes(picture.heifsave_buffer(Q=95, compression="av1", bitdepth=bits, subsample_mode="off"))


async def shown(engine: SandboxedEngine, path: Path, into: Path, content_type: str) -> Image.Image:
    answer = await engine.render(path, (PNG,), into, content_type=content_type)
    with Image.open(answer.files[0].path) as picture:
        return picture.convert("RGBA")


def near(seen: object, wanted: Colour, tolerance: int = 2) -> bool:
    assert isinstance(seen, tuple)
    return all(abs(one - other) <= tolerance for one, other in zip(seen, (*wanted, 255), strict=False))


GREY = (128, 128, 128)
CHROMATICITIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(png((200, 100, 50), cicp(P3, SRGB_CURVE)), (215, 93, 31), id="Display P3"),
        pytest.param(png((150, 120, 90), cicp(BT2020, SRGB_CURVE)), (167, 116, 85), id="BT.2020"),
        pytest.param(png((150, 120, 90), cicp(BT2020, 14)), (167, 116, 85), id="BT.2020, video's curve"),
        pytest.param(png((200, 100, 50), cicp(1, SRGB_CURVE)), (200, 100, 50), id="sRGB by code points"),
        pytest.param(png((200, 100, 50), cicp(2, 2)), (200, 100, 50), id="unspecified"),
        pytest.param(png((126, 126, 126), cicp(1, SRGB_CURVE, full=False)), GREY, id="narrow range"),
        pytest.param(png((38055,) * 3, cicp(BT2020, PQ), deep=True), (255, 255, 255), id="PQ, paper white"),
        pytest.param(png((23397,) * 3, cicp(BT2020, PQ), deep=True), (88, 88, 88), id="PQ, 20 cd/m2"),
        pytest.param(png((33297,), cicp(BT2020, PQ), deep=True), (186, 186, 186), id="PQ, grey, 100 cd/m2"),
        pytest.param(png((49143,) * 3, cicp(BT2020, HLG), deep=True), (255, 255, 255), id="HLG, paper white"),
        pytest.param(png((41262,) * 3, cicp(BT2020, HLG), deep=True), (186, 186, 186), id="HLG, 100 cd/m2"),
        pytest.param(
            png((200, 100, 50), cicp(P3, SRGB_CURVE), chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE))),
            (215, 93, 31),
            id="code points before a profile",
        ),
        pytest.param(png((50, 50, 50), chunk(b"gAMA", struct.pack(">I", 100_000))), (122, 122, 122), id="gAMA 1"),
        pytest.param(png((50,), chunk(b"gAMA", struct.pack(">I", 100_000))), (122, 122, 122), id="grey, gAMA 1"),
        pytest.param(png((50, 50, 50), chunk(b"gAMA", struct.pack(">I", 45_455))), (50, 50, 50), id="gAMA of sRGB"),
        pytest.param(png((200, 100, 50), chunk(b"cHRM", CHROMATICITIES)), (215, 93, 31), id="cHRM of P3"),
        pytest.param(
            png((50, 50, 50), chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))),
            (50, 50, 50),
            id="sRGB before gAMA",
        ),
        pytest.param(png((0xFF00, 0x2000, 0x1000), deep=True), (255, 32, 16), id="16 bits"),
        pytest.param(
            png((0xFF00, 0x2000, 0x1000), chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE)), deep=True),
            (255, 32, 16),
            id="16 bits with a profile",
        ),
        pytest.param(
            png((0xFF00, 0x2000, 0x1000, 0xFFFF), chunk(b"iCCP", b"x\0\0" + zlib.compress(PROFILE)), deep=True),
            (255, 32, 16),
            id="16 bits and alpha with a profile",
        ),
    ],
)
async def test_a_png_says_what_its_numbers_mean(
    engine: SandboxedEngine, place: Place, into: Path, data: bytes, wanted: Colour
) -> None:
    assert near((await shown(engine, place(data), into, "image/png")).getpixel((8, 8)), wanted)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(coded_avif((200, 100, 50), primaries=P3), (215, 93, 31), id="Display P3"),
        pytest.param(coded_avif((150, 120, 90), primaries=BT2020), (167, 116, 85), id="BT.2020"),
        pytest.param(coded_avif((148,) * 3, primaries=BT2020, transfer=PQ), (255, 255, 255), id="PQ, paper white"),
        pytest.param(coded_avif((87,) * 3, primaries=BT2020, transfer=HLG), (88, 88, 88), id="HLG, 20 cd/m2"),
        pytest.param(
            coded_avif((200, 100, 50), primaries=P3, icc_profile=PROFILE), (200, 100, 50), id="a profile first"
        ),
        pytest.param(coded_avif((200, 100, 50), primaries=2, transfer=2), (200, 100, 50), id="unspecified"),
        *(
            pytest.param(coded_avif((grey,), range=span, subsampling="4:0:0"), (grey,) * 3, id=f"grey {grey}, {span}")
            for span in ("full", "limited")
            for grey in (0, 128, 255)
        ),
        pytest.param(coded_avif((200, 100, 50), range="full"), (200, 100, 50), id="full range"),
        pytest.param(coded_avif((200, 100, 50), range="limited"), (200, 100, 50), id="limited range"),
    ],
)
async def test_an_avif_says_what_its_numbers_mean(
    engine: SandboxedEngine, place: Place, into: Path, data: bytes, wanted: Colour
) -> None:
    assert near((await shown(engine, place(data), into, "image/avif")).getpixel((8, 8)), wanted)


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("profile", [False, True])
async def test_an_avif_of_many_bits_is_shown(
    engine: SandboxedEngine, place: Place, into: Path, bits: int, profile: bool
) -> None:
    picture = await shown(engine, place(deep_avif(bits, profile=profile)), into, "image/avif")
    assert near(picture.getpixel((16, 4)), (255, 32, 16), 4)
    assert near(picture.getpixel((16, 28)), (16, 32, 255), 4)


async def test_highlights_are_rolled_off_and_the_rest_stays(engine: SandboxedEngine, place: Place, into: Path) -> None:
    """20 and 203 cd/m2 beside 1000, by the EETF of BT.2390: paper is no longer white, and shadows are as they were."""
    levels = [23397, 38055, 49271]
    row = b"\0" + b"".join(struct.pack(">3H", level, level, level) * 32 for level in levels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 32, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + cicp(BT2020, PQ) + chunk(b"IDAT", zlib.compress(row * 32))
    picture = await shown(engine, place(data + chunk(b"IEND", b"")), into, "image/png")
    assert [near(picture.getpixel((x, 16)), (wanted,) * 3) for x, wanted in ((16, 88), (48, 229), (80, 255))] == [
        True,
        True,
        True,
    ]


async def test_a_camera_says_adobe_rgb_without_a_profile(engine: SandboxedEngine, place: Place, into: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R03"}
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 100, 50)).save(buffer, "JPEG", quality=100, subsampling=0, exif=exif)
    picture = await shown(engine, place(buffer.getvalue()), into, "image/jpeg")
    assert near(picture.getpixel((8, 8)), (227, 100, 42), 3)


@pytest.mark.parametrize(
    ("inks", "wanted"),
    [
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((0, 0, 0, 128), (127, 127, 127)),
        ((255, 255, 255, 255), (0, 0, 0)),
    ],
)
async def test_inks_without_a_profile_are_shown_as_browsers_do(
    engine: SandboxedEngine, place: Place, into: Path, inks: Colour, wanted: Colour
) -> None:
    buffer = io.BytesIO()
    Image.new("CMYK", (16, 16), inks).save(buffer, "JPEG", quality=100)
    assert near((await shown(engine, place(buffer.getvalue()), into, "image/jpeg")).getpixel((8, 8)), wanted)


@pytest.mark.parametrize("value", [0, 1, 128, 254, 255])
async def test_an_avif_of_ours_has_white_black_and_all_between(
    engine: SandboxedEngine, place: Place, into: Path, value: int
) -> None:
    """Read with sixteen bits, of which the encoder keeps ten."""
    rendition = Rendition("modern", 64, 64, "avif", 90, 1)
    half = Image.new("RGBA", (16, 16), (value, value, value, 255))
    half.putpixel((0, 0), (value, value, value, 0))
    buffer = io.BytesIO()
    half.save(buffer, "PNG")
    answer = await engine.render(place(buffer.getvalue()), (rendition,), into, content_type="image/png")
    picture = pyvips.Image.heifload(str(answer.files[0].path))
    seen = [number / 65472 * 255 for number in picture(12, 12)]
    assert all(abs(one - other) < 0.5 for one, other in zip(seen, (value, value, value, 255), strict=True))


async def test_alpha_that_is_opaque_costs_nothing(engine: SandboxedEngine, place: Place, into: Path) -> None:
    path = place(images.png(mode="RGBA"))
    renditions = tuple(Rendition("flat", 64, 64, kind, 80, 1) for kind in ("webp", "avif", "png"))
    for file in (await engine.render(path, renditions, into, content_type="image/png")).files:
        with Image.open(file.path) as picture:
            assert picture.mode == "RGB"


async def test_multiplied_alpha_is_taken_out_of_the_colours(engine: SandboxedEngine, place: Place, into: Path) -> None:
    """Of AVIF, where nothing but a reference tells of it, and of the picture that a HEIF library hands over so."""
    picture = await shown(engine, place(images.premultiplied_avif()), into, "image/avif")
    assert near(picture.getpixel((8, 8)), (200, 100, 50, 128), 3)
    fake: Any = SimpleNamespace(data=bytes([100, 50, 25, 128]) * 4, mode="RGBa", info={})
    decoded = HeicSource(fake, 2, 2, PrimaryPicture()).decode()
    assert near(tuple(round(each) for each in decoded(0, 0)), (199, 100, 50, 128))


@pytest.mark.parametrize(
    ("frames", "at", "opaque"),
    [
        ([(10, 10, 20, 10, 1)], [(2, 2), (20, 15)], [[False, True]]),
        ([(0, 0, 40, 30, 1)], [(2, 2), (20, 15)], [[True, True]]),
        # The first goes away, the second is in its corner only.
        ([(10, 10, 20, 10, 2), (0, 0, 5, 5, 1)], [(2, 2), (20, 15)], [[False, True], [True, False]]),
        # The second goes away for what was there before.
        (
            [(10, 10, 20, 10, 1), (0, 0, 5, 5, 3), (30, 20, 5, 5, 1)],
            [(2, 2), (20, 15), (32, 22)],
            [[False, True, False], [True, True, False], [False, True, True]],
        ),
    ],
)
async def test_a_gif_is_transparent_where_nothing_was_drawn(
    engine: SandboxedEngine,
    place: Place,
    into: Path,
    frames: list[tuple[int, int, int, int, int]],
    at: list[tuple[int, int]],
    opaque: list[list[bool]],
) -> None:
    moving = Rendition("moving", 40, 30, "webp", 90, 4, animated=True)
    answer = await engine.render(place(images.gif_of_frames(*frames)), (moving,), into, content_type="image/gif")
    # Not with Pillow, which goes by a flag that says whether any frame's own rectangle has alpha.
    strip = pyvips.Image.webpload(str(answer.files[0].path), n=-1)
    seen = [[strip(x, y + 30 * index)[3:] in ([], [255]) for x, y in at] for index in range(len(frames))]
    assert seen == opaque
