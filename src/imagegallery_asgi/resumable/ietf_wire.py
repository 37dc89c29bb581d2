"""The wire format of the IETF draft of resumable uploads. Pure.

draft-ietf-httpbis-resumable-upload, interop version 8, whose sections are named here; digests: RFC 9530.
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from imagegallery import UploadSession, UploadState
from imagegallery.uploads.resumable.rules import UploadChecksum
from imagegallery_asgi.framework.errors import MalformedRequest
from imagegallery_asgi.resumable.structured import (
    parse_boolean,
    parse_dictionary,
    parse_integer,
    serialize_boolean,
    serialize_bytes,
    serialize_integers,
)

INTEROP_VERSION = "8"
MEDIA_TYPE = "application/partial-upload"

# RFC 9530 section 5; the other algorithms of the registry are insecure, and ignored like unknown ones.
_DIGESTS: Mapping[str, tuple[str, int]] = {"sha-256": ("sha256", 32), "sha-512": ("sha512", 64)}


@frozen
class Append:
    """The fields of a request with bytes. ``completes`` ``None``: the request is not of this protocol."""

    completes: bool | None
    offset: int | None
    length: int | None
    content_digests: tuple[UploadChecksum, ...]
    repr_digests: tuple[UploadChecksum, ...]

    @property
    def repr_sha256(self) -> bytes | None:
        return next((each.digest for each in self.repr_digests if each.algorithm == "sha256"), None)


def parse_append(headers: Mapping[str, str]) -> Append:
    """Sections "Upload-Offset", "Upload-Complete", "Upload-Length": other values count as absent.

    Raises `MalformedRequest` for a digest that cannot be one.
    """
    return Append(
        parse_boolean(headers.get("Upload-Complete")),
        parse_integer(headers.get("Upload-Offset")),
        parse_integer(headers.get("Upload-Length")),
        _parse_digests(headers.get("Content-Digest"), "Content-Digest"),
        _parse_digests(headers.get("Repr-Digest"), "Repr-Digest"),
    )


def _parse_digests(field: str | None, name: str) -> tuple[UploadChecksum, ...]:
    """The digests in algorithms that we know (RFC 9530 sections 2 and 3)."""
    if field is None:
        return ()
    members = parse_dictionary(field)
    if members is None:
        raise MalformedRequest(f"{name} is not a dictionary of digests.")
    found = []
    for algorithm, (known_as, size) in _DIGESTS.items():
        digest = members.get(algorithm)
        if digest is not None:
            if not isinstance(digest, bytes) or len(digest) != size:
                raise MalformedRequest(f"{name} must have {size} bytes for {algorithm}.")
            found.append(UploadChecksum(known_as, digest))
    return tuple(found)


def options(max_size: int) -> dict[str, str]:
    """Section "Limits": the headers of a response to OPTIONS."""
    return {"Accept-Patch": MEDIA_TYPE, **limits(max_size)}


def limits(max_size: int, session: UploadSession | None = None, now: datetime | None = None) -> dict[str, str]:
    """Section "Limits". For an existing upload, ``max-age`` is its remaining time in seconds."""
    members = {"max-size": max_size}
    if session is not None and now is not None and not session.state.is_ended:
        members["max-age"] = max(0, int((session.expires_at - now).total_seconds()))
    return {"Upload-Limit": serialize_integers(members)}


def progress(session: UploadSession) -> dict[str, str]:
    """Sections "Offset" and "Completeness"."""
    complete = session.state is UploadState.COMPLETED
    return {"Upload-Offset": str(session.received), "Upload-Complete": serialize_boolean(complete)}


def description(session: UploadSession) -> dict[str, str]:
    """Section "Offset Retrieval", without the limits."""
    length = {"Upload-Length": str(session.size)} if session.size is not None else {}
    return {**progress(session), **length}


def repr_digest(sha256: bytes) -> dict[str, str]:
    """RFC 9530 section 3, of the whole file."""
    return {"Repr-Digest": f"sha-256={serialize_bytes(sha256)}"}
