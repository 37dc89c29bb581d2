"""Documents of upload sessions, of their parts, and of what may be uploaded."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery import OnDuplicate, UploadState, Visibility
from imagegallery_asgi.api.responses.common import MetaDocument
from imagegallery_asgi.api.responses.images import _OBJECT, FailureDocument
from imagegallery_asgi.framework.constraints import Moment, example

_ETAG = "5d41402abc4b2a76b9719d911017c592"


@frozen(slots=False)
class PolicyDocument:
    """What may be uploaded under the policy of this ``name``, or under none (``null``), and what becomes of it.

    ``max_size`` is in bytes; widths, heights and ``max_pixels`` (their product) are in pixels as the picture is seen,
    ``min_aspect`` and ``max_aspect`` are width divided by height. A gallery of this policy holds at most
    ``max_images``; a ``single`` one holds one, and a new image takes its place. ``presets`` names the variants that are
    made. ``null``, and no presets: as the service has it.
    """

    name: Annotated[str | None, example("avatar")]
    types: Annotated[tuple[str, ...], example(("image/jpeg", "image/png"))]
    max_size: Annotated[int | None, example(5_000_000)]
    min_width: Annotated[int | None, example(200)]
    max_width: Annotated[int | None, example(None)]
    min_height: Annotated[int | None, example(200)]
    max_height: Annotated[int | None, example(None)]
    max_pixels: Annotated[int | None, example(None)]
    min_aspect: Annotated[float | None, example(1.0)]
    max_aspect: Annotated[float | None, example(1.0)]
    max_images: Annotated[int | None, example(None)]
    single: Annotated[bool, example(True)]
    presets: Annotated[tuple[str, ...], example(("thumbnail", "small"))]
    visibility: Annotated[Visibility | None, example("unlisted")]
    on_duplicate: Annotated[OnDuplicate | None, example("keep_both")]
    strict: bool


@frozen(slots=False)
class PartUrlDocument:
    """What to send for one part: at most ``size`` bytes, before ``expires_at``."""

    number: Annotated[int, example(1)]
    size: Annotated[int, example(8_388_608)]
    method: Annotated[str, example("PUT")]
    url: Annotated[str, example(_OBJECT)]
    headers: Mapping[str, str]
    expires_at: Moment


@frozen(slots=False)
class PartPlanDocument:
    """``count`` parts of ``size`` bytes, the last one of what is left. ``urls`` are of the first parts, at creation;
    ``parts/sign`` has the others."""

    size: Annotated[int, example(8_388_608)]
    count: Annotated[int, example(3)]
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class SignedPartsDocument:
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class StoredPartDocument:
    number: Annotated[int, example(1)]
    etag: Annotated[str, example(_ETAG)]
    size: Annotated[int, example(8_388_608)]


@frozen(slots=False)
class StoredPartsDocument:
    """``missing``: the parts of the plan that have not arrived, while the upload is open."""

    parts: tuple[StoredPartDocument, ...]
    missing: Annotated[tuple[int, ...], example((2, 3))]


@frozen(slots=False)
class KnownFileDocument:
    """A file that is in already: the oldest image of it, in the trash only if all of them are."""

    sha256: Annotated[str, example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    image_id: UUID
    is_trashed: bool


@frozen(slots=False)
class KnownFilesDocument:
    known: tuple[KnownFileDocument, ...]


@frozen(slots=False)
class UploadDocument:
    """``url``, ``method``, ``fields`` and ``headers`` say what to send, or ``parts`` does for a file in parts. A signed
    ``url`` is only shown at creation.

    ``size`` is in bytes; ``null`` if the client did not know it. ``received`` are the bytes of a resumable upload that
    have arrived.
    """

    id: UUID
    state: Annotated[UploadState, example("pending")]
    transport: Annotated[str, example("direct")]
    url: Annotated[str | None, example(_OBJECT)]
    method: Annotated[str | None, example("PUT")]
    fields: Mapping[str, str]
    headers: Annotated[Mapping[str, str], example({"Content-Type": "image/jpeg"})]
    parts: Annotated[PartPlanDocument | None, example(None)]
    filename: Annotated[str, example("tram.jpg")]
    content_type: Annotated[str, example("image/jpeg")]
    size: Annotated[int | None, example(3_481_204)]
    received: Annotated[int, example(0)]
    gallery_id: UUID | None
    meta: MetaDocument
    visibility: Annotated[Visibility, example("private")]
    policy: Annotated[str | None, example("avatar")]
    created_at: Moment
    expires_at: Moment
    image_id: Annotated[UUID | None, example(None)]
    failure: Annotated[FailureDocument | None, example(None)]
