"""Good pictures of every kind, over the real child process; results are read back with Pillow, not with libvips."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from tests.support import images

from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.imaging.protocol import RenderedFile, Rendition
from imagegallery.imaging.sandbox.engine import SandboxedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = Callable[[bytes], Path]
Colour = tuple[int, ...]

PNG = Rendition("copy", 1000, 1000, "png", 100, 1)
CORNERS = (images.RED, images.GREEN, images.BLUE, images.GREY)


async def rendered(
    engine: SandboxedEngine, path: Path, into: Path, content_type: str, rendition: Rendition = PNG
) -> RenderedFile:
    answer = await engine.render(path, (rendition,), into, content_type=content_type)
    return answer.files[0]


def corners(path: Path, mode: str = "RGB") -> list[Colour]:
    """The colours a quarter in from each corner: upper left, upper right, lower left, lower right."""
    with Image.open(path) as picture:
        seen = picture.convert(mode)
    return [pixel(seen, (int(x * seen.width), int(y * seen.height))) for y in (0.25, 0.75) for x in (0.25, 0.75)]


def pixel(picture: Image.Image, at: tuple[int, int]) -> Colour:
    colour = picture.getpixel(at)
    return colour if isinstance(colour, tuple) else (int(colour or 0),)


def near(seen: Colour, wanted: Colour, tolerance: int = 6) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(seen, wanted, strict=True))


KINDS = [
    pytest.param(images.jpeg(), "image/jpeg", id="jpeg"),
    pytest.param(images.jpeg(progressive=True), "image/jpeg", id="progressive"),
    pytest.param(images.exif_garbage_jpeg(), "image/jpeg", id="exif-garbage"),
    pytest.param(images.broken_icc_jpeg(), "image/jpeg", id="broken-icc"),
    pytest.param(images.png(), "image/png", id="png"),
    pytest.param(images.png(mode="P"), "image/png", id="palette"),
    pytest.param(images.png(mode="RGBA"), "image/png", id="alpha"),
    pytest.param(images.webp(), "image/webp", id="webp"),
    pytest.param(images.avif(), "image/avif", id="avif"),
]


@pytest.mark.parametrize(("data", "content_type"), KINDS)
async def test_each_kind_is_shown_as_it_is(
    engine: SandboxedEngine, place: Place, into: Path, data: bytes, content_type: str
) -> None:
    path = place(data)
    seen = await engine.inspect(path, content_type=content_type)
    made = await rendered(engine, path, into, content_type)
    assert (seen.content_type, seen.width, seen.height, seen.frames) == (content_type, 64, 48, 1)
    assert (made.width, made.height, made.frames) == (64, 48, 1)
    assert all(map(near, corners(made.path), CORNERS))


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_each_orientation_stands_upright(
    engine: SandboxedEngine, place: Place, into: Path, orientation: int
) -> None:
    path = place(images.jpeg(exif=images.exif_block(orientation=orientation)))
    red, green, blue, grey = CORNERS
    upright = {
        1: (red, green, blue, grey),
        2: (green, red, grey, blue),
        3: (grey, blue, green, red),
        4: (blue, grey, red, green),
        5: (red, blue, green, grey),
        6: (blue, red, grey, green),
        7: (grey, green, blue, red),
        8: (green, grey, red, blue),
    }[orientation]
    seen = await engine.inspect(path, content_type="image/jpeg")
    made = await rendered(engine, path, into, "image/jpeg")
    size = (64, 48) if orientation < 5 else (48, 64)
    assert (seen.width, seen.height) == (made.width, made.height) == size
    with Image.open(made.path) as picture:
        assert picture.size == size
    assert all(map(near, corners(made.path), upright))


@pytest.mark.parametrize("orientation", [1, 6])
async def test_shrink_on_load_and_ladder_keep_the_orientation(
    engine: SandboxedEngine, place: Place, into: Path, orientation: int
) -> None:
    path = place(images.jpeg(1600, 1200, exif=images.exif_block(orientation=orientation)))
    sizes = [Rendition(f"at{side}", side, side, "png", 100, 1) for side in (400, 100, 30)]
    answer = await engine.render(path, tuple(sizes), into, content_type="image/jpeg")
    upper_left = images.RED if orientation == 1 else images.BLUE
    for file, side in zip(answer.files, (400, 100, 30), strict=True):
        assert max(file.width, file.height) == side
        assert (file.width > file.height) == (orientation == 1)
        assert near(corners(file.path)[0], upper_left)


async def test_four_inks_become_their_colours(engine: SandboxedEngine, place: Place, into: Path) -> None:
    made = await rendered(engine, place(images.jpeg(mode="CMYK")), into, "image/jpeg")
    red, green, blue, grey = corners(made.path)
    assert red[0] > red[1] + 60
    assert green[1] > green[0] + 40
    assert blue[2] > blue[0] + 40
    assert max(grey) - min(grey) < 40


async def test_four_inks_with_a_broken_profile_still_show(engine: SandboxedEngine, place: Place, into: Path) -> None:
    made = await rendered(engine, place(images.broken_icc_jpeg("CMYK")), into, "image/jpeg")
    red = corners(made.path)[0]
    assert red[0] > red[1] + 60


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
async def test_grey_stays_grey(engine: SandboxedEngine, place: Place, into: Path, mode: str) -> None:
    made = await rendered(engine, place(images.png(mode=mode)), into, "image/png")
    assert all(max(colour) - min(colour) <= 2 for colour in corners(made.path))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("side", [64, 16])
async def test_sixteen_bits_become_eight(
    engine: SandboxedEngine, place: Place, into: Path, alpha: bool, side: int
) -> None:
    rendition = Rendition("eight", side, side, "png", 100, 1)
    made = await rendered(engine, place(images.png16(alpha=alpha)), into, "image/png", rendition)
    assert near(corners(made.path, "RGBA")[0], (0xC0, 0x80, 0x40, 255), 1)


@pytest.mark.parametrize("container", ["webp", "avif", "png"])
@pytest.mark.parametrize("side", [64, 20])
async def test_transparency_is_kept_and_does_not_bleed(
    engine: SandboxedEngine, place: Place, into: Path, container: str, side: int
) -> None:
    rendition = Rendition("clear", side, side, container, 95, 1)
    made = await rendered(engine, place(images.transparent_png()), into, "image/png", rendition)
    left, right, _, _ = corners(made.path, "RGBA")
    assert near(left, (*images.RED, 255), 12)
    assert right[3] <= 2


async def test_where_a_format_has_no_transparency_there_is_white(
    engine: SandboxedEngine, place: Place, into: Path
) -> None:
    rendition = Rendition("flat", 64, 64, "jpeg", 95, 1)
    made = await rendered(engine, place(images.transparent_png()), into, "image/png", rendition)
    assert near(corners(made.path)[1], (255, 255, 255))


async def test_an_embedded_profile_is_used(engine: SandboxedEngine, place: Place, into: Path) -> None:
    """In a profile whose red and blue are exchanged, what is stored as red is seen as blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    made = await rendered(engine, place(images.jpeg(icc=bytes(profile))), into, "image/jpeg")
    colour = corners(made.path)[0]
    assert colour[2] > 150 > colour[0]


