"""Who may do what with a thing, as a document."""

from typing import Annotated, Literal
from uuid import UUID

from attrs import frozen

from imagegallery import Visibility
from imagegallery_asgi.framework.constraints import Moment, example

_Granted = tuple[Literal["view", "download", "comment", "add_images", "edit", "delete"], ...]
_Shown = Annotated[Literal["none", "basic", "all"], example("basic")]
_Fetched = Annotated[Literal["none", "variant", "original"], example("variant")]


@frozen(slots=False)
class HeldGrantDocument:
    """What one share gives, and what of it is shared: the ``image``, a ``gallery`` that it is in (``gallery_id``), or
    the whole ``library``. ``joined_at``: since when they have kept it among their own."""

    share_id: UUID
    reached_by: Annotated[Literal["image", "gallery", "library"], example("gallery")]
    gallery_id: UUID | None
    permissions: Annotated[_Granted, example(("view",))]
    metadata: _Shown
    download: _Fetched
    expires_at: Moment | None
    joined_at: Moment | None
    has_password: Annotated[bool, example(False)]


@frozen(slots=False)
class HolderDocument:
    """Somebody with access: its owner, everybody, who comes by a link, or whom shares name. The rest is what they have
    in all, and the ``grants`` that this adds up from: none where it is by ownership or visibility."""

    kind: Annotated[Literal["owner", "everybody", "link", "user", "email", "group"], example("user")]
    name: Annotated[str | None, example("ben")]
    permissions: Annotated[_Granted, example(("view",))]
    metadata: _Shown
    download: _Fetched
    grants: tuple[HeldGrantDocument, ...]


@frozen(slots=False)
class AccessDocument:
    """Who may do what. ``visibility``: of an image, the most open one of itself and its galleries. ``is_whole`` is
    false where there are more than 1,000 grants, of which these are the first."""

    visibility: Visibility
    holders: tuple[HolderDocument, ...]
    is_whole: Annotated[bool, example(True)]
