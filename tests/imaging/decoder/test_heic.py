"""HEIC, where pillow-heif is installed; without it, the error that says so."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image
from tests.support import images

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.errors import BadImage
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

Place = Callable[[bytes], Path]

needs_heic = pytest.mark.skipif(find_spec("pillow_heif") is None, reason="the extra `heic` is not installed")
needs_no_heic = pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="the extra `heic` is installed")


@needs_heic
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("content_type", ["image/heic", "image/heif"])
async def test_a_phones_picture_is_shown_upright(
    engine: SandboxedEngine, place: Place, into: Path, content_type: str
) -> None:
    path = place(images.heic())
    seen = await engine.inspect(path, content_type=content_type)
    assert (seen.width, seen.height, seen.frames) == (64, 96, 1)
    assert b"Maker" in seen.exif
    assert seen.exif[:4] in (b"II*\0", b"MM\0*")
    rendition = Rendition("copy", 100, 100, "png", 100, 1)
    answer = await engine.render(
        path, (rendition,), into, content_type=content_type, measurements=PLACEHOLDER.measurements
    )
    with Image.open(answer.files[0].path) as picture:
        colours = [picture.convert("RGB").getpixel(at) for at in ((16, 24), (48, 24), (16, 72), (48, 72))]
    for seen_colour, wanted in zip(colours, (images.BLUE, images.RED, images.GREY, images.GREEN), strict=True):
        assert isinstance(seen_colour, tuple)
        assert all(abs(one - other) <= 12 for one, other in zip(seen_colour, wanted, strict=True))


@needs_heic
async def test_its_decoder_is_loaded_within_the_least_memory_there_may_be(place: Place) -> None:
    async with SandboxedEngine.open(ImagingOptions(memory_limit=128 * 1024**2, processes=1)) as engine:
        assert (await engine.inspect(place(images.heic()), content_type="image/heic")).width == 64


@needs_heic
@pytest.mark.asyncio(loop_scope="module")
async def test_a_cut_one_is_a_bad_picture(engine: SandboxedEngine, place: Place) -> None:
    with pytest.raises(BadImage) as caught:
        await engine.inspect(place(images.truncated(images.heic(), 0.7)), content_type="image/heic")
    assert caught.value.reason in ("truncated", "undecodable")


@needs_heic
@pytest.mark.asyncio(loop_scope="module")
async def test_a_sequence_is_called_one(engine: SandboxedEngine, place: Place) -> None:
    """A film has tracks where a picture has its primary item."""
    film = images.heic().replace(b"meta", b"free", 1)
    with pytest.raises(BadImage, match="sequence") as caught:
        await engine.inspect(place(film[:8] + b"msf1" + film[12:]), content_type="image/heic")
    assert caught.value.reason == "unsupported"


@needs_heic
@pytest.mark.asyncio(loop_scope="module")
async def test_metadata_of_a_kind_that_is_no_text_kill_no_decoder(engine: SandboxedEngine, place: Place) -> None:
    before = engine.pids
    odd = images.heic().replace(b"Exif", b"\xff\xfe\xff\xfe", 1)
    assert (await engine.inspect(place(odd), content_type="image/heic")).width == 64
    assert before <= engine.pids


@needs_no_heic
@pytest.mark.asyncio(loop_scope="module")
async def test_without_the_extra_the_error_names_it(engine: SandboxedEngine, place: Place) -> None:
    with pytest.raises(BadImage, match=r"imagegallery\[heic\]") as caught:
        await engine.inspect(place(images.heic()), content_type="image/heic")
    assert caught.value.reason == "decoder_missing"
