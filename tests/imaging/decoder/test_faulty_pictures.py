"""Pictures with faults that browsers forgive; and that looking at a file and rendering it always agree."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import pyvips
from attrs import evolve
from PIL import Image
from tests.imaging.decoder.test_bad_pictures import BAD
from tests.imaging.decoder.test_pictures import KINDS
from tests.support import images

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.errors import BadImage
from imagegallery.imaging.formats import gif
from imagegallery.imaging.formats.png import Extent, filled, read_extent
from imagegallery.imaging.formats.webp import whole_frames
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

Place = Callable[[bytes], Path]
Data = bytes | Callable[[], bytes]

COPY = Rendition("copy", 640, 480, "png", 100, 1)
INTACT = evolve(COPY, name="intact")
PHOTO = images.real_photo()


def jpeg(*, progressive: bool = False, restarts: int = 0) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(PHOTO)) as photo:
        photo.save(buffer, "JPEG", progressive=progressive, restart_marker_rows=restarts)
    return buffer.getvalue()


def saved(image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(PHOTO)) as photo:
        photo.save(buffer, image_format, **options)
    return buffer.getvalue()


def interlaced_photo() -> bytes:
    data: bytes = pyvips.Image.new_from_buffer(PHOTO, "").pngsave_buffer(interlace=True)
    return data


def animation(image_format: str = "GIF") -> bytes:
    with Image.open(io.BytesIO(PHOTO)) as photo:
        turn = [photo.rotate(angle) for angle in (90, 180)]
    return saved(image_format, save_all=True, append_images=turn, duration=100, loop=0)


def with_wrong_restart(data: bytes) -> bytes:
    """The tenth restart marker has the number of the thirteenth (ITU-T T.81, section B.2.1)."""
    at = [place for place in range(len(data) - 1) if data[place] == 0xFF and 0xD0 <= data[place + 1] <= 0xD7][9]
    return data[: at + 1] + bytes([0xD0 + (data[at + 1] - 0xD0 + 3) % 8]) + data[at + 2 :]


def chunk(kind: bytes, data: bytes, *, wrong: int = 0) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ wrong)


ROWS = b"".join(b"\0" + bytes((x * y) % 256 for x in range(3 * 64)) for y in range(48))
CODED = zlib.compress(ROWS)


def png(coded: bytes = CODED, *, wrong: int = 0, before: bytes = b"", interlace: int = 0) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", coded, wrong=wrong) + chunk(b"IEND", b"")


# Made by the tests that need them, not whenever tests are collected.
WHOLE = [
    pytest.param(lambda: jpeg()[:-2], "image/jpeg", id="jpeg-without-end"),
    pytest.param(lambda: jpeg(progressive=True)[:-2], "image/jpeg", id="progressive-without-end"),
    pytest.param(lambda: with_wrong_restart(jpeg(restarts=1)), "image/jpeg", id="wrong-restart"),
    pytest.param(lambda: jpeg() + b"a film", "image/jpeg", id="jpeg-and-more"),
    pytest.param(lambda: png(CODED[:-4] + bytes(4)), "image/png", id="wrong-adler"),
    pytest.param(lambda: png(CODED[:-4]), "image/png", id="no-adler"),
    pytest.param(lambda: png(wrong=1), "image/png", id="wrong-crc-of-pixels"),
    pytest.param(lambda: png(before=chunk(b"tEXt", b"a\0b", wrong=1)), "image/png", id="wrong-crc-of-text"),
    pytest.param(lambda: png()[:-12], "image/png", id="png-without-end"),
    pytest.param(lambda: saved("GIF")[:-1], "image/gif", id="gif-without-end"),
    pytest.param(lambda: animation()[:-1], "image/gif", id="animation-without-end"),
]
CUT = [
    pytest.param(lambda: images.truncated(jpeg()), "image/jpeg", id="jpeg-cut"),
    pytest.param(lambda: images.truncated(jpeg(progressive=True), 0.3), "image/jpeg", id="progressive-cut"),
    pytest.param(lambda: jpeg()[:-40], "image/jpeg", id="jpeg-cut-at-the-end"),
    pytest.param(lambda: jpeg()[:9_000] + b"\xff\xd9" + jpeg()[9_000:], "image/jpeg", id="end-in-the-middle"),
    pytest.param(lambda: images.truncated(saved("PNG")), "image/png", id="png-cut"),
    pytest.param(lambda: saved("PNG")[:-100], "image/png", id="png-cut-at-the-end"),
    pytest.param(lambda: images.truncated(interlaced_photo(), 0.2), "image/png", id="interlaced-png-cut"),
    pytest.param(lambda: images.truncated(saved("GIF", interlace=0)), "image/gif", id="gif-cut"),
    pytest.param(lambda: images.truncated(saved("GIF", interlace=1)), "image/gif", id="interlaced-gif-cut"),
    pytest.param(lambda: images.truncated(animation()), "image/gif", id="animation-cut"),
    pytest.param(lambda: images.truncated(animation("WEBP")), "image/webp", id="webp-animation-cut"),
]
NOTHING = [
    pytest.param(lambda: jpeg()[: jpeg().index(b"\xff\xda") + 14], "image/jpeg", "truncated", id="jpeg-without-data"),
    pytest.param(lambda: png(zlib.compress(ROWS)[:8]), "image/png", "undecodable", id="png-without-a-row"),
    pytest.param(lambda: png()[:60], "image/png", "truncated", id="png-cut-in-its-first-row"),
    pytest.param(lambda: saved("GIF")[:790], "image/gif", "truncated", id="gif-without-pixels"),
    pytest.param(
        lambda: images.truncated(animation("WEBP"), 0.2), "image/webp", "truncated", id="webp-without-a-frame"
    ),
]


def bytes_of(data: Data) -> bytes:
    return data() if callable(data) else data


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("data", "content_type"), WHOLE)
async def test_what_has_all_its_pixels_is_shown(
    engine: SandboxedEngine, place: Place, into: Path, data: Data, content_type: str
) -> None:
    path = place(bytes_of(data))
    seen = await engine.inspect(path, content_type=content_type)
    rendered = await engine.render(path, (COPY,), into, content_type=content_type)
    assert (seen.is_truncated, rendered.is_truncated) == (False, False)
    if content_type == "image/png":
        (intact,) = (await engine.render(place(png()), (INTACT,), into, content_type=content_type)).files
        assert rendered.files[0].path.read_bytes() == intact.path.read_bytes()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("data", "content_type"), CUT)
async def test_of_a_cut_photograph_is_shown_what_is_there(
    engine: SandboxedEngine, place: Place, into: Path, data: Data, content_type: str
) -> None:
    path = place(bytes_of(data))
    seen = await engine.inspect(path, content_type=content_type)
    rendered = await engine.render(path, (COPY,), into, content_type=content_type)
    assert (seen.is_truncated, rendered.is_truncated) == (True, True)
    with Image.open(rendered.files[0].path) as copy, Image.open(io.BytesIO(PHOTO)) as photo:
        top = (0, 0, photo.width, 40)
        pairs = zip(copy.convert("RGB").crop(top).tobytes(), photo.convert("RGB").crop(top).tobytes(), strict=True)
        assert sum(abs(one - other) for one, other in pairs) / (photo.width * 40 * 3) < 20


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("data", "content_type", "reason"), [*NOTHING, *BAD])
async def test_looking_and_rendering_refuse_for_the_same_reason(
    engine: SandboxedEngine, place: Place, into: Path, data: Data, content_type: str, reason: str
) -> None:
    assert await verdicts(engine, place(bytes_of(data)), into, content_type) == (reason, reason)
    assert list(into.iterdir()) == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("data", "content_type"), [*KINDS, *WHOLE, *CUT])
async def test_looking_and_rendering_accept_the_same(
    engine: SandboxedEngine, place: Place, into: Path, data: Data, content_type: str
) -> None:
    seen, rendered = await verdicts(engine, place(bytes_of(data)), into, content_type)
    assert seen == rendered
    assert isinstance(seen, bool)


async def verdicts(engine: SandboxedEngine, path: Path, into: Path, content_type: str) -> tuple[bool | str, bool | str]:
    """The reason to refuse the file, or whether it is truncated: by `inspect` and by `render`."""
    seen: bool | str
    rendered: bool | str
    try:
        seen = (await engine.inspect(path, content_type=content_type)).is_truncated
    except BadImage as error:
        seen = error.reason
    try:
        rendered = (
            await engine.render(path, (COPY,), into, content_type=content_type, measurements=PLACEHOLDER.measurements)
        ).is_truncated
    except BadImage as error:
        rendered = error.reason
    return seen, rendered


def interlaced(width: int, height: int) -> bytes:
    """The rows of all seven passes (PNG section 8.2), by counting the pixels of each."""
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for left, top, across, down in steps:
        columns = len(range(left, width, across))
        rows += b"".join(b"\0" + bytes(3 * columns) for _ in range(top, height, down) if columns)
    return rows


@pytest.mark.parametrize("interlace", [0, 1])
def test_a_png_has_all_its_pixels_or_not(interlace: int) -> None:
    rows = interlaced(64, 48) if interlace else ROWS

    def verdict(coded: bytes) -> bool:
        return read_extent(io.BytesIO(png(coded, interlace=interlace))).is_whole

    assert verdict(zlib.compress(rows))
    assert verdict(zlib.compress(rows)[:-4] + b"\0\0\0\0")
    assert not verdict(zlib.compress(rows[:-1]))
    assert not verdict(zlib.compress(rows)[:20])
    assert not verdict(b"nonsense")
    assert read_extent(io.BytesIO(b"")) == Extent(is_whole=False)


ROW = 1 + 3 * 64


@pytest.mark.parametrize(("size", "rows"), [(0, 0), (ROW - 1, 0), (ROW, 1), (48 * ROW - 1, 47)])
def test_the_rows_of_a_png_that_are_there(size: int, rows: int) -> None:
    data = png(zlib.compress(ROWS[:size]))
    assert read_extent(io.BytesIO(data)) == Extent(is_whole=False, rows=rows)
    with Image.open(io.BytesIO(filled(io.BytesIO(data))[0])) as whole, Image.open(io.BytesIO(png())) as photo:
        kept = (0, 0, 64, rows)
        assert whole.crop(kept).tobytes() == photo.crop(kept).tobytes()
        assert not any(whole.crop((0, rows + 1, 64, 48)).tobytes())


@pytest.mark.parametrize(
    ("passes", "step"), [(0, None), (1, (8, 8)), (2, (4, 8)), (3, (4, 4)), (4, (2, 4)), (5, (2, 2)), (6, (1, 2))]
)
def test_the_passes_of_an_interlaced_png_that_are_there(passes: int, step: tuple[int, int] | None) -> None:
    steps = ((8, 8, 8, 6), (8, 8, 8, 6), (16, 6, 16, 6), (16, 12, 16, 12), (32, 12, 32, 12), (32, 24, 32, 24))
    there = sum(rows * (1 + 3 * columns) for columns, rows, _, _ in steps[:passes])
    coded = zlib.compress(interlaced(64, 48)[: there + 5])
    assert read_extent(io.BytesIO(png(coded, interlace=1))).step == step


@pytest.mark.asyncio(loop_scope="module")
async def test_where_pixels_are_missing_there_is_nothing(engine: SandboxedEngine, place: Place, into: Path) -> None:
    path = place(png(zlib.compress(ROWS[: 20 * ROW])))
    (made,) = (await engine.render(path, (COPY,), into, content_type="image/png")).files
    with Image.open(made.path) as copy:
        assert set(copy.crop((0, 0, 64, 20)).getchannel("A").tobytes()) == {255}
        assert set(copy.crop((0, 20, 64, 48)).getchannel("A").tobytes()) == {0}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("data", [interlaced_photo, lambda: saved("GIF", interlace=1)], ids=["png", "gif"])
async def test_an_interlaced_picture_that_is_cut_has_no_gaps(
    engine: SandboxedEngine, place: Place, into: Path, data: Data
) -> None:
    picture = bytes_of(data)
    content_type = "image/png" if picture.startswith(b"\x89PNG") else "image/gif"
    rendered = await engine.render(place(images.truncated(picture, 0.4)), (COPY,), into, content_type=content_type)
    with Image.open(rendered.files[0].path) as copy:
        assert "A" not in copy.getbands()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("image_format", "frames"), [("GIF", 3), ("WEBP", 2)])
async def test_of_a_cut_animation_the_frames_move_that_are_there(
    engine: SandboxedEngine, place: Place, into: Path, image_format: str, frames: int
) -> None:
    """The decoder of GIF shows what is there of the last one, too."""
    path, moving = place(images.truncated(animation(image_format), 0.8)), evolve(COPY, format="webp", animated=True)
    content_type = f"image/{image_format.lower()}"
    assert (await engine.inspect(path, content_type=content_type)).frames == frames
    rendered = await engine.render(path, (moving,), into, content_type=content_type)
    assert (rendered.is_truncated, rendered.files[0].frames) == (True, frames)


def test_of_a_webp_animation_the_whole_frames_are_kept() -> None:
    data = animation("WEBP")
    assert whole_frames(io.BytesIO(data)) is None
    kept = {whole_frames(io.BytesIO(data[:size])) for size in range(0, len(data), 97)}
    frames = sorted(each.count(b"ANMF") for each in kept if each)
    assert (frames, None in kept) == ([1, 2], True)


def test_a_gif_is_cut_within_a_block_and_whole_between_two() -> None:
    data = images.animation(width=8, height=6, frames=2)
    whole = {size for size in range(len(data) + 1) if not gif.is_cut(io.BytesIO(data[:size]))}
    assert len(data) in whole
    assert len(data) - 1 in whole  # all but the trailer
    assert len(data) - 2 not in whole
    assert len(whole) < 10
