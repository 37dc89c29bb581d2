"""Copies without metadata: the place is nowhere in them, in no encoding, and the picture is the same.

What is left is read by Pillow, and by ExifTool where it is installed.
"""

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pillow_heif
import pytest
import pyvips
from PIL import Image, ImageSequence, IptcImagePlugin
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational
from tests.support.photographs import photograph

from imagegallery.errors import BadImage, TypeMismatch
from imagegallery.imaging.protocol import EXIF_MARKER, Removal
from imagegallery.imaging.removal.pieces import write
from imagegallery.imaging.removal.removal import pieces
from imagegallery.imaging.sandbox.engine import SandboxedEngine

SERIAL, OWNER = "SN-4711-0815", "Ana Example"
EXIF_IFD, GPS_IFD, MAKE, ORIENTATION, DESCRIPTION, SERIAL_NUMBER, NOTE = 0x8769, 0x8825, 271, 274, 270, 0xA431, 0x927C
# 38 degrees 42' 49.5" north, 9 degrees 8' 22.3" west: as rationals of both byte orders, as text, as a word.
LATITUDE = (IFDRational(38), IFDRational(42), IFDRational(5003, 101))
LONGITUDE = (IFDRational(9), IFDRational(8), IFDRational(223, 10))
SECONDS = [(5003).to_bytes(4, order) + (101).to_bytes(4, order) for order in ("big", "little")]
PLACES = [*SECONDS, b"38.7139", b"38,42.834N", b"9.139528", b"Lisbon", b"Alfama"]
XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 xmlns:drone="http://www.dji.com/drone-dji/1.0/" xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 exif:GPSLatitude="38,42.834N" photoshop:City='Lisbon' xmp:Rating="4" aux:SerialNumber="{SERIAL}"
 drone:GpsLatitude = "38.7139" drone:RelativeAltitude="+9.139528">
 <ext:LocationCreated><rdf:Bag><rdf:li rdf:parseType="Resource"><ext:Sublocation>Alfama</ext:Sublocation>
 <ext:City>Lisbon &gt; east</ext:City></rdf:li></rdf:Bag></ext:LocationCreated>
 <exif:GPSLongitude>9.139528</exif:GPSLongitude><photoshop:Country/><xmp:Label>Sea</xmp:Label>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def exif(*, make: str = "Canon", orientation: int = 6) -> Image.Exif:
    block = Image.Exif()
    block[MAKE], block[ORIENTATION], block[DESCRIPTION] = make, orientation, "Tram"
    block.get_ifd(EXIF_IFD).update({SERIAL_NUMBER: SERIAL, NOTE: b"note of a maker"})
    block.get_ifd(GPS_IFD).update({1: "N", 2: LATITUDE, 3: "W", 4: LONGITUDE})
    return block


def iptc() -> bytes:
    datasets = b"".join(
        b"\x1c\x02" + bytes([number]) + len(text).to_bytes(2, "big") + text
        for number, text in ((80, OWNER.encode()), (90, b"Lisbon"), (92, b"Alfama"), (25, b"tram"))
    )
    return b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(datasets).to_bytes(4, "big") + datasets


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


def jpeg(**options: object) -> bytes:
    data = photograph(64, 48, **{"exif": exif(), "xmp": XMP, "comment": OWNER.encode(), **options})
    return data[:2] + segment(0xED, iptc()) + segment(0xEB, b"JP\0\1\0\0\0\1 Lisbon") + data[2:]


def png() -> bytes:
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    texts.add_text("Author", OWNER)
    texts.add_text("exif:GPSInfo", "38.7139")
    raw = exif().tobytes().removeprefix(EXIF_MARKER)
    texts.add_text("Raw profile type exif", f"\nexif\n{len(raw):8}\n{raw.hex()}\n", zip=True)
    return saved("PNG", exif=exif(), pnginfo=texts)


def gif() -> bytes:
    data = saved("GIF", comment=OWNER.encode())
    packet = b"\x21\xff\x0bXMP DataXMP" + XMP + bytes([1, *range(255, -1, -1), 0])
    return data[:-1] + packet + b"\x21\xff\x0bMGKIPTC0000\x06Lisbon\0\x3b"


def saved(container: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photograph(64, 48))).save(buffer, container, **options)
    return buffer.getvalue()


def heic() -> bytes:
    picture = pillow_heif.from_pillow(Image.open(io.BytesIO(photograph(64, 48))))
    buffer = io.BytesIO()
    picture.save(buffer, exif=exif().tobytes(), xmp=XMP)
    return buffer.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "jpg": jpeg,
    "png": png,
    "webp": lambda: saved("WEBP", exif=exif(), xmp=XMP),
    "gif": gif,
    "avif": lambda: saved("AVIF", exif=exif(), xmp=XMP),
    "heic": heic,
}


def without(data: bytes, removal: Removal) -> bytes:
    buffer = io.BytesIO()
    write(data, pieces(data, removal), buffer)
    return buffer.getvalue()


def order_of(tiff: bytes) -> Literal["big", "little"]:
    return "big" if tiff.startswith(b"MM") else "little"


