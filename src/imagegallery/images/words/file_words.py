"""From what a file says of itself in words (XMP, IPTC, EXIF) to words of its owner. Pure.

The texts come from strangers. They are made fit to be shown, not refused: control and direction characters are taken
out, and what is no tag then is left out. XMP says more than IPTC, and both more than EXIF, where cameras write their
own names.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import asdict, frozen

from imagegallery.common.unset import UNSET
from imagegallery.common.validation import BIDI_CONTROLS, Faults
from imagegallery.errors import InvalidInput
from imagegallery.images.metadata.exif import Directory, read_tags
from imagegallery.images.words.words import MAX_DESCRIPTION, MAX_TAG, MAX_TAGS, MAX_TITLE, WordChanges, distinct
from imagegallery.imaging.protocol import FileWords, Notes

MAX_PEOPLE: Final = 100

# Of the picture's directory (DC-008 section 4.6.4), and Microsoft's, whose texts are UTF-16.
_IMAGE_DESCRIPTION, _RATING = 0x010E, 0x4746
_XP_TITLE, _XP_COMMENT, _XP_KEYWORDS, _XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F
_STARS: Final = re.compile(r"([1-5])(?:\.\d{1,6})?", re.ASCII)
_LINE_ENDS: Final = frozenset("\n\t")
# What cameras and programs write where a description belongs.
_NAMES_OF_CAMERAS: Final = frozenset(
    {
        "created with gimp",
        "default",
        "digital camera",
        "exif_jpeg_picture",
        "jpeg_picture",
        "kodak digital still camera",
        "konica minolta digital camera",
        "minolta digital camera",
        "olympus digital camera",
        "samsung",
        "samsung digital camera",
        "sony dsc",
        "untitled",
    }
)
_FOLDERS_OF_CAMERAS: Final = ("dcim\\", "dcim/")


@frozen
class Words:
    """What a file says in words, fit to be shown. ``rating`` is 1 to 5 stars."""

    tags: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    rating: int | None = None
    people: tuple[str, ...] = ()

    def by_others(self) -> "Words":
        """What of it counts where somebody else than the owner added the image: captions. Others do not tag an owner's
        library."""
        return Words(title=self.title, description=self.description)

    def as_said(self) -> WordChanges:
        """As if its owner said what there is of it."""
        return WordChanges(
            tags=distinct(self.tags) or UNSET,
            title=self.title or UNSET,
            description=self.description or UNSET,
            rating=UNSET if self.rating is None else self.rating,
            people=self.people or UNSET,
        )

    def to_json(self) -> dict[str, object]:
        """A JSON object of what there is."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Words":
        """The inverse of `to_json`. Ignores unknown members and values of other types."""
        title, description, rating = (document.get(name) for name in ("title", "description", "rating"))
        return cls(
            _texts(document.get("tags")),
            title if isinstance(title, str) else "",
            description if isinstance(description, str) else "",
            rating if isinstance(rating, int) and 1 <= rating <= 5 else None,
            _texts(document.get("people")),
        )


def read_words(exif: bytes, notes: Notes = Notes()) -> Words:  # noqa: B008  (frozen)
    """The words in an EXIF block and the other notes of a file. Never raises."""
    image, said = read_tags(exif).image, notes.words
    title = _first(_line(each) for each in (*said.titles, _utf16(image, _XP_TITLE), _utf16(image, _XP_SUBJECT)))
    in_exif = (_utf8(image, _IMAGE_DESCRIPTION), _utf16(image, _XP_COMMENT))
    description = _first(_prose(each) for each in (*said.descriptions, *in_exif))
    return Words(
        tags=_names(said.tags or _utf16(image, _XP_KEYWORDS).split(";"), MAX_TAGS),
        title=title,
        description="" if description == title else description,
        rating=_stars(said.ratings, image),
        people=_names(said.people, MAX_PEOPLE),
    )


def fit_words(said: FileWords) -> Words:
    """What a file beside the picture says, fit to be shown. Never raises."""
    return read_words(b"", Notes(words=said))


def _names(texts: Iterable[str], most: int) -> tuple[str, ...]:
    """Each once, in the order of letters; what can be no name is left out."""
    names = filter(None, (_line(text, MAX_TAG) for text in texts))
    return tuple(each.name for each in distinct(names)[:most])


def _line(text: str, most: int | None = None) -> str:
    """One line, empty if it cannot be shown as one; a title is cut, a name is not."""
    line = " ".join(_shown(text.replace("\n", " ").replace("\t", " ")).split())
    line = line[:MAX_TITLE].rstrip() if most is None else line
    faults = Faults()
    faults.line((), line, most or MAX_TITLE)
    try:
        faults.check()
    except InvalidInput:
        return ""
    return "" if _is_of_camera(line) else line


def _prose(text: str) -> str:
    prose = _shown(text.replace("\r\n", "\n").replace("\r", "\n")).strip()[:MAX_DESCRIPTION].rstrip()
    return "" if _is_of_camera(prose) else prose


def _is_of_camera(text: str) -> bool:
    folded = text.casefold()
    return folded in _NAMES_OF_CAMERAS or folded.startswith(_FOLDERS_OF_CAMERAS) or not folded.strip("-_. ")


def _shown(text: str) -> str:
    """In NFC, without control and direction characters."""
    return unicodedata.normalize("NFC", "".join(char for char in text if _is_shown(char)))


def _is_shown(char: str) -> bool:
    return char in _LINE_ENDS or not (char in BIDI_CONTROLS or unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co"))


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _stars(ratings: Iterable[str], image: Directory) -> int | None:
    """XMP has 0 for none, and -1 for rejected (ISO 16684-1 section 8.4)."""
    found = (_STARS.fullmatch(each.strip()) for each in (*ratings, *map(str, image.integers(_RATING)[:1])))
    return next((int(match[1]) for match in found if match), None)


def _utf8(directory: Directory, tag: int) -> str:
    """UTF-8, otherwise Windows's Latin-1, up to the first NUL."""
    text = directory.raw(tag).partition(b"\0")[0]
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def _utf16(directory: Directory, tag: int) -> str:
    return directory.raw(tag).decode("utf-16-le", "replace").partition("\0")[0]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()
