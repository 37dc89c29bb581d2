"""A batch request and its results: one action on many images. Pure."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, TypeAlias
from uuid import UUID

from attrs import frozen

from imagegallery.common.validation import Faults
from imagegallery.errors import Forbidden, StillReferenced

NOT_FOUND: Final = "not_found"


class BatchAction(StrEnum):
    FAVORITE = "favorite"
    UNFAVORITE = "unfavorite"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    TRASH = "trash"
    RESTORE = "restore"
    DELETE = "delete"  # permanently
    ADD_TO_GALLERY = "add_to_gallery"
    REMOVE_FROM_GALLERY = "remove_from_gallery"


BatchActionLike: TypeAlias = (
    BatchAction
    | Literal[
        "favorite",
        "unfavorite",
        "archive",
        "unarchive",
        "trash",
        "restore",
        "delete",
        "add_to_gallery",
        "remove_from_gallery",
    ]
)


@frozen
class Flags:
    """The flags to set. ``None`` changes nothing."""

    is_favorite: bool | None = None
    is_archived: bool | None = None


FLAGS: Final[Mapping[BatchAction, Flags]] = {
    BatchAction.FAVORITE: Flags(is_favorite=True),
    BatchAction.UNFAVORITE: Flags(is_favorite=False),
    BatchAction.ARCHIVE: Flags(is_archived=True),
    BatchAction.UNARCHIVE: Flags(is_archived=False),
}
_WITH_GALLERY: Final = (BatchAction.ADD_TO_GALLERY, BatchAction.REMOVE_FROM_GALLERY)


@frozen
class Batch:
    """A checked request: 1 to 1,000 distinct ids, and a ``gallery_id`` exactly if the action needs one."""

    action: BatchAction
    image_ids: tuple[UUID, ...]
    gallery_id: UUID | None


@frozen
class BatchResult:
    """The result for one image: ``error`` is an error's code (``not_found``), or ``None``."""

    image_id: UUID
    error: str | None = None


def check_batch(action: str, image_ids: Sequence[UUID], gallery_id: UUID | None) -> Batch:
    """Validate a request. Raises `InvalidInput` with all faults."""
    faults = Faults()
    chosen = faults.choice(("body", "action"), action, BatchAction)
    if chosen in _WITH_GALLERY and gallery_id is None:
        faults.add(("body", "gallery_id"), f"is needed to {chosen}")
    if chosen not in _WITH_GALLERY and gallery_id is not None:
        faults.add(("body", "gallery_id"), f"has no meaning with {chosen}")
    faults.batch(("body", "ids"), image_ids)
    faults.check()
    return Batch(chosen, tuple(image_ids), gallery_id)


def results(
    batch: Batch, done: Collection[UUID], refused: Collection[UUID] = (), forbidden: Collection[UUID] = ()
) -> tuple[BatchResult, ...]:
    """One result per id, in the given order: those not ``done`` were not found, but for those that the application's
    own records keep (``refused``), and those with which the host does not allow it (``forbidden``)."""
    refusals = {**dict.fromkeys(refused, StillReferenced.code), **dict.fromkeys(forbidden, Forbidden.code)}
    errors = {**refusals, **dict.fromkeys(done)}
    return tuple(BatchResult(each, errors.get(each, NOT_FOUND)) for each in batch.image_ids)
