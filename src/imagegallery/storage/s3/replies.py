"""The S3 API's answers as values of ours. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from attrs import frozen

from imagegallery.storage.protocol import ObjectInfo, Part

Reply = Mapping[str, Any]  # what botocore makes of an answer: by the API's own names


class Body(Protocol):
    """The bytes of an answer that is still arriving."""

    async def read(self, amt: int) -> bytes: ...

    def close(self) -> None: ...


@frozen
class Found:
    """An object, with what was stored about it."""

    info: ObjectInfo
    metadata: Mapping[str, str]


@frozen
class Opened:
    """An object being read."""

    found: Found
    body: Body


@frozen
class Span:
    """Bytes ``start`` to ``stop`` of one version of an object; ``is_whole``: there are no others."""

    key: str
    etag: str
    start: int
    stop: int
    is_whole: bool = False


@frozen
class SentPart:
    """A part, with its SHA-256 in base64 if it was sent with one."""

    part: Part
    sha256: str | None = None


def found(key: str, reply: Reply) -> Found:
    """From HeadObject, or GetObject of all or of a range."""
    _, _, whole = str(reply.get("ContentRange", "")).rpartition("/")
    size = int(whole) if whole else int(reply["ContentLength"])
    info = ObjectInfo(key, size, etag_of(reply), _in_utc(reply["LastModified"]))
    return Found(info, dict(reply.get("Metadata", {})))


def stored(key: str, size: int, reply: Reply) -> ObjectInfo:
    """From PutObject, which does not tell when: its answer's ``Date`` does (RFC 9110 section 6.6.1)."""
    return ObjectInfo(
        key, size, etag_of(reply), parsedate_to_datetime(reply["ResponseMetadata"]["HTTPHeaders"]["date"])
    )


def listed_object(key: str, entry: Reply) -> ObjectInfo:
    """From one entry of ListObjectsV2."""
    return ObjectInfo(key, int(entry["Size"]), etag_of(entry), _in_utc(entry["LastModified"]))


def listed_parts(entries: Iterable[Reply]) -> list[SentPart]:
    """From the entries of ListParts. SeaweedFS tells of a part that was sent twice twice: the later one counts (of two
    in one second, either)."""
    latest = {int(entry["PartNumber"]): entry for entry in sorted(entries, key=lambda entry: entry["LastModified"])}
    return [
        SentPart(Part(number, etag_of(entry), int(entry["Size"])), entry.get("ChecksumSHA256"))
        for number, entry in sorted(latest.items())
    ]


def named_part(sent: SentPart) -> dict[str, str | int]:
    """As CompleteMultipartUpload wants it."""
    named: dict[str, str | int] = {"PartNumber": sent.part.number, "ETag": quoted(sent.part.etag)}
    return {**named, "ChecksumSHA256": sent.sha256} if sent.sha256 else named


def etag_of(reply: Reply) -> str:
    """Unquoted, as ours are; some servers leave the quotes out anyway."""
    return str(reply["ETag"]).strip('"')


def quoted(etag: str) -> str:
    """As the API wants it."""
    return f'"{etag}"'


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