@pytest.mark.parametrize("container", ["webp", "avif", "jpeg", "png"])
async def test_no_metadata_is_kept(engine: SandboxedEngine, place: Place, into: Path, container: str) -> None:
    exif = images.exif_block(gps=(38.7, -9.1), make="Pixelworks", taken_at="2024:06:01 12:30:00", orientation=3)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = place(images.jpeg(exif=exif, icc=icc))
    assert b"Pixelworks" in (await engine.inspect(path, content_type="image/jpeg")).exif
    made = await rendered(engine, path, into, "image/jpeg", Rendition("bare", 64, 64, container, 80, 1))
    with Image.open(made.path) as picture:
        assert not picture.getexif()
        assert "icc_profile" not in picture.info
        assert "xmp" not in picture.info
    assert b"Pixelworks" not in made.path.read_bytes()


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        pytest.param(images.jpeg(exif=images.exif_block(make="Pixelworks")), "image/jpeg", id="jpeg"),
        pytest.param(images.webp(exif=images.exif_block(make="Pixelworks")), "image/webp", id="webp"),
        pytest.param(images.avif(exif=images.exif_block(make="Pixelworks")), "image/avif", id="avif"),
    ],
)
async def test_exif_is_handed_over_as_a_tiff_stream(
    engine: SandboxedEngine, place: Place, data: bytes, content_type: str
) -> None:
    seen = await engine.inspect(place(data), content_type=content_type)
    assert seen.exif[:4] in (b"II*\0", b"MM\0*")
    assert b"Pixelworks" in seen.exif


