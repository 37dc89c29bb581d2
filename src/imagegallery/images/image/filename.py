"""File names: safe to show, store and give to any file system, whatever a client sent; and sorted with numbers in
numerical
order. Pure.
"""

import re
import unicodedata
from typing import Final

from imagegallery.common.validation import BIDI_CONTROLS, Faults
from imagegallery.images.image.image import MAX_FILENAME
from imagegallery.imaging.signature import is_as_declared
from imagegallery.storage.keys import CONTENT_TYPES, EXTENSIONS

FALLBACK = "image"
# Keeps an index entry and a cursor short: at most 512 bytes in UTF-8. Names that differ later count as equal.
KEY_LENGTH: Final = 128
_MAX_EXTENSION = 16
# Far more than is kept. Ordering accents takes the square of their number on one letter, so they are counted first.
_MAX_READ = 1024

_BYTE_ORDER_MARK = "\ufeff"
_JOINERS = "\u200c\u200d"
_TYPES = {**CONTENT_TYPES, "jpe": "image/jpeg", "jfif": "image/jpeg", "hif": "image/heif"}
_UNPRINTABLE = frozenset({"Cc", "Cs"})  # control characters and lone surrogates
_DIGITS = re.compile(r"\d+")
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Names of devices in Windows, with any extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def clean_filename(raw: str) -> str:
    """The name without folders, in Unicode form NFC, 1 to 255 bytes of UTF-8, with its extension.

    Letters of any script and emoji stay. Cleaning a clean name changes nothing.
    """
    text = "".join(" " if character.isspace() else character for character in raw if _is_kept(character))
    folders = map(_shorten, reversed(re.split(r"[/\\]", text)))
    names = (_trim(_FORBIDDEN.sub("_", unicodedata.normalize("NFC", folder))) for folder in folders)
    name = next((name for name in names if name), FALLBACK)
    if _DEVICE.match(name):
        name = f"_{name}"
    return name if _size(name) <= MAX_FILENAME else _cut(name)


def check_filename(faults: Faults, path: tuple[str, ...], given: str) -> str:
    """Check a name that a user chose, and return it as stored. It is a fault unless `clean_filename` keeps it, except
    for white
    space and the form of accents.
    """
    line = " ".join(unicodedata.normalize("NFC", faults.line(path, given, MAX_FILENAME)).split())
    clean = clean_filename(line)
    if _size(line) > MAX_FILENAME:
        faults.add(path, f"must be at most {MAX_FILENAME} bytes long in UTF-8")
    elif clean != line:
        faults.add(path, f"is no name that is safe in any file system; {clean!r} would be")
    return clean


def type_of_extension(filename: str) -> str | None:
    """The media type of the extension, if it is an image's."""
    return _TYPES.get(filename.rpartition(".")[2].lower())


def download_name(filename: str, content_type: str) -> str:
    """The name under which to save a file of that type, always with an image's extension."""
    said, extension = type_of_extension(filename), EXTENSIONS.get(content_type)
    if extension is None or (said is not None and is_as_declared(said, content_type)):
        return clean_filename(filename)
    stem = filename.rpartition(".")[0] if said else filename
    return clean_filename(f"{stem or FALLBACK}.{extension}")


def _is_kept(character: str) -> bool:
    if character in BIDI_CONTROLS or character == _BYTE_ORDER_MARK:
        return False
    return character.isspace() or unicodedata.category(character) not in _UNPRINTABLE


def _shorten(name: str) -> str:
    """Shorten a far too long name, keeping its start, end and extension."""
    return name if len(name) <= _MAX_READ else name[: _MAX_READ - _MAX_EXTENSION] + name[-_MAX_EXTENSION:]


def _trim(name: str) -> str:
    """Remove dots that hide a file or that Windows drops, and repeated spaces."""
    return " ".join(name.split()).strip(" ." + _JOINERS)


def _cut(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) >= _MAX_EXTENSION:
        return _whole_characters(name, MAX_FILENAME)
    ending = dot + extension
    return _whole_characters(stem, MAX_FILENAME - _size(ending)) + ending


def _whole_characters(text: str, size: int) -> str:
    """At most ``size`` bytes, without separating accents or emoji modifiers from their characters."""
    whole = cut = len(text.encode()[:size].decode(errors="ignore"))
    while cut > whole - _MAX_EXTENSION and _continues(text, cut):
        cut -= 1
    return _trim(text[:cut]) or FALLBACK


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _continues(text: str, at: int) -> bool:
    following = text[at : at + 1]
    return unicodedata.category(following or " ").startswith("M") or following in _JOINERS or text[at - 1] in _JOINERS


def natural_key(filename: str) -> str:
    """A text whose code points sort as people sort names: ``img2`` before ``IMG10``.

    Letters compare without case and in compatibility form (Unicode 15.0, section 3.13: NFKC of the case-folded NFKC;
    not a locale's alphabet). A number, in any script's decimal digits, becomes its length in four digits and then
    itself without leading zeros.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", filename).casefold())
    return _DIGITS.sub(_prefix_with_length, folded)[:KEY_LENGTH]


def _prefix_with_length(match: re.Match[str]) -> str:
    number = "".join(str(unicodedata.decimal(digit)) for digit in match[0]).lstrip("0") or "0"
    return f"{len(number):04}{number}"
