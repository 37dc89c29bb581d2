"""A file name that is safe to show, to store and to give to any file system, from whatever a client sent. Pure."""

import re
import unicodedata

from imagegallery.images.image import MAX_FILENAME

FALLBACK = "image"
_MAX_EXTENSION = 16
# Many times what is kept. To put accents in order costs the square of how many stand on one letter, so they are counted
# before.
_MAX_READ = 1024

# Explicit direction controls (UAX #9 section 2): with one, "gpj.exe" can be made to read "exe.jpg".
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BYTE_ORDER_MARK = "\ufeff"
_JOINERS = "\u200c\u200d"
_UNPRINTABLE = frozenset({"Cc", "Cs"})  # control characters and lone surrogates
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Names that Windows takes for devices, with any extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def clean_filename(raw: str) -> str:
    """The name of the file alone: no folder, in Unicode form NFC, 1 to 255 characters, its extension kept.

    Letters of any script and emoji stay. Cleaning a clean name changes nothing.
    """
    text = "".join(" " if character.isspace() else character for character in raw if _is_kept(character))
    folders = map(_shortened, reversed(re.split(r"[/\\]", text)))
    names = (_trimmed(_FORBIDDEN.sub("_", unicodedata.normalize("NFC", folder))) for folder in folders)
    name = next((name for name in names if name), FALLBACK)
    if _DEVICE.match(name):
        name = f"_{name}"
    return name if len(name) <= MAX_FILENAME else _cut(name)


def _is_kept(character: str) -> bool:
    if character in _BIDI_CONTROLS or character == _BYTE_ORDER_MARK:
        return False
    return character.isspace() or unicodedata.category(character) not in _UNPRINTABLE


def _shortened(name: str) -> str:
    """Beginning and end, with the extension, of a name that is far too long."""
    return name if len(name) <= _MAX_READ else name[: _MAX_READ - _MAX_EXTENSION] + name[-_MAX_EXTENSION:]


def _trimmed(name: str) -> str:
    """Without the dots that hide a file or that Windows drops, and with single spaces."""
    return " ".join(name.split()).strip(" ." + _JOINERS)


def _cut(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) >= _MAX_EXTENSION:
        return _trimmed(name[:MAX_FILENAME])
    ending = dot + extension
    return _whole_characters(stem, MAX_FILENAME - len(ending)) + ending


def _whole_characters(text: str, length: int) -> str:
    """At most ``length`` characters, not parting a letter from its accents nor an emoji from its modifiers."""
    cut = length
    while cut > length - _MAX_EXTENSION and _continues(text, cut):
        cut -= 1
    return _trimmed(text[:cut]) or FALLBACK


def _continues(text: str, at: int) -> bool:
    following = text[at : at + 1]
    return unicodedata.category(following or " ").startswith("M") or following in _JOINERS or text[at - 1] in _JOINERS
