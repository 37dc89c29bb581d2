"""Responses of the S3 API as typed values. Pure."""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from attrs import frozen

from imagegallery.storage.protocol import ObjectInfo, Part

Reply = Mapping[str, Any]  # as botocore parses it, with the API's names


class ReplyBody(Protocol):
    """The bytes of a response that is still arriving."""

    async def read(self, amt: int) -> bytes: ...

    def close(self) -> None: ...


@frozen
class FoundObject:
    """An object with its stored metadata."""

    info: ObjectInfo
    metadata: Mapping[str, str]


@frozen
class OpenReply:
    """An object that is being read."""

    found: FoundObject
    body: ReplyBody


@frozen
class Span:
    """Bytes ``start`` to ``stop`` of one version of an object. ``is_whole``: the object has no others."""

    key: str
    etag: str
    start: int
    stop: int
    is_whole: bool = False


@frozen
class StoredPart:
    """A part, with its SHA-256 in base64 if it was sent with one."""

    part: Part
    sha256: str | None = None


def found(key: str, reply: Reply) -> FoundObject:
    """Read HeadObject, or GetObject with or without a range."""
    _, _, whole = str(reply.get("ContentRange", "")).rpartition("/")
    size = int(whole) if whole else int(reply["ContentLength"])
    info = ObjectInfo(key, size, etag_of(reply), reply["LastModified"].astimezone(UTC), _sha256_of(reply))
    return FoundObject(info, dict(reply.get("Metadata", {})))


def stored(key: str, size: int, reply: Reply) -> ObjectInfo:
    """Read PutObject. Its ``Date`` header gives the time (RFC 9110 section 6.6.1)."""
    return ObjectInfo(
        key, size, etag_of(reply), parsedate_to_datetime(reply["ResponseMetadata"]["HTTPHeaders"]["date"])
    )


def object_from_listing(key: str, entry: Reply) -> ObjectInfo:
    """Read one entry of ListObjectsV2."""
    return ObjectInfo(key, int(entry["Size"]), etag_of(entry), entry["LastModified"].astimezone(UTC))


def parts_from_listing(entries: Iterable[Reply]) -> list[StoredPart]:
    """Read the entries of ListParts. SeaweedFS lists a part that was sent twice twice: the later one counts."""
    latest = {int(entry["PartNumber"]): entry for entry in sorted(entries, key=lambda entry: entry["LastModified"])}
    return [
        StoredPart(Part(number, etag_of(entry), int(entry["Size"])), entry.get("ChecksumSHA256"))
        for number, entry in sorted(latest.items())
    ]


def part_reference(sent: StoredPart) -> dict[str, str | int]:
    """Write it as CompleteMultipartUpload needs it."""
    named: dict[str, str | int] = {"PartNumber": sent.part.number, "ETag": quote(sent.part.etag)}
    return {**named, "ChecksumSHA256": sent.sha256} if sent.sha256 else named


def etag_of(reply: Reply) -> str:
    """The etag without quotes. Some servers leave them out anyway."""
    return str(reply["ETag"]).strip('"')


def _sha256_of(reply: Reply) -> bytes | None:
    """The digest of all the bytes, if S3 has one. That of an object in parts ends in their number, and is another."""
    try:
        return base64.b64decode(str(reply.get("ChecksumSHA256", "")), validate=True) or None
    except ValueError:
        return None


def quote(etag: str) -> str:
    """The etag in quotes, as the API needs it."""
    return f'"{etag}"'
