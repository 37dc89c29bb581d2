"""Object keys: built here, stored in rows, never parsed."""

import re
from uuid import UUID

from imagegallery.errors import InvalidInput
from imagegallery.ids import parse_id

MAX_KEY_BYTES = 1024  # S3's limit
MAX_SEGMENT_BYTES = 255  # the limit of file systems for one name
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
# Most keys, which need no closer look: a page of images has hundreds.
_PLAIN = re.compile(r"[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99}(?:/[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99}){0,9}")

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
}
CONTENT_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}
CONTENT_TYPES["jpeg"] = "image/jpeg"  # variants are named for their format

INCOMING_PREFIX = "incoming/"
EXPORTS_PREFIX = "exports/"
IMAGES_PREFIX = "library/images/"
# The folders of images: the current one, and the one of older images, whose rows hold their full keys.
IMAGES_PREFIXES = (IMAGES_PREFIX, "galleries/")


def incoming_key(session_id: UUID) -> str:
    """The key of an upload session's bytes: the only place that a client's URL can write to."""
    return f"{INCOMING_PREFIX}{session_id}"


def export_prefix(export_id: UUID) -> str:
    """The folder of what is made for one export."""
    return f"{EXPORTS_PREFIX}{export_id}/"


def image_prefix(image_id: UUID) -> str:
    """The folder of one image. It does not contain the gallery's id, since public URLs show keys."""
    return f"{IMAGES_PREFIX}{image_id}/"


def id_hint(key: str) -> UUID | None:
    """Guess the image or the export that an object of unknown origin belongs to. Its row must confirm it."""
    folder, _, _ = key.rpartition("/")
    name = folder.rpartition("/")[2]
    found = parse_id(name)
    return found if str(found) == name else None  # only the canonical spelling counts


def original_key(prefix: str, content_type: str) -> str:
    """The key of the immutable original in an image's folder."""
    return f"{prefix}original.{EXTENSIONS.get(content_type, 'bin')}"


def is_original(key: str) -> bool:
    """Whether `original_key` can have made this key. Guards deletions against mistakes."""
    return key.startswith(IMAGES_PREFIXES) and key.rpartition("/")[2].startswith("original.") and is_key(key)


def variant_key(prefix: str, variant_type: str, fingerprint: str, image_format: str) -> str:
    """The key of a variant. It contains the fingerprint, so caches may keep the object forever.

    Ten characters of base32 (50 bits) tell apart the few renderings that a variant ever has. A list has 14 such keys an
    image.
    """
    return f"{prefix}{variant_type}-{fingerprint[:10]}.{image_format}"


def content_type_of(key: str) -> str:
    """The media type to serve one of our objects with."""
    extension = key.rpartition(".")[2]
    return CONTENT_TYPES.get(extension, "application/octet-stream")


def check_key(key: str) -> None:
    """Raise `InvalidInput` unless every store can hold ``key``.

    A key is relative and ``/``-separated, without empty, ``.`` or ``..`` segments, backslashes and control characters.
    It has at most 1024 bytes of UTF-8, 255 a segment. Spaces, leading dots, any script and emoji are allowed.
    """
    if reason := _fault(key):
        raise InvalidInput(f"Not an object key: {reason}.")


def is_key(key: str) -> bool:
    """Whether `check_key` accepts ``key``."""
    return _fault(key) is None


def _fault(key: str) -> str | None:
    if _PLAIN.fullmatch(key):
        return None
    if _FORBIDDEN.search(key):
        return "it holds a backslash or a control character"
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "it is not Unicode text"
    if len(encoded) > MAX_KEY_BYTES:
        return f"it is longer than {MAX_KEY_BYTES} bytes"
    segments = encoded.split(b"/")
    if any(segment in (b"", b".", b"..") for segment in segments):
        return "it has an empty, '.' or '..' segment"
    if any(len(segment) > MAX_SEGMENT_BYTES for segment in segments):
        return f"a segment is longer than {MAX_SEGMENT_BYTES} bytes"
    return None
