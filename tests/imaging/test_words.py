"""Words in files of every format, by the walled decoder, beside what ExifTool reads of them where it is installed."""

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.support.photographs import photograph

from imagegallery.images.words.file_words import Words, read_words
from imagegallery.imaging.protocol import ImagingEngine

TYPES = {"jpg": "jpeg", "png": "png", "webp": "webp", "avif": "avif", "heic": "heic"}
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:Rating="4">
 <dc:subject><rdf:Bag><rdf:li>eléctrico</rdf:li><rdf:li>Tram</rdf:li></rdf:Bag></dc:subject>
 <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Line 28</rdf:li></rdf:Alt></dc:title>
 <dc:description><rdf:Alt><rdf:li xml:lang="x-default">Up to the castle</rdf:li></rdf:Alt></dc:description>
 <ext:PersonInImage><rdf:Bag><rdf:li>Inês</rdf:li></rdf:Bag></ext:PersonInImage>
</rdf:Description></rdf:RDF></x:xmpmeta>""".encode()
WORDS = Words(("eléctrico", "Tram"), "Line 28", "Up to the castle", 4, ("Inês",))


def saved(container: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photograph(64, 48))).save(buffer, container, **options)
    return buffer.getvalue()


def png() -> bytes:
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    return saved("PNG", pnginfo=texts)


def heic() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(photograph(64, 48)))).save(buffer, xmp=XMP)
    return buffer.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "jpg": lambda: saved("JPEG", xmp=XMP),
    "png": png,
    "webp": lambda: saved("WEBP", xmp=XMP),
    "avif": lambda: saved("AVIF", xmp=XMP),
    "heic": heic,
}


async def read(engine: ImagingEngine, path: Path) -> Words:
    found = await engine.inspect(path, content_type=f"image/{TYPES[path.suffix[1:]]}", decode=False)
    return read_words(found.exif, found.notes)


@pytest.mark.parametrize("kind", FILES)
async def test_words_are_read_in_every_format(imaging_engine: ImagingEngine, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"tram.{kind}"
    path.write_bytes(FILES[kind]())
    assert await read(imaging_engine, path) == WORDS


# How ExifTool writes: XMP as elements, IPTC in Photoshop's resources, Windows's fields of EXIF.
WRITTEN = {
    "xmp": [
        *("-XMP-dc:Subject=tram", "-XMP-dc:Subject=sea, side", "-XMP-dc:Title=Line 28"),
        *("-XMP-dc:Description=Up to the castle", "-XMP:Rating=3", "-XMP-iptcExt:PersonInImage=Ana"),
        *(
            "-RegionInfo={AppliedToDimensions={W=64,H=48,Unit=pixel},RegionList=[{Area={X=0.5,Y=0.5,W=0.1,H=0.1,"
            "Unit=normalized},Name=Inês,Type=Face},{Area={X=0.5,Y=0.5,W=0.1,H=0.1,Unit=normalized},Name=Rex,Type=Pet}]}",
        ),
    ],
    "iptc": ["-IPTC:Keywords=tram", "-IPTC:Keywords=açúcar", "-IPTC:ObjectName=Line 28", "-IPTC:Caption-Abstract=Up"],
    "exif": ["-EXIF:XPKeywords=tram;sea", "-EXIF:XPTitle=Line 28", "-EXIF:ImageDescription=Up", "-EXIF:Rating=2"],
}
EXPECTED = {
    "xmp": Words(("sea, side", "tram"), "Line 28", "Up to the castle", 3, ("Ana", "Inês")),
    "iptc": Words(("açúcar", "tram"), "Line 28", "Up"),
    "exif": Words(("sea", "tram"), "Line 28", "Up", 2),
}


@pytest.mark.parametrize("form", WRITTEN)
async def test_what_exiftool_writes_and_reads_is_read_here(
    imaging_engine: ImagingEngine, form: str, tmp_path: Path
) -> None:
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("exiftool is not installed")
    path = tmp_path / "tram.jpg"
    path.write_bytes(saved("JPEG"))
    subprocess.run([tool, "-q", "-overwrite_original", *WRITTEN[form], str(path)], check=True)
    told = json.loads(subprocess.run([tool, "-j", "-n", str(path)], check=True, capture_output=True).stdout)[0]
    words = await read(imaging_engine, path)
    assert words == EXPECTED[form]
    keywords = told.get("Subject") or told.get("Keywords") or str(told["XPKeywords"]).split(";")
    assert set(words.tags) == set(keywords)
    assert words.title == (told.get("Title") or told.get("ObjectName") or told.get("XPTitle"))
    assert (words.rating or 0) == told.get("Rating", 0)
