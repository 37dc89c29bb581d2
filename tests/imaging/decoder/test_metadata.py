"""What leaves the decoder process of the metadata of each format's files."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.support import images

from imagegallery.imaging.protocol import Notes
from imagegallery.imaging.sandbox.engine import SandboxedEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

Place = Callable[[bytes], Path]

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="2012-06-05T14:03:59+02:00"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize(
    ("container", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("AVIF", "image/avif")],
)
async def test_exif_and_xmp_are_found_in_every_format(
    engine: SandboxedEngine, place: Place, container: str, content_type: str
) -> None:
    buffer = io.BytesIO()
    packet = PngInfo()
    packet.add_itxt("XML:com.adobe.xmp", XMP.decode())
    options = {"pnginfo": packet} if container == "PNG" else {"xmp": XMP}
    Image.new("RGB", (16, 16)).save(buffer, container, exif=images.exif_block(make="Canon"), **options)
    seen = await engine.inspect(place(buffer.getvalue()), content_type=content_type)
    assert b"Canon" in seen.exif
    assert seen.exif[:4] in (b"II*\0", b"MM\0*")
    assert seen.notes == Notes(xmp_times=("2012-06-05T14:03:59+02:00",))


async def test_iptc_is_found_in_a_jpeg(engine: SandboxedEngine, place: Place) -> None:
    datasets = b"\x1c\x02\x37\0\x0820120605\x1c\x02\x3c\0\x0b140359+0200"
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(datasets).to_bytes(4, "big") + datasets
    picture = images.jpeg()
    segment = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    seen = await engine.inspect(place(picture[:2] + segment + picture[2:]), content_type="image/jpeg")
    assert seen.notes == Notes(iptc_times=("20120605T140359+0200",))