def pixels(data: bytes, kind: str) -> bytes:
    if kind == "heic":
        return bytes(pillow_heif.open_heif(io.BytesIO(data)).data)
    return bytes(pyvips.Image.new_from_buffer(data, "", fail_on="error").autorot().write_to_memory())


def told(data: bytes, kind: str, folder: Path) -> dict[str, object]:
    """What ExifTool finds, by group and name. Empty without it."""
    tool = shutil.which("exiftool")
    if tool is None:
        return {}
    path = folder / f"copy.{kind}"
    path.write_bytes(data)
    out = subprocess.run([tool, "-j", "-G1", "-a", "-ee", "-n", str(path)], capture_output=True, check=False)
    return dict(json.loads(out.stdout)[0])


@pytest.mark.parametrize("kind", FILES)
def test_a_copy_without_the_place_has_everything_else(kind: str, tmp_path: Path) -> None:
    data = FILES[kind]()
    assert any(place in data for place in PLACES)
    copy = without(data, Removal.STRIP_PLACE)
    assert pixels(copy, kind) == pixels(data, kind)
    assert not [place for place in PLACES if place in copy]
    if kind != "png":  # its chunks are packed
        assert SERIAL.encode() in copy
        assert b'xmp:Rating="4"' in copy
    if kind != "gif":
        opened = pillow_heif.open_heif(io.BytesIO(copy)).info if kind == "heic" else Image.open(io.BytesIO(copy)).info
        left = Image.Exif()
        left.load(opened["exif"])
        assert (left[MAKE], left[DESCRIPTION]) == ("Canon", "Tram")
        assert left.get_ifd(EXIF_IFD)[SERIAL_NUMBER] == SERIAL
        assert left.get_ifd(GPS_IFD) == {}
    tags = told(copy, kind, tmp_path)
    assert not [name for name in tags if "GPS" in name or "City" in name or "Location" in name]
    if tags:
        assert tags["XMP-xmp:Rating"] == 4


@pytest.mark.parametrize("kind", FILES)
def test_a_copy_without_metadata_has_nothing_but_the_picture(kind: str, tmp_path: Path) -> None:
    data = FILES[kind]()
    copy = without(data, Removal.STRIP_ALL)
    assert pixels(copy, kind) == pixels(data, kind)
    words = [*PLACES, SERIAL.encode(), OWNER.encode(), b"Canon", b"Rating", b"Tram"]
    assert not [word for word in words if word in copy]
    groups = {name.partition(":")[0] for name in told(copy, kind, tmp_path)}
    assert not [group for group in groups if group.startswith(("XMP", "IPTC", "ExifIFD", "GPS", "Photoshop"))]
    if kind == "webp":
        assert copy[12:16] == b"VP8X"
        assert copy[20] & 0x0C == 0x08  # EXIF, for the orientation, and no XMP
    if kind == "avif":
        assert Image.open(io.BytesIO(copy)).size == (64, 48)
    if kind in ("jpg", "png", "webp"):
        assert dict(Image.open(io.BytesIO(copy)).getexif()) == {ORIENTATION: 6}


@pytest.mark.parametrize("kind", FILES)
def test_nothing_is_changed_where_there_is_no_place(kind: str) -> None:
    once = without(FILES[kind](), Removal.STRIP_PLACE)
    assert without(once, Removal.STRIP_PLACE) == once
    bare = without(once, Removal.STRIP_ALL)
    assert without(bare, Removal.STRIP_ALL) == bare
    assert without(bare, Removal.STRIP_PLACE) == bare


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("removal", Removal)
def test_a_cut_or_altered_file_is_refused_or_copied_without_the_place(kind: str, removal: Removal) -> None:
    data = FILES[kind]()
    for size in {*range(0, len(data), 61), *range(len(data) - 20, len(data))}:
        assert not [place for place in PLACES if place in copied(data[:size], removal)]
    for at in range(0, len(data), 23):
        for value in (0, 0xFF, data[at] ^ 1):
            copied(data[:at] + bytes([value]) + data[at + 1 :], removal)


def copied(data: bytes, removal: Removal) -> bytes:
    try:
        return without(data, removal)
    except (BadImage, TypeMismatch):
        return b""


# --- JPEG ----------------------------------------------------------------------------------------------------


def test_frames_behind_a_jpeg_lose_their_place_and_stay_where_they_are() -> None:
    buffer = io.BytesIO()
    first, second = (Image.open(io.BytesIO(photograph(*size))) for size in ((64, 48), (32, 24)))
    first.save(buffer, "MPO", save_all=True, append_images=[second], exif=exif())
    data = buffer.getvalue()
    at = data.index(b"\xff\xd8", 200)
    data = data[:-2] + b"\xff\xd9"
    frame = photograph(32, 24, exif=exif())
    shown = without(data[:at] + frame + b"\0\0\0\x18ftypmp42 film of Lisbon", Removal.STRIP_PLACE)
    assert len(shown) == at + len(frame)
    assert not [place for place in PLACES if place in shown]
    assert len(without(data, Removal.STRIP_PLACE)) == len(data)
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(without(data, Removal.STRIP_PLACE))))
    assert len([each.load() for each in frames]) == 2
    assert Image.open(io.BytesIO(without(data, Removal.STRIP_ALL))).format == "JPEG"


