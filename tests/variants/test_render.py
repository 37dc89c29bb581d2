import io
import json
from pathlib import Path

import anyio
import pytest
from PIL import ExifTags
from PIL import Image as Pillow
from tests.support.photographs import photograph
from tests.support.studio import picture

from imagegallery.errors import BadImage, TypeMismatch
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.variants.preset import DEFAULT_PRESETS
from imagegallery.variants.render import RenderedImage, render_file


async def render(
    engine: ImagingEngine, path: Path, into: Path, content_type: str = "image/jpeg", stem: str | None = None
) -> RenderedImage:
    return await render_file(engine, path, into, DEFAULT_PRESETS, content_type=content_type, stem=stem)


async def files(folder: Path) -> dict[str, bytes]:
    return {path.name: await path.read_bytes() async for path in anyio.Path(folder).iterdir()}


async def test_every_variant_in_both_formats_in_one_call(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation] = "Canon", 6
    source = tmp_path / "tram 28, Lisbon.jpg"
    source.write_bytes(photograph(1000, 750, exif=exif.tobytes()))

    rendered = await render(imaging_engine, source, tmp_path / "site" / "img")

    made = await files(tmp_path / "site" / "img")
    assert sorted(made) == [
        "tram 28, Lisbon-large.avif",
        "tram 28, Lisbon-large.webp",
        "tram 28, Lisbon-medium.avif",
        "tram 28, Lisbon-medium.webp",
        "tram 28, Lisbon-small.avif",
        "tram 28, Lisbon-small.webp",
        "tram 28, Lisbon-thumbnail.webp",
    ]
    assert {variant.key: variant.file_size for variant in rendered.variants} == {
        name: len(body) for name, body in made.items()
    }
    with Pillow.open(io.BytesIO(made["tram 28, Lisbon-medium.webp"])) as opened:
        assert (opened.format, opened.size) == ("WEBP", (600, 800))
    assert (rendered.width, rendered.height, rendered.frames) == (750, 1000, 1)
    assert rendered.metadata == Metadata(make="Canon")
    assert rendered.responsive.src == "tram%2028%2C%20Lisbon-medium.webp"


async def test_the_answer_is_json(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    source.write_bytes(photograph(100, 75))
    rendered = await render(imaging_engine, source, tmp_path / "out")
    document = json.loads(json.dumps(rendered.to_json(), allow_nan=False))
    assert document["blurhash"]
    assert document["srcSet"] == "a-small.webp 100w"
    assert document["sources"] == [{"type": "image/avif", "srcSet": "a-small.avif 100w"}]
    assert {variant["file"] for variant in document["variants"]} == {
        "a-thumbnail.webp",
        "a-small.webp",
        "a-small.avif",
    }


async def test_rendering_again_replaces_the_files(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    source, out = tmp_path / "a.jpg", tmp_path / "out"
    source.write_bytes(photograph(100, 75))
    first = await render(imaging_engine, source, out)
    source.write_bytes(photograph(90, 60))
    second = await render(imaging_engine, source, out, stem="a")
    assert {each.key for each in first.variants} == {each.key for each in second.variants} == set(await files(out))
    assert not {each.fingerprint for each in first.variants} & {each.fingerprint for each in second.variants}


async def test_an_avif_that_is_no_smaller_is_not_in_the_folder(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    source, out = tmp_path / "a.jpg", tmp_path / "out"
    source.write_bytes(photograph(320, 240))
    assert "a-small.avif" in {each.key for each in (await render(imaging_engine, source, out)).variants}
    source.write_bytes(picture(320, 240))
    drawing = await render(imaging_engine, source, out)
    assert {each.key for each in drawing.variants} == set(await files(out))
    assert {each.format for each in drawing.variants} == {"webp"}


async def test_fingerprints_are_those_of_the_content(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    body = picture(100, 75)
    fingerprints = []
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(body)
        rendered = await render(imaging_engine, tmp_path / name, tmp_path / "out")
        fingerprints.append([variant.fingerprint for variant in rendered.variants])
    assert fingerprints[0] == fingerprints[1]


@pytest.mark.parametrize(
    ("body", "error"), [(picture(400, 300)[:500], BadImage), (b"GIF89a" + bytes(100), TypeMismatch)]
)
async def test_a_bad_file_leaves_nothing(
    imaging_engine: ImagingEngine, tmp_path: Path, body: bytes, error: type[Exception]
) -> None:
    source, out = tmp_path / "a.jpg", tmp_path / "out"
    source.write_bytes(body)
    out.mkdir()
    with pytest.raises(error):
        await render(imaging_engine, source, out)
    assert await files(out) == {}


async def test_a_missing_file_is_an_os_error(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await render(imaging_engine, tmp_path / "none.jpg", tmp_path / "out")


async def test_long_names_are_shortened(imaging_engine: ImagingEngine, tmp_path: Path) -> None:
    source = tmp_path / ("é" * 125 + ".jpg")
    source.write_bytes(picture(20, 20))
    rendered = await render(imaging_engine, source, tmp_path / "out")
    assert {variant.key for variant in rendered.variants} == set(await files(tmp_path / "out"))
