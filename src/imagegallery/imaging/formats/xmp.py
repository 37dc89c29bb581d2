"""A few properties of an XMP packet (ISO 16684-1), as they are written. Pure.

The packet is XML from strangers. Expat reads it once, in linear time. A document type, which every attack by entities
needs, stops the reading, and so do size and depth beyond any real packet; of a list the first items are read.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from xml.parsers import expat

from attrs import define, field

MAX_PACKET: Final = 1024**2
MAX_DEPTH: Final = 64
MAX_ITEMS: Final = 500
MAX_TEXT: Final = 255
MAX_PROSE: Final = 5_000

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_AUX = "http://ns.adobe.com/exif/1.0/aux/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_DC = "http://purl.org/dc/elements/1.1/"
_LIGHTROOM = "http://ns.adobe.com/lightroom/1.0/"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_DIGIKAM = "http://www.digikam.org/ns/1.0/"
_MICROSOFT = "http://ns.microsoft.com/photo/1.0/"
_REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
_MICROSOFT_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"

# A name as Expat gives it: namespace, blank, local part.
TIMES: Final = (
    f"{_EXIF} DateTimeOriginal",
    f"{_PHOTOSHOP} DateCreated",
    f"{_XMP} CreateDate",
    f"{_EXIF} DateTimeDigitized",
)
LENSES: Final = (f"{_EXIF_EX} LensModel", f"{_AUX} Lens")
SENSITIVITIES: Final = (f"{_EXIF_EX} PhotographicSensitivity", f"{_EXIF} ISOSpeedRatings")
TAGS: Final = (f"{_DC} subject", f"{_MICROSOFT} LastKeywordXMP")
PATHS: Final = {f"{_LIGHTROOM} hierarchicalSubject": "|", f"{_DIGIKAM} TagsList": "/"}
"""Tags below tags, and what stands between them."""
TITLES: Final = (f"{_DC} title", f"{_PHOTOSHOP} Headline")
DESCRIPTIONS: Final = (f"{_DC} description",)
RATINGS: Final = (f"{_XMP} Rating",)
PEOPLE: Final = (f"{_IPTC_EXT} PersonInImage",)

_WANTED: Final = frozenset((*TIMES, *LENSES, *SENSITIVITIES, *TAGS, *PATHS, *TITLES, *DESCRIPTIONS, *RATINGS, *PEOPLE))
_DESCRIPTION: Final = f"{_RDF} Description"
_ITEM: Final = f"{_RDF} li"
# A list has its values in items; where one is asked for, the first counts.
_LIST_PARTS: Final = frozenset(f"{_RDF} {name}" for name in ("Seq", "Bag", "Alt", "li"))
_LANGUAGE: Final = "http://www.w3.org/XML/1998/namespace lang"
_DEFAULT: Final = "x-default"

# A region has a name and says of what: properties of the items of a list, or of a description in one.
FACES: Final = "faces"
_NAME, _TYPE = f"{_REGIONS} Name", f"{_REGIONS} Type"
_PERSON: Final = f"{_MICROSOFT_REGION} PersonDisplayName"
_OF_REGIONS: Final = frozenset((_NAME, _TYPE, _PERSON))


class _Refused(Exception):
    """The packet is not one that a camera or an editor writes."""


def read_properties(packet: bytes) -> Mapping[str, Sequence[str]]:
    """The wanted properties of the picture, by name, up to the first fault, and the names of `FACES`. Never raises."""
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


def values(properties: Mapping[str, Sequence[str]], names: Sequence[str]) -> tuple[str, ...]:
    """The values of the existing properties, of a list the first, in the order of ``names``."""
    return tuple(properties[name][0] for name in names if name in properties)


def values_of(properties: Mapping[str, Sequence[str]], names: Sequence[str]) -> Sequence[str]:
    """All values of the first of these properties that exists."""
    return next((properties[name] for name in names if name in properties), ())


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

    found: dict[str, list[str]] = field(factory=dict)
    _path: list[str] = field(factory=list)
    _property: str | None = None
    _text: str = ""
    _is_default: bool = False
    _region: dict[str, str] = field(factory=dict)

    def refuse(self, *_: object) -> None:
        raise _Refused

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._path) >= MAX_DEPTH:
            raise _Refused
        if name in (_DESCRIPTION, _ITEM):
            self._region.update({each: attributes[each] for each in _OF_REGIONS & attributes.keys()})
        if name == _DESCRIPTION:
            for attribute in _WANTED & attributes.keys():
                self._keep(attribute, attributes[attribute])
        elif name in _OF_REGIONS or (
            self._property is None and name in _WANTED and self._path and self._path[-1] == _DESCRIPTION
        ):
            self._begin(name, attributes)
        elif name == _ITEM and self._property is not None:
            self._begin(self._property, attributes)
        elif name not in _LIST_PARTS:
            self._property = None
        self._path.append(name)

    def text(self, text: str) -> None:
        if self._property is not None and len(self._text) <= MAX_PROSE:
            self._text = (self._text + text).lstrip()

    def end(self, name: str) -> None:
        self._path.pop()
        if self._property is not None and name in (self._property, _ITEM):
            if name in _OF_REGIONS:
                self._region[name] = self._text
            else:
                self._keep(self._property, self._text)
            self._property, self._text = (None if name == self._property else self._property), ""
        elif name == _ITEM and self._region:
            self._end_region()

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self._property, self._text, self._is_default = name, "", attributes.get(_LANGUAGE) == _DEFAULT

    def _end_region(self) -> None:
        """The names of persons: a region of the Metadata Working Group may be something else's."""
        name, is_face = self._region.get(_NAME), self._region.get(_TYPE, "Face").strip() == "Face"
        for each in (name if is_face else None, self._region.get(_PERSON)):
            if each is not None:
                self._keep(FACES, each)
        self._region.clear()

    def _keep(self, name: str, value: str) -> None:
        """Keep what is not empty; of several languages, the default comes first."""
        kept = value.strip()[: MAX_PROSE if name in DESCRIPTIONS else MAX_TEXT]
        there = self.found.setdefault(name, []) if kept else []
        if kept and len(there) < MAX_ITEMS:
            there.insert(0 if self._is_default else len(there), kept)
        self._is_default = False
