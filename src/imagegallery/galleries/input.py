"""Validation of input about galleries. Pure."""

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.hotlinks import check_allowed_origins
from imagegallery.common.meta import NO_META, Meta, check_meta, check_patch
from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import Faults
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import MAX_DESCRIPTION, MAX_NAME, GalleryView, ImageOrder
from imagegallery.galleries.shuffle import MAX_SEED
from imagegallery.images.library.filter import NO_FILTER, ImageFilter, check_filter, check_ids
from imagegallery.principal import Principal


@frozen
class Changes:
    """Changes of a gallery. ``None`` changes nothing; flags tell whether to set the cover, the policy and the allowed
    origins, which may be ``None``. ``meta`` is a patch, of which ``None`` leaves nothing."""

    name: str | None = None
    description: str | None = None
    visibility: Visibility | None = None
    sets_cover: bool = False
    cover_image_id: UUID | None = None
    meta: Meta | Unset | None = UNSET
    sets_policy: bool = False
    policy: str | None = None
    sets_origins: bool = False
    allowed_origins: tuple[str, ...] | None = None


@frozen
class Selection:
    """Which images to list in which order. Only the random order uses ``seed``."""

    order: ImageOrder
    seed: int = 0
    where: ImageFilter = NO_FILTER

    @property
    def is_plain(self) -> bool:
        """Whether it is all images in an order that tells nothing of their files."""
        return self.where.is_empty and self.order in (ImageOrder.POSITION, ImageOrder.CREATED_AT, ImageOrder.RANDOM)

    def scope(self, gallery_id: UUID) -> str:
        """The scope of this list's cursors: other selections refuse them."""
        seed = str(self.seed) if self.order is ImageOrder.RANDOM else ""
        return f"gallery:{gallery_id}:{self.order}:{seed}:{self.where.scope}"


@frozen
class GalleryDraft:
    """A gallery to create."""

    name: str
    description: str
    visibility: Visibility
    meta: Meta = NO_META
    policy: str | None = None
    allowed_origins: tuple[str, ...] | None = None


def check_draft(
    name: str,
    description: str,
    visibility: str,
    meta: object = NO_META,
    policy: str | None = None,
    allowed_origins: Sequence[str] | None = None,
) -> GalleryDraft:
    """Validate it. Raises `InvalidInput` with all faults."""
    faults = Faults()
    draft = GalleryDraft(
        _name(faults, name),
        _description(faults, description),
        _visibility(faults, visibility),
        check_meta(faults, ("body", "meta"), meta),
        policy,
        check_allowed_origins(faults, ("body", "allowed_origins"), allowed_origins),
    )
    faults.check()
    return draft


def check_changes(
    name: str | Unset = UNSET,
    description: str | Unset = UNSET,
    visibility: str | Unset = UNSET,
    cover_image_id: UUID | Unset | None = UNSET,
    meta: Meta | Unset | None = UNSET,
    policy: str | Unset | None = UNSET,
    allowed_origins: Sequence[str] | Unset | None = UNSET,
) -> Changes:
    """Validate them. Raises `InvalidInput` with all faults."""
    faults = Faults()
    changes = Changes(
        name=None if isinstance(name, Unset) else _name(faults, name),
        description=None if isinstance(description, Unset) else _description(faults, description),
        visibility=None if isinstance(visibility, Unset) else _visibility(faults, visibility),
        sets_cover=not isinstance(cover_image_id, Unset),
        cover_image_id=None if isinstance(cover_image_id, Unset) else cover_image_id,
        meta=meta if meta is None or isinstance(meta, Unset) else check_patch(faults, ("body", "meta"), meta),
        sets_policy=not isinstance(policy, Unset),
        policy=None if isinstance(policy, Unset) else policy,
        sets_origins=not isinstance(allowed_origins, Unset),
        allowed_origins=None
        if isinstance(allowed_origins, Unset)
        else check_allowed_origins(faults, ("body", "allowed_origins"), allowed_origins),
    )
    faults.check()
    return changes


def check_name(name: str) -> str:
    """The name without outer white space. Raises `InvalidInput`."""
    faults = Faults()
    stripped = _name(faults, name)
    faults.check()
    return stripped


def check_selection(order: str, seed: int | None = None, where: ImageFilter = NO_FILTER) -> Selection:
    """Validate a selection. The random order needs a seed; no other order has one. Raises `InvalidInput` with all
    faults."""
    faults = Faults()
    chosen = faults.choice(("query", "order"), order, ImageOrder)
    is_random = order == ImageOrder.RANDOM
    if is_random and seed is None:
        faults.add(("query", "seed"), "is required with order=random")
    elif seed is not None and not is_random:
        faults.add(("query", "seed"), "goes with order=random only")
    elif seed is not None and not 0 <= seed <= MAX_SEED:
        faults.add(("query", "seed"), f"must be 0 to {MAX_SEED:,}")
    check_filter(faults, where)
    faults.check()
    return Selection(chosen, seed or 0, where)


def check_gallery_filter(where: GalleryFilter, hidden: Sequence[str], *, is_own: bool) -> None:
    """Validate a filter, of which these keys of ``meta`` are not for the principal. Raises `InvalidInput`."""
    faults = Faults()
    check_ids(faults, where.ids)
    if where.contains is not None and not is_own:
        faults.add(("query", "contains"), "is for one's own galleries")
    for key in hidden:
        faults.add(("query", f"meta.{key}"), "is for those who are shown it")
    faults.check()


def check_anchor(image_ids: Sequence[UUID], before: UUID | None, after: UUID | None) -> UUID:
    """The image to move others next to. Raises `InvalidInput` unless there is exactly one, which is not moved
    itself."""
    faults = Faults()
    given = {name: anchor for name, anchor in (("before", before), ("after", after)) if anchor is not None}
    if len(given) != 1:
        for name in given or ("before", "after"):
            faults.add(("body", name), "must be given, or the other one, not both")
        faults.check()
    ((name, anchor),) = given.items()
    if anchor in image_ids:
        faults.add(("body", name), "is one of the images to move")
    faults.check()
    return anchor


def check_view(principal: Principal, view: str | None) -> GalleryView:
    """The view, by default own galleries for users and public ones for visitors. Raises `InvalidInput`."""
    if view is None:
        return GalleryView.PUBLIC if principal.user_id is None else GalleryView.OWN
    faults = Faults()
    chosen = faults.choice(("query", "view"), view, GalleryView)
    faults.check()
    return chosen


def _name(faults: Faults, name: str) -> str:
    return faults.line(("body", "name"), name, MAX_NAME)


def _description(faults: Faults, description: str) -> str:
    return faults.prose(("body", "description"), description, MAX_DESCRIPTION)


def _visibility(faults: Faults, visibility: str) -> Visibility:
    return faults.choice(("body", "visibility"), visibility, Visibility)
