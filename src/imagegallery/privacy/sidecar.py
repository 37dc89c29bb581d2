"""XMP sidecars (ISO 16684-1): what is known of an image, as other programs read it. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from imagegallery.images.image.image import Image
from imagegallery.images.metadata.capture_time import TakenAtSource

NAMESPACE: Final = "https://imagegallery.dev/xmp/1.0/"
"""Of what no other namespace has a name for."""
FAVORITE_RATING: Final = 5
"""Of a favourite without stars of its own."""
_NAMESPACES: Final = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "imagegallery": NAMESPACE,
}
# What XML 1.0 cannot hold (section 2.2), not even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sidecar(image: Image, galleries: Sequence[str]) -> bytes:
    """The sidecar of an image that is in galleries of these names."""
    texts = "".join(
        f"   <{name}>\n{body}   </{name}>\n"
        for name, body in (
            ("dc:title", _in_any_language(image.title)),
            ("dc:description", _in_any_language(image.description or image.alt_text)),
            ("dc:subject", _bag(image.tags)),
            ("Iptc4xmpExt:PersonInImage", _bag(image.people)),
            ("Iptc4xmpCore:AltTextAccessibility", _in_any_language(image.alt_text)),
            ("lr:hierarchicalSubject", _bag(f"Galleries|{name.replace('|', '/')}" for name in galleries)),
        )
        if body
    )
    namespaces = "".join(f"\n    xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in _NAMESPACES.items())
    values = "".join(f"\n    {name}={quoteattr(_clean(value))}" for name, value in _simple(image))
    packet = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{_NAMESPACES["rdf"]}">
  <rdf:Description rdf:about=""{namespaces}{values}>
{texts}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
    return packet.encode()


def _simple(image: Image) -> Iterable[tuple[str, str]]:
    """The properties that are one text each."""
    yield "xmpMM:PreservedFileName", image.filename
    if image.taken_at_source is not TakenAtSource.UPLOAD:
        yield "exif:DateTimeOriginal", _moment(image.taken_at)
        yield "photoshop:DateCreated", _moment(image.taken_at)
    if image.latitude is not None and image.longitude is not None:
        yield "exif:GPSLatitude", _degrees(image.latitude, "NS")
        yield "exif:GPSLongitude", _degrees(image.longitude, "EW")
    if image.rating is not None or image.is_favorite:
        yield "xmp:Rating", str(FAVORITE_RATING if image.rating is None else image.rating)
    yield "imagegallery:Id", str(image.id)
    yield "imagegallery:AddedAt", _moment(image.created_at)
    yield "imagegallery:Visibility", image.visibility.value
    yield "imagegallery:Favorite", str(image.is_favorite)
    yield "imagegallery:Archived", str(image.is_archived)
    if image.deleted_at is not None:
        yield "imagegallery:DeletedAt", _moment(image.deleted_at)
    if image.meta:
        yield "imagegallery:Meta", json.dumps(image.meta, ensure_ascii=False, sort_keys=True)


def _in_any_language(text: str) -> str:
    if not text:
        return ""
    return f'    <rdf:Alt>\n     <rdf:li xml:lang="x-default">{escape(_clean(text))}</rdf:li>\n    </rdf:Alt>\n'


def _bag(items: Iterable[str]) -> str:
    listed = "".join(f"     <rdf:li>{escape(_clean(item))}</rdf:li>\n" for item in items)
    return f"    <rdf:Bag>\n{listed}    </rdf:Bag>\n" if listed else ""


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _degrees(value: float, directions: str) -> str:
    """Degrees and minutes, ``38,42.500000N``: GPSCoordinate (ISO 16684-1 annex A refers to Exif 2.3 for XMP)."""
    minutes = round(abs(value) * 60, 6)
    return f"{int(minutes // 60)},{minutes % 60:.6f}{directions[value < 0]}"
