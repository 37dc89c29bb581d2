"""A few properties of an XMP packet (ISO 16684-1), as they are written. Pure.

The packet is XML from strangers. Expat reads it once, in linear time. A document type, which every attack by entities
needs, stops the reading, and so do size and depth beyond any real packet.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from xml.parsers import expat

from attrs import define, field

MAX_PACKET: Final = 1024**2
MAX_DEPTH: Final = 64
MAX_TEXT: Final = 255

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"

# A name as Expat gives it: namespace, blank, local part.
TIMES: Final = (
    f"{_EXIF} DateTimeOriginal",
    f"{_PHOTOSHOP} DateCreated",
    f"{_XMP} CreateDate",
    f"{_EXIF} DateTimeDigitized",
)
LENSES: Final = (f"{_EXIF_EX} LensModel", f"{_AUX} Lens")
SENSITIVITIES: Final = (f"{_EXIF_EX} PhotographicSensitivity", f"{_EXIF} ISOSpeedRatings")

_WANTED: Final = frozenset((*TIMES, *LENSES, *SENSITIVITIES))
_DESCRIPTION: Final = f"{_RDF} Description"
# A list has its values in items; the first one counts.
_LIST_PARTS: Final = frozenset(f"{_RDF} {name}" for name in ("Seq", "Bag", "Alt", "li"))


class _Refused(Exception):
    """The packet is not one that a camera or an editor writes."""


def read_properties(packet: bytes) -> Mapping[str, str]:
    """The wanted properties of the picture, by name, up to the first fault. Never raises."""
    reader = _Reader()
    if len(packet) <= MAX_PACKET:
        parser = expat.ParserCreate(encoding_of(packet), " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = reader.refuse
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.text
        with suppress(expat.ExpatError, _Refused):
            parser.Parse(packet.strip(b"\0"), True)
    return reader.found


def values(properties: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    """The values of the existing properties, in the order of ``names``."""
    return tuple(properties[name] for name in names if name in properties)


def encoding_of(packet: bytes) -> str | None:
    """What Expat detects by itself, or Latin-1 for what was written so against the specification."""
    if packet.startswith((b"\xfe\xff", b"\xff\xfe", b"\0")):
        return None
    try:
        packet.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-1"
    return None


@define
class _Reader:
    """The handlers: a property of a description is an attribute of it, or an element with text or a list inside."""

    found: dict[str, str] = field(factory=dict)
    _path: list[str] = field(factory=list)
    _property: str | None = None
    _text: str = ""

    def refuse(self, *_: object) -> None:
        raise _Refused

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._path) >= MAX_DEPTH:
            raise _Refused
        if name == _DESCRIPTION:
            for attribute in _WANTED & attributes.keys():
                self._keep(attribute, attributes[attribute])
        elif self._property is None and name in _WANTED and self._path and self._path[-1] == _DESCRIPTION:
            self._property, self._text = name, ""
        elif name not in _LIST_PARTS:
            self._property = None
        self._path.append(name)

    def text(self, text: str) -> None:
        if self._property is not None:
            self._text = (self._text + text)[: MAX_TEXT + 1].lstrip()

    def end(self, name: str) -> None:
        self._path.pop()
        if self._property is not None and (name == self._property or self._text):
            self._keep(self._property, self._text)
            self._property = None

    def _keep(self, name: str, value: str) -> None:
        if value.strip():
            self.found.setdefault(name, value.strip()[:MAX_TEXT])
