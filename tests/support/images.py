"""Pictures to test with, made in memory: good ones of every kind, and each way in which one can be bad.

Sizes are in pixels. `real_photo` is a photograph out of the scikit-image wheel (of the extra ``dev``); everything else
is drawn here. Nothing is read from the network and no two calls differ.
"""

import base64
import io
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from PIL import ExifTags, Image

Colour = tuple[int, int, int]

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 160, 60), (40, 60, 200), (128, 128, 128)

# 96 x 64, its upper left quarter red, turned by a quarter in the container: 64 x 96 as a person sees it. EXIF: camera
# "Maker", 38.72 N 9.14 W.
_HEIC = (
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0004@ZDn*}000000000XXk=`10000000000aA{+700000000000000000000G-+&aV*mgE07O6l0s"
    "sL300001#Q*^S00000006820ssI200MCU0RR9100000r~m)}IB98aW&i*H00062000$fZf0cy000000RRAKc4ILB0000LX>Mj^0ssI300IC2MR;j"
    "u000004sdC7Z2$lO00031007`=aB^?}006*gaAR)(004Msc4I>U18@KU0FVFx0000U@BsY%`1k+-4+CHT0RR|40Sp2E{{wIU00RJ!0009300RIXx"
    "&lC90096iLID8-Z~y=U0FVFx0{{R603M()fd!W8Nhz*w0vZem00093$N&HX00=;000968L;=Baup&SJ000wXZ)|dIV{CW;0RRmE27mwn02FC+aAg"
    "1h000000AK(B06+i$01$9#cxeCt0009B2nYZG010VwZ*&6y000<iaBX1#00000000310R@2q0|bQt000_ka%E-!00000000hSWOHKx0ssL30RR92"
    "Ty11wbN~PVs3-xi3E<-koVu_7{y`uA{xKVn{siWvf>L?nX(wSP|M@SWtXW$*SMkXRooxkt?J;Vo`xtR|F@7WD_8W+4=5SI*dEHe4ZLq=My0hFfYy"
    "a~fM<2auhySrQM{{HP&C8I~%r5JWtOt?4C8hSwUCE~y>|V_mfK(KszhWb{S5fX?F2BrcFZRepTe>`-`rm|npe#UG!Dw~3ZcNA9@FaK0KmRkozyJU"
    "M21R&jW&i+9O#mtY000O80|5^J0ssI21^@s6G650*0{{R30RRR70Ei_31ONa40RR91H~;_u08L?QWpV%j1ONd50ssI20!{z`000621poj50{{R3Z"
    "U6%S0ssI20#^V4000C41poj50{{R3h5!Hn00003$N&HU82|tP000000RR91000000RR92$p8QVG5`Po000000RR91000000R"
)

# 16 x 16, (200, 100, 50) at half opacity, stored multiplied by it.
_PREMULTIPLIED_AVIF = (
    "0000WW^{RQVRmU|00000VRmU|ZE0pPZE0a<O+hh10004-ZDn*}000000000eXk=`10000000000aA{+7000000000000000Y-wU)c4=k+0000EaA"
    "|aH000000096104!;2Z({%e002Y)00IC3000010005e0000W00IC2009610mA?Q01f~E077YLZe{=g000020000QX>Mj^0ssI200961VRkSvLvL("
    "vasU7T02*m-W@Q2Z00002003cjFfl=FaA;uw0000eX>w&|000000000EaB^jB0096200IC201jbwcx(Uy009620002PX>f9I0001;X>en20000KX"
    ">)L8000000000G0000G0000GaA|mH000000|*ER0000CVRkV?fgk_?0000JV{dG7ZewhC0096E00w{n000hfX?SS>000012mk;83}JRLLxBJs000"
    "00IAL{oLjV8(0CjS1I&E-eXF6?gWoJS<V`*b>I&*n*bY*RGI$?EqX>4g>a(OyoY;b5{000009%*oGVE_OC000000ssL70Rn>r00IO71%?Lz001^^"
    "WMOm?015>d4FA|vG6N6*6A}Ol2sjM?*g!);q%sl^fB*nM06y~vbDNFZhE1R7pa"
)


def real_photo() -> bytes:
    """A JPEG of a rocket on its pad, 640 x 427. Raises `LookupError` without scikit-image."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise LookupError("real_photo() reads a photograph from the package scikit-image: pip install scikit-image")
    return (Path(spec.origin).parent / "data" / "rocket.jpg").read_bytes()


def quarters(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Four flat quarters: red and green above, blue and grey below; so that every turn of it can be told."""
    picture = Image.new("RGB", (width, height), GREY)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture.convert(mode, palette=Image.Palette.ADAPTIVE)


def exif_block(
    *,
    orientation: int | None = None,
    taken_at: str | None = None,
    offset: str | None = None,
    gps: tuple[float, float] | None = None,
    make: str | None = None,
    model: str | None = None,
) -> Image.Exif:
    """EXIF with these tags: ``taken_at`` as ``YYYY:MM:DD HH:MM:SS``, ``offset`` as ``+01:00``, ``gps`` in degrees."""
    exif = Image.Exif()
    for tag, value in (
        (ExifTags.Base.Make, make),
        (ExifTags.Base.Model, model),
        (ExifTags.Base.Orientation, orientation),
    ):
        if value is not None:
            exif[tag] = value
    if taken_at is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken_at
    if offset is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = offset
    if gps is not None:
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        place[ExifTags.GPS.GPSLatitudeRef] = "N" if gps[0] >= 0 else "S"
        place[ExifTags.GPS.GPSLatitude] = (abs(gps[0]), 0.0, 0.0)
        place[ExifTags.GPS.GPSLongitudeRef] = "E" if gps[1] >= 0 else "W"
        place[ExifTags.GPS.GPSLongitude] = (abs(gps[1]), 0.0, 0.0)
    return exif


def jpeg(
    width: int = 64,
    height: int = 48,
    *,
    mode: str = "RGB",
    quality: int = 95,
    exif: Image.Exif | bytes = b"",
    icc: bytes | None = None,
    progressive: bool = False,
) -> bytes:
    """`quarters` as JPEG; mode ``L`` is grey, ``CMYK`` four inks."""
    options = {"quality": quality, "exif": exif, "icc_profile": icc, "progressive": progressive, "subsampling": 0}
    return _saved(quarters(width, height, mode), "JPEG", options)


def many_scans_jpeg(scans: int, width: int = 64, height: int = 48) -> bytes:
    """A flat JPEG sent in that many passes, of which all but the first say in a few bytes that nothing changes."""
    blocks = -(-width // 8) * -(-height // 8)
    assert blocks <= 1 << 13, "one code stands for so many blocks without anything"
    differences = _jpeg_segment(0xC4, b"\x00\1" + bytes(15) + b"\0")
    runs = _jpeg_segment(0xC4, b"\x10\1" + bytes(15) + b"\xd0")
    passes = [
        _jpeg_segment(0xDA, bytes([1, 1, 0, 1 + index % 63, 1 + index % 63, 1])) + b"\0\x03"
        for index in range(scans - 1)
    ]
    return b"".join(
        [
            b"\xff\xd8",
            _jpeg_segment(0xDB, b"\0" + b"\1" * 64),
            _jpeg_segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
            differences + runs,
            _jpeg_segment(0xDA, b"\1\1\0\0\0\1") + bytes(-(-blocks // 8)),
            *passes,
            b"\xff\xd9",
        ]
    )


def exif_garbage_jpeg() -> bytes:
    """A good picture whose EXIF block is noise behind its marker."""
    return jpeg(exif=b"Exif\0\0" + bytes((37 * index) % 251 for index in range(500)))


def broken_icc_jpeg(mode: str = "RGB") -> bytes:
    """A good picture whose colour profile is none."""
    return jpeg(mode=mode, icc=b"this is not a colour profile " * 10)


def jpeg_of_size(size: int, seed: str = "") -> bytes:
    """A small JPEG of exactly ``size`` bytes, 631 at least: random bytes follow its end, where no decoder looks.

    Another ``seed`` is another file.
    """
    picture = jpeg(8, 8, quality=50)
    noise = random.Random(f"{seed} {size}")
    assert size >= len(picture), len(picture)
    return picture + noise.randbytes(size - len(picture))


def png(width: int = 64, height: int = 48, *, mode: str = "RGB") -> bytes:
    """`quarters` as PNG; mode ``P`` is a palette, ``1``, ``L``, ``LA`` and ``RGBA`` what they say."""
    return _saved(quarters(width, height, mode), "PNG", {})


def transparent_png(width: int = 64, height: int = 48) -> bytes:
    """Red on the left, fully transparent green on the right."""
    picture = Image.new("RGBA", (width, height), (*GREEN, 0))
    picture.paste((*RED, 255), (0, 0, width // 2, height))
    return _saved(picture, "PNG", {})


def png16(width: int = 64, height: int = 48, *, alpha: bool = False) -> bytes:
    """16 bits a channel: half-bright orange, which is 0xC0, 0x80 and 0x40 in 8 bits; opaque when it has alpha."""
    pixel = struct.pack(">HHH", 0xC000, 0x8000, 0x4000) + (b"\xff\xff" if alpha else b"")
    rows = (b"\0" + pixel * width) * height
    return _png_file(width, height, bit_depth=16, colour_type=6 if alpha else 2, data=zlib.compress(rows))


def bomb_png(width: int = 50_000, height: int = 50_000) -> bytes:
    """A header that promises a picture of this size, in some hundred bytes; what follows is one row of it."""
    row = zlib.compress(b"\0" + bytes(width // 8))
    return _png_file(width, height, bit_depth=1, colour_type=0, data=row)


def small_bomb_png(side: int = 8_000) -> bytes:
    """An all-black RGBA picture with every row there: some kilobytes that become ``side * side * 4`` bytes."""
    packer = zlib.compressobj(9)
    row = b"\0" + bytes(4 * side)
    data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    return _png_file(side, side, bit_depth=8, colour_type=6, data=data)


def webp(width: int = 64, height: int = 48, *, mode: str = "RGB", exif: Image.Exif | bytes = b"") -> bytes:
    return _saved(quarters(width, height, mode), "WEBP", {"quality": 95, "exif": exif})


def avif(width: int = 64, height: int = 48, *, exif: Image.Exif | bytes = b"") -> bytes:
    return _saved(quarters(width, height), "AVIF", {"quality": 95, "exif": exif, "speed": 10})


def coded_avif(colour: tuple[int, ...], *, primaries: int = 1, transfer: int = 13, **options: object) -> bytes:
    """16 x 16 of one colour, or grey if it is one number, with these code points (ITU-T H.273) in its colour box."""
    picture = Image.merge("L" if len(colour) == 1 else "RGB", [Image.new("L", (16, 16), each) for each in colour])
    data = bytearray(_saved(picture, "AVIF", {"quality": 100, "subsampling": "4:4:4", **options}))
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def premultiplied_avif() -> bytes:
    """16 x 16 of (200, 100, 50) at half opacity, the colours multiplied by it."""
    return base64.b85decode(_PREMULTIPLIED_AVIF)


def animation(
    container: str = "GIF", *, width: int = 64, height: int = 48, frames: int = 3, delay: int = 120, loop: int = 2
) -> bytes:
    """Flat frames, red then green then blue and over again, ``delay`` milliseconds each. ``GIF`` or ``WEBP``."""
    colours = (RED, GREEN, BLUE)
    pictures = [Image.new("RGB", (width, height), colours[index % 3]) for index in range(frames)]
    options = {"save_all": True, "append_images": pictures[1:], "duration": delay, "loop": loop}
    return _saved(pictures[0], container, options if container == "GIF" else {**options, "lossless": True})


def many_frames_gif(frames: int = 10_000) -> bytes:
    """That many frames of one pixel, in some 20 bytes each (GIF89a, sections 18 to 27)."""
    header = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    control = b"\x21\xf9\x04\0\x05\0\0\0"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return header + (control + picture) * frames + b"\x3b"


def gif_of_frames(*frames: tuple[int, int, int, int, int], width: int = 40, height: int = 30) -> bytes:
    """Red frames that know of no transparency: left, top, width, height and disposal (GIF89a, section 23) of each."""
    parts = [b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(RED) + b"\xff\xff\xff"]
    for left, top, across, down, disposal in frames:
        alone = _saved(Image.new("P", (across, down), 0), "GIF", {})
        at = alone.rindex(b"\x2c\0\0\0\0" + struct.pack("<HH", across, down)) + 10
        parts.append(b"\x21\xf9\x04" + bytes([disposal << 2]) + b"\x0a\0\0\0")
        parts.append(b"\x2c" + struct.pack("<HHHHB", left, top, across, down, 0) + alone[at:-1])
    return b"".join([*parts, b"\x3b"])


def heic() -> bytes:
    """A HEIC picture, 64 x 96 once its container's quarter turn is applied, with a camera and a place in its EXIF."""
    return base64.b85decode(_HEIC)


def truncated(data: bytes, keep: float = 0.5) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * keep)]


def svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF"


def _saved(picture: Image.Image, container: str, options: Mapping[str, object]) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, container, **{name: value for name, value in options.items() if value is not None})
    return buffer.getvalue()


def _jpeg_segment(marker: int, body: bytes) -> bytes:
    """ITU-T T.81, section B.1.1.4."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _png_file(width: int, height: int, *, bit_depth: int, colour_type: int, data: bytes) -> bytes:
    """A PNG of one data chunk (PNG specification, third edition, section 5)."""
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    chunks: Sequence[tuple[bytes, bytes]] = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
