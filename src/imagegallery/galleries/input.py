"""What callers may say about galleries, checked: pure."""

from uuid import UUID

from attrs import frozen

from imagegallery.galleries.gallery import MAX_DESCRIPTION, MAX_NAME, GalleryView, ImageOrder, Visibility
from imagegallery.principal import Principal
from imagegallery.unset import UNSET, Unset
from imagegallery.validation import Faults


@frozen
class Changes:
    """What to change of a gallery: ``None`` leaves it; the cover, which may become ``None``, has a flag."""

    name: str | None = None
    description: str | None = None
    visibility: Visibility | None = None
    sets_cover: bool = False
    cover_image_id: UUID | None = None


@frozen
class Draft:
    """A gallery to be made."""

    name: str
    description: str
    visibility: Visibility


def check_draft(name: str, description: str, visibility: str) -> Draft:
    """Raises `InvalidInput` with all that is wrong."""
    faults = Faults()
    draft = Draft(_name(faults, name), _description(faults, description), _visibility(faults, visibility))
    faults.check()
    return draft


def check_changes(
    name: str | Unset = UNSET,
    description: str | Unset = UNSET,
    visibility: str | Unset = UNSET,
    cover_image_id: UUID | Unset | None = UNSET,
) -> Changes:
    """Raises `InvalidInput` with all that is wrong."""
    faults = Faults()
    changes = Changes(
        name=None if isinstance(name, Unset) else _name(faults, name),
        description=None if isinstance(description, Unset) else _description(faults, description),
        visibility=None if isinstance(visibility, Unset) else _visibility(faults, visibility),
        sets_cover=not isinstance(cover_image_id, Unset),
        cover_image_id=None if isinstance(cover_image_id, Unset) else cover_image_id,
    )
    faults.check()
    return changes


def check_name(name: str) -> str:
    """The name without outer white space. Raises `InvalidInput`."""
    faults = Faults()
    stripped = _name(faults, name)
    faults.check()
    return stripped


def check_order(order: str) -> ImageOrder:
    """Raises `InvalidInput`."""
    faults = Faults()
    chosen = faults.choice(("query", "order"), order, ImageOrder)
    faults.check()
    return chosen


def check_view(principal: Principal, view: str | None) -> GalleryView:
    """Without a choice, users get their own galleries and visitors the public ones. Raises `InvalidInput`."""
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
