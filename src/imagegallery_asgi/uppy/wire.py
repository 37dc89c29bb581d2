"""The requests and responses of Uppy's S3 plugin (``@uppy/aws-s3``), with its names. Pure.

The protocol is that of Uppy's own server, Companion: https://uppy.io/docs/aws-s3 and the plugin's source.
"""
# ruff: noqa: N815  (uploadId, presignedUrls, PartNumber: names of the wire)

from collections.abc import Iterable, Mapping
from typing import Annotated

from attrs import frozen
from msgspec import Meta

from imagegallery import Visibility
from imagegallery_asgi.api.requests import (
    MAX_PARTS,
    MAX_SAFE_INTEGER,
    GalleryChoice,
    MetaText,
    OwnVisibility,
    PartNumber,
    PolicyName,
    RawFilename,
)
from imagegallery_asgi.framework.constraints import NOTHING, Open, example, pattern

# Uppy needs a bucket and shows it to nobody; the real place of the bytes is private.
BUCKET = "imagegallery"
_METADATA = "metadata["
# In examples.
_KEY = "incoming/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
_OBJECT = "https://photos.example/api/v1/objects/eyJrIjoiaW5jb21pbmcifQ.c2lnbmVk"
_ETAG = '"5d41402abc4b2a76b9719d911017c592"'
_OPTIONAL = ("gallery_id", "size", "meta", "visibility", "policy")

FileSize = Annotated[Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)] | None, NOTHING, example(3_481_204)]
AnyNumber = Annotated[int, example(1)]
Key = Annotated[str, Meta(min_length=1, max_length=1024), example(_KEY)]


@frozen
class UppyMetadata(Open):
    """What counts of a file's metadata, which holds whatever the page put there. ``size`` is in bytes, ``meta`` a JSON
    object, as text."""

    gallery_id: GalleryChoice = None
    policy: PolicyName = None
    size: FileSize = None
    meta: MetaText = None
    visibility: OwnVisibility = Visibility.PRIVATE


@frozen
class UppyFile:
    """``type`` is its media type."""

    filename: Annotated[RawFilename, example("tram.jpg")]
    type: Annotated[str, Meta(max_length=255), example("image/jpeg")] = ""
    metadata: UppyMetadata | None = None


@frozen
class UppyParams:
    """`UppyFile`, flat, as a query has it."""

    filename: RawFilename
    type: Annotated[str, Meta(max_length=255)] = ""
    gallery_id: GalleryChoice = None
    policy: PolicyName = None
    size: FileSize = None
    meta: MetaText = None
    visibility: OwnVisibility = Visibility.PRIVATE


@frozen
class UppyKeyQuery:
    key: Key


@frozen
class UppyBatchQuery:
    """``partNumbers``: up to 100, with commas between them."""

    key: Key
    partNumbers: Annotated[str, pattern(r"[0-9]{1,5}(,[0-9]{1,5}){0,99}", "numbers of parts, such as 1,2,3", "1,2,3")]


@frozen
class UppySentPart:
    PartNumber: PartNumber
    ETag: Annotated[Annotated[str, Meta(min_length=1, max_length=255)], example(_ETAG)]


@frozen
class UppyParts:
    parts: Annotated[tuple[UppySentPart, ...], Meta(min_length=1, max_length=MAX_PARTS)]


@frozen(slots=False)
class UppyParamsDocument:
    """One request that brings the whole file in; ``expires`` is in seconds."""

    method: Annotated[str, example("POST")]
    url: Annotated[str, example(_OBJECT)]
    fields: Annotated[Mapping[str, str], example({"key": _KEY, "success_action_status": "201"})]
    headers: Mapping[str, str]
    expires: Annotated[int, example(3600)]


@frozen(slots=False)
class UppyMultipartDocument:
    key: Annotated[str, example(_KEY)]
    uploadId: Annotated[str, example(_KEY.removeprefix("incoming/"))]
    bucket: Annotated[str, example(BUCKET)]


@frozen(slots=False)
class UppyStoredPartDocument:
    PartNumber: Annotated[int, example(1)]
    ETag: Annotated[str, example(_ETAG)]
    Size: Annotated[int, example(8_388_608)]


@frozen(slots=False)
class UppySignedPartDocument:
    """``expires`` is in seconds."""

    url: Annotated[str, example(_OBJECT)]
    headers: Mapping[str, str]
    expires: Annotated[int, example(3600)]


@frozen(slots=False)
class UppyBatchDocument:
    """URLs by the numbers of their parts."""

    presignedUrls: Annotated[Mapping[str, str], example({"1": _OBJECT})]


@frozen(slots=False)
class UppyCompletedDocument:
    """``location`` is the image's address in the API."""

    location: Annotated[str, example("https://photos.example/api/v1/images/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52")]
    key: Annotated[str, example(_KEY)]
    bucket: Annotated[str, example(BUCKET)]


@frozen(slots=False)
class UppyEmptyDocument:
    """``{}``: Uppy reads JSON in every answer."""


def params_of(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of `UppyParams` among those of a query: ``metadata[gallery_id]`` becomes ``gallery_id``."""
    flat = ((_flat(name), value) for name, value in query)
    return [(name, value) for name, value in flat if name]


def _flat(name: str) -> str | None:
    if name in ("filename", "type"):
        return name
    inner = name.removeprefix(_METADATA).removesuffix("]")
    return inner if inner in _OPTIONAL and name == f"{_METADATA}{inner}]" else None