@pytest.mark.parametrize(("make", "is_left"), [("Canon", True), ("NIKON CORPORATION", False), ("Panasonic", False)])
def test_a_makers_note_goes_where_makers_write_places_into_it(make: str, *, is_left: bool) -> None:
    copy = without(photograph(64, 48, exif=exif(make=make)), Removal.STRIP_PLACE)
    assert (b"note " in copy) is is_left


def test_a_thumbnail_with_metadata_goes_and_one_without_stays() -> None:
    for thumbnail, is_left in ((photograph(16, 12, exif=exif()), False), (photograph(16, 12), True)):
        block = exif(make="Canon").tobytes()
        order = order_of(block[6:])
        at = len(block) - 6
        directory = b"".join(
            tag.to_bytes(2, order) + (4).to_bytes(2, order) + (1).to_bytes(4, order) + value.to_bytes(4, order)
            for tag, value in ((0x0201, at + 30), (0x0202, len(thumbnail)))
        )
        start = 6 + int.from_bytes(block[10:14], order)
        end = start + 2 + 12 * int.from_bytes(block[start : start + 2], order)
        linked = block[:end] + at.to_bytes(4, order) + block[end + 4 :]
        whole = linked + (2).to_bytes(2, order) + directory + bytes(4) + thumbnail
        copy = without(photograph(64, 48, exif=whole), Removal.STRIP_PLACE)
        assert (thumbnail in copy) is is_left
        assert not [place for place in PLACES if place in copy]


def test_xmp_in_several_segments_keeps_its_digest_and_loses_its_place() -> None:
    text = XMP.replace(b"Sea", b"Sea" * 30_000)
    old = b"0123456789ABCDEF0123456789ABCDEF"
    head = b"http://ns.adobe.com/xmp/extension/\0" + old
    parts = [
        segment(0xE1, head + len(text).to_bytes(4, "big") + at.to_bytes(4, "big") + text[at:end])
        for at, end in pairwise([0, 1_000, 50_000, len(text)])
    ]
    packet = XMP.replace(
        b"xmp:Rating", b'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="' + old + b'" xmp:Rating'
    )
    data = photograph(64, 48, xmp=packet)
    copy = without(data[:2] + b"".join(parts) + data[2:], Removal.STRIP_PLACE)
    assert not [place for place in PLACES if place in copy]
    digest = copy[copy.index(head[:-32]) + len(head) - 32 :][:32]
    assert digest != old
    assert copy.count(digest) == 4
    assert copy.count(b"SeaSea") > 100


def test_exif_that_nobody_can_read_goes_but_for_the_orientation() -> None:
    block = exif().tobytes()
    data = photograph(64, 48, exif=block)
    at = data.index(block) + 6
    order = order_of(data[at:])
    first = at + int.from_bytes(data[at + 4 : at + 8], order)
    end = first + 2 + 12 * int.from_bytes(data[first : first + 2], order)
    lies = data[:end] + (len(block) - 8).to_bytes(4, order) + data[end + 4 :]
    lies = lies.replace(block[-4:], b"\xff\xff\xff\xff", 1)
    for removal in Removal:
        copy = without(lies, removal)
        assert not [place for place in PLACES if place in copy]
        assert Image.open(io.BytesIO(copy)).getexif().get(ORIENTATION) == 6


def test_adobe_rgb_without_a_profile_stays_so() -> None:
    block = exif(orientation=1)
    block.get_ifd(EXIF_IFD)[0xA005] = {1: "R03", 2: b"0100"}
    copy = without(photograph(64, 48, exif=block), Removal.STRIP_ALL)
    header = pyvips.Image.new_from_buffer(copy, "")
    assert str(header.get("exif-ifd4-InteroperabilityIndex")).startswith("R03")
    assert SERIAL.encode() not in copy


def test_datasets_of_iptc_that_tell_no_place_stay() -> None:
    left = IptcImagePlugin.getiptcinfo(Image.open(io.BytesIO(without(jpeg(), Removal.STRIP_PLACE))))
    assert left is not None
    assert left[2, 80] == OWNER.encode()
    assert not {(2, 90), (2, 92), (2, 95)} & left.keys()


# --- the engine ------------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="module")
async def test_the_engine_copies_in_the_child(
    engine: SandboxedEngine, place: Callable[[bytes], Path], into: Path
) -> None:
    copy = into / "copy"
    await engine.remove_metadata(place(jpeg()), copy, content_type="image/jpeg", removal=Removal.STRIP_ALL)
    assert copy.read_bytes() == without(jpeg(), Removal.STRIP_ALL)
    with pytest.raises(TypeMismatch):
        await engine.remove_metadata(place(png()), copy, content_type="image/jpeg", removal=Removal.STRIP_ALL)
    lies = jpeg()
    lies = lies[:4] + b"\xff\xff" + lies[6:]
    with pytest.raises(BadImage):
        await engine.remove_metadata(place(lies), copy, content_type="image/jpeg", removal=Removal.STRIP_PLACE)
    assert not copy.exists()
