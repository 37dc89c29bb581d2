"""Documents of shares, of who has them, and of links as visitors see them."""

from typing import Annotated, Literal
from uuid import UUID

from attrs import frozen

from imagegallery_asgi.api.responses.galleries import GalleryDocument
from imagegallery_asgi.api.responses.images import ImageSummary
from imagegallery_asgi.framework.constraints import Moment, example

PermissionName = Literal["view", "download", "comment", "add_images", "edit"]
MetadataName = Annotated[Literal["none", "basic", "all"], example("basic")]
DownloadName = Annotated[Literal["none", "variant", "original"], example("none")]


@frozen(slots=False)
class TargetDocument:
    """A gallery, an image or the whole library."""

    gallery_id: UUID | None
    image_id: Annotated[UUID | None, example(None)]
    library: Annotated[bool, example(False)]


@frozen(slots=False)
class RecipientDocument:
    """A user, an e-mail address or a group. ``null`` is as the share says. ``by_link``: they came by the link and kept
    the share."""

    id: UUID
    user: Annotated[str | None, example("ben")]
    email: Annotated[str | None, example(None)]
    group: Annotated[str | None, example(None)]
    permissions: Annotated[tuple[PermissionName, ...] | None, example(("view", "download"))]
    metadata: MetadataName | None
    download: Annotated[DownloadName | None, example("original")]
    by_link: Annotated[bool, example(False)]
    joined_at: Annotated[Moment | None, example(None)]


@frozen(slots=False)
class ReceivedShareDocument:
    """What is shared with one: what one has by it in all. ``owner_id`` is ``null`` for who came by its link. Without
    ``can_leave`` it is a group's, and only its owner ends it. ``joined_at``: since when one has kept it."""

    id: UUID
    owner_id: Annotated[str | None, example("ana")]
    targets: tuple[TargetDocument, ...]
    permissions: Annotated[tuple[PermissionName, ...], example(("view",))]
    metadata: MetadataName
    download: DownloadName
    starts_at: Annotated[Moment | None, example(None)]
    expires_at: Moment | None
    note: Annotated[str, example("From our weekend")]
    created_at: Moment
    joined_at: Annotated[Moment | None, example(None)]
    can_leave: Annotated[bool, example(True)]


@frozen(slots=False)
class ShareDocument:
    """``url`` is the page of its link, by the link's name: ``null`` if it has none, as its token is shown once.
    ``views``: how often the link was opened."""

    id: UUID
    has_link: Annotated[bool, example(True)]
    slug: Annotated[str | None, example("lisbon-2026")]
    url: Annotated[str | None, example("/s/lisbon-2026")]
    targets: tuple[TargetDocument, ...]
    permissions: Annotated[tuple[PermissionName, ...], example(("view",))]
    metadata: MetadataName
    download: DownloadName
    has_password: Annotated[bool, example(True)]
    starts_at: Annotated[Moment | None, example(None)]
    expires_at: Moment | None
    max_views: Annotated[int | None, example(100)]
    views: Annotated[int, example(12)]
    note: Annotated[str, example("From our weekend")]
    approval: Annotated[bool, example(True)]
    guest_max_images: Annotated[int, example(500)]
    guest_max_bytes: Annotated[int, example(5_368_709_120)]
    recipients: tuple[RecipientDocument, ...]
    created_at: Moment
    updated_at: Moment
    revoked_at: Annotated[Moment | None, example(None)]


@frozen(slots=False)
class CreatedShareDocument(ShareDocument):
    """A share with its new link. ``token`` is shown only now; ``null``: it has no link."""

    token: Annotated[str | None, example("kT3v0c2mQy7rZ9xL4bWn8sHd")]


@frozen(slots=False)
class ShareAccessDocument:
    """How often one recipient or one visitor opened the share on a ``day`` of UTC. ``visitor`` tells visitors of that
    day apart; what it was made of is not kept."""

    day: Annotated[str, example("2026-06-01")]
    visitor: Annotated[str, example("5f2b9c0e1d")]
    recipient: Annotated[RecipientDocument | None, example(None)]
    opened: Annotated[int, example(3)]
    first_at: Moment
    last_at: Moment


@frozen(slots=False)
class VisitDocument:
    """Shows until then that one has opened the link: `Share-Visit: {token}`. Browsers have it as a cookie, too."""

    token: Annotated[str, example("69f0a1b2.9c1f")]
    expires_at: Moment


@frozen(slots=False)
class GuestDocument:
    """Shows who one is below this link: `Share-Guest: {token}`. Browsers have it as a cookie, too."""

    id: UUID
    name: Annotated[str, example("Aunt Inês")]
    token: Annotated[str, example("AZQMfluafz6NIWpLnA4fUkF1bnQgSW7Dqg.9c1f")]


@frozen(slots=False)
class LinkDocument:
    """What a link shows, and what it allows. With ``library`` it is all images of who shares them. ``takes_uploads``:
    visitors may add images, under a name, which with ``approval`` wait until their owner approves them. ``guest_name``
    is the one that was given. ``visit`` is new, or ``null`` if the request had one."""

    id: UUID
    permissions: Annotated[tuple[PermissionName, ...], example(("view",))]
    metadata: MetadataName
    download: DownloadName
    note: Annotated[str, example("From our weekend")]
    expires_at: Moment | None
    library: Annotated[bool, example(False)]
    galleries: tuple[GalleryDocument, ...]
    images: tuple[ImageSummary, ...]
    takes_uploads: Annotated[bool, example(False)]
    approval: Annotated[bool, example(True)]
    guest_name: Annotated[str | None, example(None)]
    visit: VisitDocument | None
