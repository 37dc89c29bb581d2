"""XMP packets, IPTC blocks and PNG files made by hand, and made to hurt."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable

import pytest
from tests.support.growth import check_linear

from imagegallery.imaging.decoder.source import Blocks
from imagegallery.imaging.formats import iptc, png, xmp
from imagegallery.imaging.formats.notes import read_notes

NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    ' xmlns:ex="http://cipa.jp/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"'
    ' xmlns:xap="http://ns.adobe.com/xap/1.0/" xmlns:ps="http://ns.adobe.com/photoshop/1.0/"'
)


def packet(attributes: str = "", elements: str = "", before: str = "") -> bytes:
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{before}'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMESPACES}>'
        f"<rdf:Description {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>\0'
    ).encode()


def test_xmp_tells_times_in_the_order_of_trust_as_attributes_or_elements() -> None:
    found = read_notes(
        Blocks(
            xmp=packet(
                'xap:CreateDate="2003-01-01T00:00:00"',
                "<exif:DateTimeOriginal> 2001-01-01T00:00:00 </exif:DateTimeOriginal>"
                "<ps:DateCreated>2002-01-01</ps:DateCreated>",
            )
        )
    )
    assert found.xmp_times == ("2001-01-01T00:00:00", "2002-01-01", "2003-01-01T00:00:00")


def test_xmp_tells_lens_and_sensitivity_of_which_lists_count_by_their_first() -> None:
    found = read_notes(
        Blocks(
            xmp=packet(
                'aux:Lens="24-70mm"',
                "<ex:LensModel>Zeiss</ex:LensModel><exif:ISOSpeedRatings><rdf:Seq><rdf:li>400</rdf:li>"
                "<rdf:li>800</rdf:li></rdf:Seq></exif:ISOSpeedRatings>",
            )
        )
    )
    assert (found.xmp_lenses, found.xmp_sensitivities) == (("Zeiss", "24-70mm"), ("400",))


def test_xmp_of_something_else_in_the_picture_does_not_count() -> None:
    item = "<rdf:li><xap:CreateDate>2001-01-01</xap:CreateDate></rdf:li>"
    part = f"<xap:Ingredients><rdf:Bag>{item}</rdf:Bag></xap:Ingredients>"
    assert read_notes(Blocks(xmp=packet(elements=part))).xmp_times == ()


def test_xmp_in_latin_1_and_in_utf_16_is_read() -> None:
    wanted = ("Objectif à 50 mm",)
    written = packet(f'aux:Lens="{wanted[0]}"').decode().replace("\ufeff", "")
    for encoding in ("latin-1", "utf-16", "utf-8"):
        assert read_notes(Blocks(xmp=written.encode(encoding))).xmp_lenses == wanted


BILLION = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "{"&a" + (str(n - 1) if n else "") + ";"}">' * 1 for n in range(1, 9))
    + "]>"
)


@pytest.mark.parametrize(
    "hostile",
    [
        packet('xap:CreateDate="2001-01-01"', before=BILLION),
        packet('xap:CreateDate="2001-01-01"', before='<!DOCTYPE x SYSTEM "file:///etc/passwd">'),
        b"<a>" * 100_000,
        b"<" * 1_000_000,
        b"\xff" * 1_000_000,
        packet(elements="<xap:CreateDate>" + " " * 1_000_000 + "</xap:CreateDate>"),
        packet("x" * 2_000_000),
        b"",
    ],
)
def test_a_hostile_packet_tells_nothing(hostile: bytes) -> None:
    assert xmp.read_properties(hostile) == {}


def test_what_stands_before_a_fault_counts() -> None:
    cut = packet('xap:CreateDate="2001-01-01"').partition(b"</rdf:RDF>")[0]
    assert read_notes(Blocks(xmp=cut)).xmp_times == ("2001-01-01",)


def test_long_texts_are_cut() -> None:
    found = read_notes(Blocks(xmp=packet(f'aux:Lens="{"x" * 100_000}"')))
    assert [len(lens) for lens in found.xmp_lenses] == [xmp.MAX_TEXT]


def dataset(number: int, text: str, record: int = 2) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(text)) + text.encode()


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    named = bytes([len(name)]) + name
    padded = named + b"\0" * (len(named) % 2)
    return b"8BIM" + struct.pack(">H", number) + padded + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


def times(block: bytes) -> tuple[str, ...]:
    return iptc.times(iptc.read_datasets(block))


def test_iptc_tells_day_and_time() -> None:
    data = dataset(90, "\x1b%G", 1) + dataset(120, "A caption") + dataset(55, "20040630") + dataset(60, "120000+0200")
    both = data + dataset(62, "20050630") + dataset(55, "19990101")
    wanted = ("20040630T120000+0200", "20050630")
    photoshop = b"Photoshop 3.0\0" + resource(0x0425, b"odd", b"name") + resource(0x0404, both)
    assert times(photoshop) == times(both) == wanted


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"Photoshop 3.0\0",
        b"Photoshop 3.0\x008BIM",
        b"Photoshop 3.0\x008BIM\x04\x04\xff",
        b"8BIM" * 300_000,
        (b"8BIM" + bytes(8)) * 100_000,
        b"\x1c" * 1_000_000,
        b"\x1c\x02\x37\x80\x04\0\0\x01\0",
        b"\x1c\x02\x37\xff\xff\0\0\0\x0820040630",
        b"\x1c\x02\x37",
    ],
)
def test_a_hostile_block_tells_nothing(hostile: bytes) -> None:
    assert times(hostile) == ()


TIFF = b"MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\0\4ABC\0\0\0\0\0"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def blocks(*chunks: bytes) -> Blocks:
    return png.read_blocks(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)))


def raw_profile(kind: str, data: bytes) -> bytes:
    lines = (data.hex()[start : start + 72] for start in range(0, 2 * len(data), 72))
    return f"\n{kind}\n{len(data):8}\n".encode() + "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"eXIf", TIFF)],
        [chunk(b"IDAT", bytes(100)), chunk(b"eXIf", TIFF)],
        [chunk(b"tEXt", b"Raw profile type exif\0" + raw_profile("exif", TIFF))],
        [chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(raw_profile("generic", b"Exif\0\0" + TIFF)))],
        [chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile("exif", b"?"))), chunk(b"eXIf", TIFF)],
    ],
)
def test_exif_is_found_wherever_a_png_has_it(chunks: Iterable[bytes]) -> None:
    assert blocks(*chunks, chunk(b"IEND", b"")).exif.removeprefix(b"Exif\0\0") == TIFF


def test_a_png_tells_the_rest_too() -> None:
    information = dataset(55, "20040630")
    found = blocks(
        chunk(b"tIME", struct.pack(">HBBBBB", 2012, 6, 5, 14, 3, 59)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0translated\0" + zlib.compress(packet('aux:Lens="50mm"'))),
        chunk(
            b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(raw_profile("iptc", resource(0x0404, information)))
        ),
        chunk(b"tEXt", b"Creation Time\0Tue, 5 Jun 2012 14:00:00 GMT"),
        chunk(b"tEXt", b"Creation Time\0another one"),
    )
    notes = read_notes(found)
    assert (notes.xmp_lenses, notes.iptc_times) == (("50mm",), ("20040630",))
    assert notes.png_times == ("Tue, 5 Jun 2012 14:00:00 GMT", "2012-06-05T14:03:59Z")


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(50_000_000)))],
        [chunk(b"zTXt", b"Raw profile type exif\0\0nonsense")],
        [chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 8\nxyz")],
        [chunk(b"tEXt", b"Raw profile type exif\0" + b"\n" * 1_000_000)],
        [chunk(b"tEXt", b"k\0v")] * png.MAX_TEXTS + [chunk(b"tEXt", b"Creation Time\0too late")],
        [struct.pack(">I", 2**32 - 1) + b"eXIf"],
        [chunk(b"eXIf", bytes(png.MAX_BLOCK + 1))],
        [chunk(b"IEND", b""), chunk(b"eXIf", TIFF)],
        [chunk(b"tIME", b"\0")],
        [chunk(b"iTXt", b"")],
    ],
)
def test_a_hostile_png_tells_nothing(chunks: Iterable[bytes]) -> None:
    assert blocks(*chunks) == Blocks()


def read_xmp(text: str) -> object:
    return xmp.read_properties(packet(elements=text))


def read_iptc(text: str) -> object:
    return iptc.read_datasets(text.encode("latin-1"))


def read_png(text: str) -> object:
    return blocks(text.encode("latin-1"))


def read_png_profile(text: str) -> object:
    return blocks(chunk(b"tEXt", b"Raw profile type exif\0" + text.encode("latin-1")))


@pytest.mark.parametrize("read", [read_xmp, read_iptc, read_png, read_png_profile])
def test_time_grows_with_the_bytes(read: Callable[[str], object]) -> None:
    check_linear(
        read, repeated=["\0", " ", "<", "\x1c", "8BIM", "<a>", "</a>", "0", "\n", "\xff", "&lt;", "\x1c\x02\x37\0\0"]
    )
