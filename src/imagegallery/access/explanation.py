"""Who may do what with a gallery or an image, and by what: for its owner, by the decision that decides. Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts, permissions
from imagegallery.access.disclosure import disclosure
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.principal import Principal


class HolderKind(StrEnum):
    """Who has access: its ``owner``, ``everybody``, who comes by a ``link``, and those whom shares name: a ``user``,
    who has verified an ``email`` address, and members of a ``group`` of the host."""

    OWNER = "owner"
    EVERYBODY = "everybody"
    LINK = "link"
    USER = "user"
    EMAIL = "email"
    GROUP = "group"


class ReachedBy(StrEnum):
    """What of it is shared: the ``image`` itself, a ``gallery``, itself or one that the image is in, or the owner's
    whole ``library``."""

    IMAGE = "image"
    GALLERY = "gallery"
    LIBRARY = "library"


@frozen
class HeldGrant:
    """What one share gives to one holder, ``name`` of this ``kind``, and how it reaches the thing.

    ``joined_at``: since when they have kept it among their own. ``has_password``: of a link.
    """

    kind: HolderKind
    name: str | None
    grant: Grant
    reached_by: ReachedBy
    gallery_id: UUID | None = None
    joined_at: datetime | None = None
    has_password: bool = False


@frozen
class Holder:
    """Somebody with access: what they may do and are shown in all, and the grants that this adds up from. By none, it
    is as the owner, or as everybody, by what is open. Who is several of these has what they have together."""

    kind: HolderKind
    name: str | None
    permissions: Permission
    metadata: MetadataShown
    download: DownloadAllowed
    grants: tuple[HeldGrant, ...] = ()


@frozen
class AccessReport:
    """Who may do what with a thing. ``is_whole`` is false if there are more grants than it has."""

    visibility: Visibility
    holders: tuple[Holder, ...]
    is_whole: bool = True


def explain(facts: Facts, held: Iterable[HeldGrant], *, is_whole: bool) -> AccessReport:
    """``held`` are live grants on a thing with these facts, those of one holder together."""
    everybody = _holder(HolderKind.EVERYBODY, None, Principal.anonymous(), facts)
    holders = [_holder(HolderKind.OWNER, facts.owner_id, Principal.user(facts.owner_id), facts)]
    holders += [everybody] if everybody.permissions else []
    for (kind, name, _), grouped in groupby(held, _who):
        grants = tuple(grouped)
        with_grants = evolve(facts, grants=tuple(each.grant for each in grants))
        # Any principal who is somebody else than the owner: the facts say what is granted them.
        holder = _holder(kind, name, Principal.by_link(grants[0].grant.share_id), with_grants, grants)
        holders += [holder] if holder.permissions else []
    return AccessReport(facts.visibility, tuple(holders), is_whole)


def _who(held: HeldGrant) -> tuple[HolderKind, str | None, UUID | None]:
    """Each link is a holder of its own."""
    return held.kind, held.name, held.grant.share_id if held.kind is HolderKind.LINK else None


def _holder(
    kind: HolderKind, name: str | None, principal: Principal, facts: Facts, grants: tuple[HeldGrant, ...] = ()
) -> Holder:
    shown = disclosure(principal, facts)
    return Holder(kind, name, permissions(principal, facts), shown.metadata, shown.download, grants)
