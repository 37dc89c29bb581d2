"""Documents of the user: the room, exports, and the end."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from attrs import frozen

from imagegallery.privacy.erasure import ErasureState
from imagegallery.privacy.export import ExportState
from imagegallery_asgi.framework.constraints import Moment, example

RoleName = Annotated[Literal["member", "moderator", "admin"], example("member")]


@frozen(slots=False)
class MeDocument:
    """``role`` is what one is to the whole service. In bytes: what images take (``storage_used``), what they may take
    (``storage_limit``, ``null``: any number), and what is kept for uploads under way (``storage_reserved``).
    ``pending_guest_uploads``: what others added that waits to be approved, as far as 1,000. ``guests_may_upload``:
    administrators let visitors add images by links that allow it."""

    id: Annotated[str, example("ana")]
    role: RoleName
    storage_used: Annotated[int, example(734_003_200)]
    storage_limit: Annotated[int | None, example(10_737_418_240)]
    storage_reserved: Annotated[int, example(3_481_204)]
    open_uploads: Annotated[int, example(1)]
    max_open_uploads: Annotated[int, example(100)]
    pending_guest_uploads: Annotated[int, example(3)]
    guests_may_upload: Annotated[bool, example(True)]


@frozen(slots=False)
class ExportDocument:
    """``files`` and ``bytes`` are known when its snapshot is taken; ``size`` is the archive's, when it is ready.

    ``progress`` goes from 0 to 1. It can be fetched until ``expires_at``.
    """

    id: UUID
    state: Annotated[ExportState, example(ExportState.READING)]
    progress: Annotated[float, example(0.25)]
    files: Annotated[int, example(2017)]
    bytes: Annotated[int, example(3_481_204_000)]
    bytes_read: Annotated[int, example(870_301_000)]
    size: Annotated[int | None, example(None)]
    created_at: Moment
    snapshot_at: Moment | None
    ready_at: Moment | None
    expires_at: Moment


@frozen(slots=False)
class ErasureDocument:
    """``requested``: all is closed to others, and can be taken back until ``erase_at``. ``counts``: how many rows there
    were of what; it is the receipt when nothing else is left (``telling``)."""

    id: UUID
    state: Annotated[ErasureState, example(ErasureState.TELLING)]
    counts: Annotated[Mapping[str, int], example({"galleries": 3, "images": 1000, "image_variants": 7000})]
    requested_at: Moment
    erase_at: Moment
    erased_at: Moment | None
