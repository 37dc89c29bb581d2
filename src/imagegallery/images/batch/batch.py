"""A batch request and its results: one action on many images. Pure."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, TypeAlias
from uuid import UUID

from attrs import frozen

from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import Faults
from imagegallery.errors import Forbidden, StillReferenced
from imagegallery.images.words.words import Tag, check_rating, check_tags

NOT_FOUND: Final = "not_found"
TOO_MANY_TAGS: Final = "too_many_tags"


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
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    RATE = "rate"


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
        "add_tags",
        "remove_tags",
        "rate",
    ]
)


@frozen
class Flags:
    """The flags to set. ``None`` changes nothing."""

    is_favorite: bool | None = None
    is_archived: bool | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in ("is_favorite", "is_archived") if getattr(self, name) is not None)


FLAGS: Final[Mapping[BatchAction, Flags]] = {
    BatchAction.FAVORITE: Flags(is_favorite=True),
    BatchAction.UNFAVORITE: Flags(is_favorite=False),
    BatchAction.ARCHIVE: Flags(is_archived=True),
    BatchAction.UNARCHIVE: Flags(is_archived=False),
}
_WITH: Final[Mapping[str, Collection[BatchAction]]] = {
    "gallery_id": (BatchAction.ADD_TO_GALLERY, BatchAction.REMOVE_FROM_GALLERY),
    "tags": (BatchAction.ADD_TAGS, BatchAction.REMOVE_TAGS),
    "rating": (BatchAction.RATE,),
}


@frozen
class Batch:
    """A checked request: 1 to 1,000 distinct ids, and a ``gallery_id``, ``tags`` or a ``rating`` exactly if the action
    needs them."""

    action: BatchAction
    image_ids: tuple[UUID, ...]
    gallery_id: UUID | None = None
    tags: tuple[Tag, ...] = ()
    rating: int | None = None


@frozen
class BatchResult:
    """The result for one image: ``error`` is an error's code (``not_found``), or ``None``."""

    image_id: UUID
    error: str | None = None


def check_batch(
    action: str,
    image_ids: Sequence[UUID],
    gallery_id: UUID | None,
    tags: Sequence[str] | None = None,
    rating: int | Unset | None = UNSET,
) -> Batch:
    """Validate a request. Raises `InvalidInput` with all faults."""
    faults = Faults()
    chosen = faults.choice(("body", "action"), action, BatchAction)
    is_given = {"gallery_id": gallery_id is not None, "tags": bool(tags), "rating": not isinstance(rating, Unset)}
    for name, actions in _WITH.items():
        if chosen in actions and not is_given[name]:
            faults.add(("body", name), f"is needed to {chosen}")
        if chosen not in actions and is_given[name]:
            faults.add(("body", name), f"has no meaning with {chosen}")
    faults.batch(("body", "ids"), image_ids)
    checked = check_tags(faults, tags or ())
    stars = None if isinstance(rating, Unset) else check_rating(faults, rating)
    faults.check()
    return Batch(chosen, tuple(image_ids), gallery_id, checked, stars)


def results(
    batch: Batch,
    done: Collection[UUID],
    refused: Collection[UUID] = (),
    forbidden: Collection[UUID] = (),
    full: Collection[UUID] = (),
) -> tuple[BatchResult, ...]:
    """One result per id, in the given order: those not ``done`` were not found, but for those that the application's
    own records keep (``refused``), those with which the host does not allow it (``forbidden``), and those that can have
    no more tags (``full``)."""
    refusals = {
        **dict.fromkeys(refused, StillReferenced.code),
        **dict.fromkeys(forbidden, Forbidden.code),
        **dict.fromkeys(full, TOO_MANY_TAGS),
    }
    errors = {**refusals, **dict.fromkeys(done)}
    return tuple(BatchResult(each, errors.get(each, NOT_FOUND)) for each in batch.image_ids)
