import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageSequence
from tests.support import images

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = Callable[[bytes], Path]

MEDIUM = Rendition("medium", 32, 32, "webp", 90, 4, animated=True)
TWICE = Rendition("twice", 45, 45, "webp", 90, 4, animated=True)
STILL = Rendition("still", 32, 32, "webp", 90, 4)
AVIF = Rendition("modern", 32, 32, "avif", 90, 1, animated=True)
SQUARE = Rendition("square", 20, 20, "webp", 90, 4, crop="attention", animated=True)

BOTH = pytest.mark.parametrize(("container", "content_type"), [("GIF", "image/gif"), ("WEBP", "image/webp")])


@BOTH
async def test_an_animation_moves_where_it_is_asked_to(
    engine: SandboxedEngine, place: Place, into: Path, container: str, content_type: str
) -> None:
    path = place(images.animation(container, frames=4, delay=120, loop=2))
    assert (await engine.inspect(path, content_type=content_type)).frames == 4
    answer = await engine.render(
        path, (STILL, MEDIUM, AVIF, SQUARE), into, content_type=content_type, measurements=PLACEHOLDER.measurements
    )
    assert [(file.width, file.height, file.frames) for file in answer.files] == [
        (32, 24, 1),
        (32, 24, 4),
        (32, 24, 1),
        (20, 20, 4),
    ]
    for file in answer.files:
        with Image.open(file.path) as picture:
            assert picture.size == (file.width, file.height)
            assert getattr(picture, "n_frames", 1) == file.frames


@BOTH
async def test_frames_keep_order_time_and_their_own_pixels(
    engine: SandboxedEngine, place: Place, into: Path, container: str, content_type: str
) -> None:
    path = place(images.animation(container, frames=4, delay=120, loop=2))
    await engine.render(path, (MEDIUM,), into, content_type=content_type)
    with Image.open(into / "medium.webp") as picture:
        # GIF counts repetitions, WebP showings.
        assert picture.info["loop"] == (3 if container == "GIF" else 2)
        frames = [(frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(picture)]
    assert [duration for _, duration in frames] == [120] * 4
    for (frame, _), colour in zip(frames, (images.RED, images.GREEN, images.BLUE, images.RED), strict=True):
        for place_ in ((0, 0), (16, 12), (31, 23)):
            seen = frame.getpixel(place_)
            assert isinstance(seen, tuple)
            assert all(abs(one - other) <= 12 for one, other in zip(seen, colour, strict=True))


async def test_an_animation_that_we_cannot_move_is_known_as_one(
    engine: SandboxedEngine, place: Place, into: Path
) -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (64, 48), colour) for colour in (images.RED, images.BLUE)]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    path = place(buffer.getvalue())
    assert (await engine.inspect(path, content_type="image/png")).frames == 2
    answer = await engine.render(path, (MEDIUM,), into, content_type="image/png")
    assert answer.files[0].frames == 1


async def test_beyond_its_budget_an_animation_moves_in_fewer_frames_and_far_beyond_it_stands(
    place: Place, into: Path
) -> None:
    """The budget is that of what is made, 45 x 34 pixels: two frames of the four; then that of what is decoded."""
    path = place(images.animation(frames=4))
    async with SandboxedEngine.open(ImagingOptions(max_animation_pixels=64 * 48)) as engine:
        answer = await engine.render(path, (TWICE,), into, content_type="image/gif")
        with Image.open(answer.files[0].path) as picture:
            assert (answer.files[0].frames, getattr(picture, "n_frames", 1)) == (2, 2)
            shown = [(frame.convert("RGB").getpixel((5, 5)), frame.info) for frame in ImageSequence.Iterator(picture)]
        assert [info["duration"] for _, info in shown] == [240, 240]
        for (seen, _), colour in zip(shown, (images.RED, images.BLUE), strict=True):
            assert isinstance(seen, tuple)
            assert all(abs(one - other) <= 12 for one, other in zip(seen, colour, strict=True))
        path = place(images.animation(frames=5))
        assert (await engine.inspect(path, content_type="image/gif")).frames == 5
        answer = await engine.render(path, (MEDIUM,), into, content_type="image/gif")
        with Image.open(answer.files[0].path) as picture:
            assert (answer.files[0].frames, getattr(picture, "n_frames", 1)) == (1, 1)