async def test_a_single_pixel(engine: SandboxedEngine, place: Place, into: Path) -> None:
    for data, content_type in ((images.jpeg(1, 1), "image/jpeg"), (images.png(1, 1), "image/png")):
        path = place(data)
        assert (await engine.inspect(path, content_type=content_type)).width == 1
        renditions = tuple(Rendition("dot", 80, 80, kind, 70, 1, crop="attention") for kind in ("webp", "avif"))
        answer = await engine.render(
            path, renditions, into, content_type=content_type, measurements=PLACEHOLDER.measurements
        )
        assert [(file.width, file.height) for file in answer.files] == [(1, 1), (1, 1)]
        assert answer.measured["placeholder"]


async def test_nothing_is_enlarged_and_a_crop_fills_its_box(engine: SandboxedEngine, place: Place, into: Path) -> None:
    path = place(images.real_photo())
    renditions = (
        Rendition("thumbnail", 80, 80, "webp", 70, 4, crop="centre"),
        Rendition("salient", 90, 60, "webp", 70, 4, crop="attention"),
        Rendition("small", 300, 300, "webp", 75, 4),
        Rendition("large", 1920, 1920, "webp", 85, 4),
        Rendition("large", 1920, 1920, "avif", 70, 1),
    )
    answer = await engine.render(
        path, renditions, into, content_type="image/jpeg", measurements=PLACEHOLDER.measurements
    )
    sizes = [(file.name, file.width, file.height) for file in answer.files]
    assert sizes == [
        ("thumbnail", 80, 80),
        ("salient", 90, 60),
        ("small", 300, 200),
        ("large", 640, 427),
        ("large", 640, 427),
    ]
    for file in answer.files:
        with Image.open(file.path) as picture:
            assert picture.size == (file.width, file.height)
        assert file.size == file.path.stat().st_size > 0
    assert sorted(path.name for path in into.iterdir()) == sorted(file.path.name for file in answer.files)


async def test_the_salient_part_is_what_differs(engine: SandboxedEngine, place: Place, tmp_path: Path) -> None:
    """A bright patch at the left end of a grey strip is found there, not in the middle."""
    strip = Image.new("RGB", (400, 100), images.GREY)
    strip.paste(images.RED, (10, 20, 70, 80))
    path = tmp_path / "strip.png"
    strip.save(path)
    for crop, sees_red in (("attention", True), ("centre", False)):
        rendition = Rendition(crop, 100, 100, "png", 100, 1, crop=crop)
        made = await rendered(engine, path, tmp_path, "image/png", rendition)
        with Image.open(made.path) as picture:
            seen = picture.convert("RGB")
        places = [(x, y) for x in range(0, 100, 5) for y in range(0, 100, 5)]
        found = any(near(pixel(seen, at), images.RED, 20) for at in places)
        assert found is sees_red


async def test_a_rendition_that_no_encoder_makes_is_the_callers_mistake(
    engine: SandboxedEngine, place: Place, into: Path
) -> None:
    path = place(images.png())
    with pytest.raises(ValueError, match="tiff"):
        await rendered(engine, path, into, "image/png", Rendition("a", 10, 10, "tiff", 70, 1))
    with pytest.raises(ValueError, match="name"):
        await rendered(engine, path, into, "image/png", Rendition("../a", 10, 10, "webp", 70, 1))
