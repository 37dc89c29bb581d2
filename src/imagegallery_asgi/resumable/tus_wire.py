"""The headers of tus 1.0.0. Pure.

https://tus.io/protocols/resumable-upload, whose sections are named here.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import UUID

from attrs import frozen

from imagegallery import UploadSession
from imagegallery.ids import parse_id
from imagegallery.uploads.resumable.rules import UploadChecksum
from imagegallery_asgi.framework.constraints import NOTHING_TEXTS
from imagegallery_asgi.framework.errors import MalformedRequest
from imagegallery_asgi.framework.headers import http_date

VERSION = "1.0.0"
MEDIA_TYPE = "application/offset+octet-stream"
EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "expiration",
    "checksum",
    "termination",
    "concatenation",
)
CHECKSUMS: Mapping[str, int] = {"sha1": 20, "sha256": 32}
"""The algorithms of ``Upload-Checksum``, and the bytes of their digests."""

_COUNT = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[!-+\--~]++")  # printable ASCII but space and comma
MAX_METADATA = 4096
MAX_CONCAT = 16_384
"""Bytes of ``Upload-Metadata`` and ``Upload-Concat``, which are stored unchanged with the upload."""


@frozen
class TusMetadata:
    """The known parts of ``Upload-Metadata``; ``raw`` is all of it, unchanged."""

    raw: str | None = None
    filename: str | None = None
    content_type: str | None = None
    gallery_id: UUID | None = None
    meta: str | None = None
    visibility: str | None = None
    policy: str | None = None


@frozen
class Creation:
    """A creation request. ``length`` ``None``: deferred. ``parts``: the partial uploads of a final one; ``concat``
    is that header, unchanged."""

    length: int | None
    metadata: TusMetadata
    concat: str | None = None
    parts: tuple[UUID, ...] | None = None

    @property
    def is_partial(self) -> bool:
        return self.concat is not None and self.parts is None


def parse_creation(headers: Mapping[str, str]) -> Creation:
    """Section "Creation", "POST", and "Concatenation". Raises `MalformedRequest`."""
    metadata = parse_metadata(headers.get("Upload-Metadata"))
    concat = headers.get("Upload-Concat")
    parts = None if concat is None else _parse_concat(concat)
    length = parse_length(headers)
    if parts is not None:
        if length is not None:
            raise MalformedRequest("A final upload has no Upload-Length: it is the sum of its parts.")
        return Creation(None, metadata, concat, parts)
    deferred = headers.get("Upload-Defer-Length")
    if deferred not in (None, "1"):
        raise MalformedRequest("Upload-Defer-Length can only be 1.")
    if (length is None) == (deferred is None):
        raise MalformedRequest("Send either Upload-Length or Upload-Defer-Length: 1.")
    return Creation(length, metadata, concat)


def parse_length(headers: Mapping[str, str]) -> int | None:
    """``Upload-Length`` in bytes, if it is there. Raises `MalformedRequest`."""
    return _parse_count(headers.get("Upload-Length"), "Upload-Length")


def parse_offset(headers: Mapping[str, str]) -> int:
    """``Upload-Offset`` in bytes. Raises `MalformedRequest`, also when it is missing."""
    offset = _parse_count(headers.get("Upload-Offset"), "Upload-Offset")
    if offset is None:
        raise MalformedRequest("Send the Upload-Offset.")
    return offset


def _parse_count(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not _COUNT.fullmatch(text.strip()):
        raise MalformedRequest(f"{name} must be a number of bytes.")
    return int(text)


def parse_metadata(raw: str | None) -> TusMetadata:
    """Section "Upload-Metadata": unique keys, values in Base64. Raises `MalformedRequest`.

    ``filename``, ``filetype``, ``gallery_id``, ``meta`` (a JSON object), ``visibility`` and ``policy`` are ours; Uppy
    sends ``name`` and ``type``. Others are only stored.
    """
    if raw is None:
        return TusMetadata()
    _check_length("Upload-Metadata", raw, MAX_METADATA)
    found: dict[str, str] = {}
    for pair in raw.split(","):
        key, _, encoded = pair.strip(" ").partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise MalformedRequest("Upload-Metadata must have unique keys, each followed by a value in Base64.")
        found[key] = encoded
    gallery = _text(found, "gallery_id") or ""
    gallery_id = parse_id(gallery)
    if gallery_id is None and gallery not in NOTHING_TEXTS:
        raise MalformedRequest("gallery_id in Upload-Metadata is not the id of a gallery.")
    for key in found:
        _decode(found[key])
    return TusMetadata(
        raw,
        _text(found, "filename") or _text(found, "name"),
        _text(found, "filetype") or _text(found, "type"),
        gallery_id,
        _text(found, "meta"),
        _text(found, "visibility"),
        None if (policy := _text(found, "policy") or "") in NOTHING_TEXTS else policy,
    )


def _check_length(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise MalformedRequest(f"{name} may have at most {limit:,} bytes.")


def _text(found: Mapping[str, str], key: str) -> str | None:
    if key not in found:
        return None
    try:
        return _decode(found[key]).decode()
    except UnicodeDecodeError:
        raise MalformedRequest(f"{key} in Upload-Metadata is not text in UTF-8.") from None


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedRequest("A value in Upload-Metadata is not in Base64.") from None


def parse_checksum(header: str | None) -> tuple[UploadChecksum, ...]:
    """Section "Upload-Checksum". Raises `MalformedRequest`, also for an algorithm that is not in `CHECKSUMS`."""
    if header is None:
        return ()
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise MalformedRequest(f"Checksums can be made with {', '.join(CHECKSUMS)}.")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != CHECKSUMS[algorithm]:
        raise MalformedRequest(f"Upload-Checksum must have a {algorithm} digest in Base64.")
    return (UploadChecksum(algorithm, digest),)


def _parse_concat(header: str) -> tuple[UUID, ...] | None:
    """The ids of the partial uploads that ``final;`` names by their URLs; ``None`` for ``partial``."""
    if header == "partial":
        return None
    _check_length("Upload-Concat", header, MAX_CONCAT)
    word, _, urls = header.partition(";")
    ids = [_upload_id(url) for url in urls.split()]
    if word != "final" or not ids or None in ids:
        raise MalformedRequest("Upload-Concat must be partial, or final; and the URLs of partial uploads.")
    return tuple(each for each in ids if each is not None)


def _upload_id(url: str) -> UUID | None:
    """The id in either address of an upload."""
    with suppress(ValueError):
        match urlsplit(url).path.rstrip("/").split("/"):
            case [*_, "uploads", name, "resumable"] | [*_, "uploads", "resumable", name]:
                return parse_id(name)
    return None


def options(max_size: int) -> dict[str, str]:
    """Section "OPTIONS"."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(max_size),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }


def progress(session: UploadSession) -> dict[str, str]:
    """The offset, and the expiry: for responses to POST and PATCH."""
    expires = {} if session.state.is_ended else {"Upload-Expires": http_date(session.expires_at)}
    return {"Upload-Offset": str(session.received), **expires}


def description(session: UploadSession) -> dict[str, str]:
    """Section "HEAD", with what each extension adds to it."""
    length = {"Upload-Length": str(session.size)} if session.size is not None else {"Upload-Defer-Length": "1"}
    metadata = {"Upload-Metadata": session.wire_metadata} if session.wire_metadata is not None else {}
    concat = {"Upload-Concat": session.wire_concatenation} if session.wire_concatenation is not None else {}
    return {**progress(session), **length, **metadata, **concat}
