"""Each bad input has one error, and leaves nothing behind; the engine then works on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import images

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.errors import BadImage, TypeMismatch, Unavailable
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = Callable[[bytes], Path]

TWO = (Rendition("small", 30, 30, "webp", 75, 4), Rendition("small", 30, 30, "avif", 65, 1))

BAD = [
    pytest.param(images.truncated(images.webp(640, 480)), "image/webp", "truncated", id="webp-cut"),
    pytest.param(images.truncated(images.avif(640, 480)), "image/avif", "truncated", id="avif-cut"),
    pytest.param(images.jpeg()[:20], "image/jpeg", "truncated", id="jpeg-header-only"),
    pytest.param(images.png()[:10], "image/png", "truncated", id="png-header-only"),
    pytest.param(images.bomb_png(), "image/png", "too_many_pixels", id="bomb"),
    pytest.param(images.many_frames_gif(), "image/gif", "too_many_frames", id="10000-frames"),
    pytest.param(images.many_scans_jpeg(65), "image/jpeg", "too_many_scans", id="65-scans"),
    pytest.param(images.png().replace(b"IDAT", b"IDAT\xff\xff"), "image/png", "undecodable", id="png-damaged"),
    pytest.param(images.png()[:8] + bytes(100) + b"IEND", "image/png", "undecodable", id="png-of-zeros"),
    pytest.param(images.webp()[:12] + bytes(3_000), "image/webp", "undecodable", id="webp-of-zeros"),
]


@pytest.mark.parametrize(("data", "content_type", "reason"), BAD)
async def test_a_bad_picture_has_its_reason(
    engine: SandboxedEngine, place: Place, into: Path, data: bytes, content_type: str, reason: str
) -> None:
    path = place(data)
    with pytest.raises(BadImage) as inspected:
        await engine.inspect(path, content_type=content_type)
    with pytest.raises(BadImage) as rendered:
        await engine.render(path, TWO, into, content_type=content_type, measurements=PLACEHOLDER.measurements)
    assert (inspected.value.reason, rendered.value.reason) == (reason, reason)
    assert list(into.iterdir()) == []


async def test_a_header_is_judged_without_decoding(engine: SandboxedEngine, place: Place) -> None:
    cut = place(images.truncated(images.png(640, 480)))
    assert (await engine.inspect(cut, content_type="image/png", decode=False)).width == 640
    with pytest.raises(BadImage):
        await engine.inspect(place(images.bomb_png()), content_type="image/png", decode=False)


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        pytest.param(images.png(), "image/jpeg", id="png-as-jpeg"),
        pytest.param(images.jpeg(), "image/webp", id="jpeg-as-webp"),
        pytest.param(images.avif(), "image/heic", id="avif-as-heic"),
        pytest.param(images.svg(), "image/png", id="svg-as-png"),
        pytest.param(images.svg(), "image/svg+xml", id="svg"),
        pytest.param(images.pdf(), "application/pdf", id="pdf"),
        pytest.param(b"P6\n1 1\n255\nabc", "image/x-portable-pixmap", id="ppm"),
        pytest.param(b"", "image/png", id="empty"),
        pytest.param(b"\0" * 100, "image/gif", id="zeros"),
    ],
)
async def test_a_lying_or_foreign_type_is_a_mismatch(
    engine: SandboxedEngine, place: Place, into: Path, data: bytes, declared: str
) -> None:
    path = place(data)
    with pytest.raises(TypeMismatch):
        await engine.inspect(path, content_type=declared)
    with pytest.raises(TypeMismatch):
        await engine.render(path, TWO, into, content_type=declared)
    assert list(into.iterdir()) == []


async def test_limits_are_the_options(place: Place) -> None:
    async with SandboxedEngine.open(ImagingOptions(max_pixels=1_000)) as engine:
        with pytest.raises(BadImage) as caught:
            await engine.inspect(place(images.jpeg(64, 48)), content_type="image/jpeg")
        assert caught.value.reason == "too_many_pixels"
        assert caught.value.message.count("1,000") == 1


async def test_as_many_scans_as_are_allowed_are_decoded(engine: SandboxedEngine, place: Place) -> None:
    answer = await engine.inspect(place(images.many_scans_jpeg(64)), content_type="image/jpeg")
    assert (answer.width, answer.height) == (64, 48)


async def test_a_picture_beyond_the_memory_ceiling_fails_and_the_next_one_works(place: Place, into: Path) -> None:
    """A progressive JPEG is held whole as coefficients: 6 bytes a pixel."""
    options = ImagingOptions(memory_limit=256 * 1024**2, deadline=timedelta(seconds=60), processes=1)
    async with SandboxedEngine.open(options) as engine:
        path = place(images.jpeg(8_000, 8_000, progressive=True, quality=50))
        with pytest.raises(BadImage) as caught:
            await engine.render(path, TWO, into, content_type="image/jpeg")
        assert caught.value.reason == "decoder_out_of_memory"
        assert list(into.iterdir()) == []
        assert (await engine.inspect(place(images.jpeg()), content_type="image/jpeg")).width == 64


async def test_a_large_picture_of_few_bytes_is_decoded_within_little_memory(place: Place, into: Path) -> None:
    options = ImagingOptions(memory_limit=256 * 1024**2, processes=1)
    async with SandboxedEngine.open(options) as engine:
        answer = await engine.render(place(images.small_bomb_png()), TWO, into, content_type="image/png")
        assert answer.files[0].width == 30


async def test_what_cannot_be_read_or_written_is_not_the_pictures_fault(
    engine: SandboxedEngine, place: Place, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable):
        await engine.inspect(tmp_path / "nothing", content_type="image/png")
    with pytest.raises(Unavailable):
        await engine.render(place(images.png()), TWO, tmp_path / "nowhere", content_type="image/png")
