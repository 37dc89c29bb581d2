"""Object keys: made here, kept in rows, never parsed."""

import re
from uuid import UUID

from imagegallery.errors import InvalidInput
from imagegallery.ids import parse_id

MAX_KEY_BYTES = 1024  # S3's limit
MAX_SEGMENT_BYTES = 255  # what file systems allow in one name
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")

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
IMAGES_PREFIX = "library/images/"
# Where images lie: there the new ones, here those from before, whose rows name them as they are.
IMAGES_PREFIXES = (IMAGES_PREFIX, "galleries/")


def incoming_key(session_id: UUID) -> str:
    """Where an upload session's bytes arrive: the only place a URL in a client's hands can write to."""
    return f"{INCOMING_PREFIX}{session_id}"


def image_prefix(image_id: UUID) -> str:
    """The folder of one image. It tells no gallery: keys show in public URLs."""
    return f"{IMAGES_PREFIX}{image_id}/"


def image_id_hint(key: str) -> UUID | None:
    """Which image's folder an object of unknown origin seems to lie in; for its row to confirm."""
    folder, _, _ = key.rpartition("/")
    name = folder.rpartition("/")[2]
    found = parse_id(name)
    return found if str(found) == name else None  # keys are read to the letter


def original_key(prefix: str, content_type: str) -> str:
    """The immutable original in an image's folder; of a file whose type is not known yet, none will be there."""
    return f"{prefix}original.{EXTENSIONS.get(content_type, 'bin')}"


def is_original(key: str) -> bool:
    """Whether `original_key` can have made it: so that a mistake deletes nothing else."""
    return key.startswith(IMAGES_PREFIXES) and key.rpartition("/")[2].startswith("original.") and is_key(key)


def variant_key(prefix: str, variant_type: str, fingerprint: str, image_format: str) -> str:
    """A variant's key; the fingerprint makes it immutable, so that caches may keep it for ever."""
    return f"{prefix}{variant_type}-{fingerprint}.{image_format}"


def content_type_of(key: str) -> str:
    """The media type that an object of ours is served with."""
    extension = key.rpartition(".")[2]
    return CONTENT_TYPES.get(extension, "application/octet-stream")


def check_key(key: str) -> None:
    """Raise `InvalidInput` unless ``key`` is one that every store can hold.

    Relative, ``/``-separated; no empty, ``.`` or ``..`` segment; no backslash or control character; at most 1024
    bytes of UTF-8, 255 a segment. Anything else is allowed: spaces, leading dots, any script, emoji.
    """
    if reason := _fault(key):
        raise InvalidInput(f"Not an object key: {reason}.")


def is_key(key: str) -> bool:
    """Whether `check_key` lets it pass."""
    return _fault(key) is None


def _fault(key: str) -> str | None:
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
