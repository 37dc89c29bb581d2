"""Validation of what is asked of shares. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, Literal, TypeAlias, TypeVar
from uuid import UUID

from attrs import frozen

from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import Faults
from imagegallery.ids import Id, as_id
from imagegallery.principal import MAX_USER_ID
from imagegallery.sharing.link import is_slug
from imagegallery.sharing.share import (
    MAX_GUEST_IMAGES,
    MAX_GUEST_NAME,
    MAX_NOTE,
    MAX_PASSWORD,
    MAX_RECIPIENTS,
    MAX_SLUG,
    MAX_TARGETS,
    MIN_PASSWORD,
    SHAREABLE,
    RecipientKind,
    ShareRecipient,
    ShareTarget,
    permission_names,
)

L = TypeVar("L", bound=IntEnum)

PermissionsLike: TypeAlias = Permission | Iterable[str]
MetadataLike: TypeAlias = MetadataShown | Literal["none", "basic", "all"]
DownloadLike: TypeAlias = DownloadAllowed | Literal["none", "variant", "original"]
TargetLike: TypeAlias = ShareTarget | Id
MAX_VIEWS: Final = 2**53 - 1
PERMISSION_NAMES: Final = permission_names(SHAREABLE)
_MAX_EMAIL: Final = 254


@frozen
class ShareTerms:
    """What a share says, checked. An `Unset` changes nothing. ``password`` is not hashed yet."""

    permissions: Permission | Unset = UNSET
    metadata: MetadataShown | Unset = UNSET
    download: DownloadAllowed | Unset = UNSET
    slug: str | Unset | None = UNSET
    password: str | Unset | None = UNSET
    expires_at: datetime | Unset | None = UNSET
    max_views: int | Unset | None = UNSET
    note: str | Unset = UNSET
    recipients: Sequence[ShareRecipient] | Unset = UNSET
    approval: bool | Unset = UNSET
    guest_max_images: int | Unset = UNSET
    guest_max_bytes: int | Unset = UNSET


def check_terms(
    now: datetime,
    *,
    permissions: PermissionsLike | Unset = UNSET,
    metadata: MetadataLike | Unset = UNSET,
    download: DownloadLike | Unset = UNSET,
    slug: str | Unset | None = UNSET,
    password: str | Unset | None = UNSET,
    expires_at: datetime | Unset | None = UNSET,
    expires_in: timedelta | None = None,
    max_views: int | Unset | None = UNSET,
    note: str | Unset = UNSET,
    recipients: Sequence[ShareRecipient] | Unset = UNSET,
    approval: bool | Unset = UNSET,
    guest_max_images: int | Unset = UNSET,
    guest_max_bytes: int | Unset = UNSET,
) -> ShareTerms:
    """Check them. Raises `InvalidInput` with all faults."""
    faults = Faults()
    terms = ShareTerms(
        permissions if isinstance(permissions, Unset) else _permissions(faults, ("body", "permissions"), permissions),
        metadata if isinstance(metadata, Unset) else _level(faults, ("body", "metadata"), metadata, MetadataShown),
        download if isinstance(download, Unset) else _level(faults, ("body", "download"), download, DownloadAllowed),
        _slug(faults, slug),
        _password(faults, password),
        _expires_at(faults, now, expires_at, expires_in),
        max_views,
        note if isinstance(note, Unset) else faults.prose(("body", "note"), note, MAX_NOTE),
        recipients if isinstance(recipients, Unset) else _recipients(faults, recipients),
        approval,
        guest_max_images,
        guest_max_bytes,
    )
    if isinstance(guest_max_images, int) and not 0 <= guest_max_images <= MAX_GUEST_IMAGES:
        faults.add(("body", "guest_max_images"), f"must be 0 to {MAX_GUEST_IMAGES:,}")
    if isinstance(guest_max_bytes, int) and not 0 <= guest_max_bytes <= MAX_VIEWS:
        faults.add(("body", "guest_max_bytes"), f"must be 0 to {MAX_VIEWS:,}")
    if isinstance(max_views, int) and not 1 <= max_views <= MAX_VIEWS:
        faults.add(("body", "max_views"), f"must be 1 to {MAX_VIEWS:,}")
    faults.check()
    return terms


def check_guest_name(name: str) -> str:
    """The name without spaces around it: 1 to 100 printable characters. Raises `InvalidInput`."""
    bare, faults = name.strip(), Faults()
    if not (1 <= len(bare) <= MAX_GUEST_NAME and bare.isprintable()):
        faults.add(("body", "name"), f"must be 1 to {MAX_GUEST_NAME} printable characters")
    faults.check()
    return bare


def check_targets(targets: Iterable[TargetLike]) -> list[ShareTarget | UUID]:
    """Check them: an id alone may be a gallery's or an image's. Raises `InvalidInput`."""
    given = [*targets]
    faults = Faults()
    if not 1 <= len(given) <= MAX_TARGETS:
        faults.add(("body", "targets"), f"must have 1 to {MAX_TARGETS} entries")
        faults.check()
    found: list[ShareTarget | UUID] = []
    for index, each in enumerate(given):
        place = ("body", "targets", str(index))
        target = each if isinstance(each, ShareTarget) else as_id(each, f"targets.{index}")
        if isinstance(target, ShareTarget) and target.gallery_id is not None and target.image_id is not None:
            faults.add(place, "must be a gallery or an image, not both")
        elif target in found:
            faults.add(place, "is a repetition")
        found.append(target)
    faults.check()
    return found


def check_link(*, has_link: bool, terms: ShareTerms) -> None:
    """Refuse what has no meaning without a link. Raises `InvalidInput`."""
    faults = Faults()
    if not has_link:
        for name in ("slug", "password", "max_views"):
            if getattr(terms, name) not in (UNSET, None):
                faults.add(("body", name), "goes with a link only")
        if not terms.recipients:
            faults.add(("body", "recipients"), "must name somebody where there is no link")
    faults.check()


def check_start(targets: Iterable[ShareTarget | UUID], starts_at: datetime | None) -> None:
    """A start is that of a library. Raises `InvalidInput`."""
    faults = Faults()
    if starts_at is not None:
        if starts_at.utcoffset() is None:
            faults.add(("body", "starts_at"), "must be a time with its zone")
        if any(isinstance(each, UUID) or not each.is_library for each in targets):
            faults.add(("body", "starts_at"), "goes with a whole library only")
    faults.check()


def settle_download(
    permissions: Permission | Unset,
    download: DownloadAllowed | Unset,
    *,
    before: tuple[Permission, DownloadAllowed] = (Permission.VIEW, DownloadAllowed.NONE),
    place: tuple[str, ...] = ("body",),
) -> tuple[Permission, DownloadAllowed]:
    """Both, of which each may be given or be as ``before``: who may have originals has the permission, and nobody else.

    The same for a new share and a changed one, so that whatever takes one of them away takes the other with it.

    Raises:
        InvalidInput: For originals without the permission.
    """
    earlier, was = before
    if isinstance(download, Unset):
        if isinstance(permissions, Unset):
            return before
        has_originals = Permission.DOWNLOAD in permissions
        return permissions, DownloadAllowed.ORIGINAL if has_originals else min(was, DownloadAllowed.VARIANT)
    wanted = earlier if isinstance(permissions, Unset) else permissions
    if download is not DownloadAllowed.ORIGINAL:
        return wanted & ~Permission.DOWNLOAD, download
    if not isinstance(permissions, Unset) and Permission.DOWNLOAD not in permissions:
        faults = Faults()
        faults.add((*place, "download"), "must not be original without the permission download")
        faults.check()
    return wanted | Permission.DOWNLOAD, download


def _permissions(faults: Faults, path: tuple[str, ...], given: PermissionsLike) -> Permission:
    if isinstance(given, Permission):
        if given.value & ~SHAREABLE.value:
            faults.add(path, f"must be of {', '.join(PERMISSION_NAMES)}")
        wanted = given & SHAREABLE
    else:
        wanted = Permission.NONE
        for index, name in enumerate([given] if isinstance(given, str) else given):
            if name in PERMISSION_NAMES:
                wanted |= Permission[name.upper()]
            else:
                faults.add((*path, str(index)), f"must be one of {', '.join(PERMISSION_NAMES)}")
    if Permission.VIEW not in wanted:
        faults.add(path, "must have view")
    return wanted


def _level(faults: Faults, path: tuple[str, ...], given: str | IntEnum, levels: type[L]) -> L:
    if isinstance(given, levels):
        return given
    names = {each.name.lower(): each for each in levels}
    if not isinstance(given, str) or given not in names:
        faults.add(path, f"must be one of {', '.join(names)}")
        return next(iter(levels))
    return names[given]


def _slug(faults: Faults, slug: str | Unset | None) -> str | Unset | None:
    if isinstance(slug, str) and not is_slug(slug):
        message = f"must be words of a-z and 0-9 with hyphens between them, at most {MAX_SLUG} characters"
        faults.add(("body", "slug"), message)
    return slug


def _password(faults: Faults, password: str | Unset | None) -> str | Unset | None:
    if isinstance(password, str) and not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        faults.add(("body", "password"), f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return password


def _expires_at(
    faults: Faults, now: datetime, at: datetime | Unset | None, within: timedelta | None
) -> datetime | Unset | None:
    if within is not None:
        if isinstance(at, datetime):
            faults.add(("body", "expires_in"), "must be given, or expires_at, not both")
        if within <= timedelta(0):
            faults.add(("body", "expires_in"), "must be more than nothing")
        try:
            return now + within
        except OverflowError:
            faults.add(("body", "expires_in"), "must end before the year 10000")
            return None
    if isinstance(at, datetime):
        if at.utcoffset() is None:
            faults.add(("body", "expires_at"), "must be a time with its zone")
        elif at <= now:
            faults.add(("body", "expires_at"), "must be in the future")
    return at


def _recipients(faults: Faults, given: Sequence[ShareRecipient]) -> tuple[ShareRecipient, ...]:
    if len(given) > MAX_RECIPIENTS:
        faults.add(("body", "recipients"), f"must have at most {MAX_RECIPIENTS} entries")
        return ()
    named: dict[tuple[str, str], ShareRecipient] = {}
    for index, each in enumerate(given):
        path = ("body", "recipients", str(index))
        checked = _recipient(faults, path, each)
        if (checked.kind, checked.name) in named:
            faults.add(path, "is a repetition")
        named[checked.kind, checked.name] = checked
    return tuple(named.values())


def _recipient(faults: Faults, path: tuple[str, ...], given: ShareRecipient) -> ShareRecipient:
    kind = faults.choice((*path, "kind"), given.kind, RecipientKind)
    name, most = given.name, MAX_USER_ID
    if kind is RecipientKind.EMAIL:
        name, most = name.strip().lower(), _MAX_EMAIL
        local, _, host = name.rpartition("@")
        if not (local and "." in host) or " " in name:
            faults.add((*path, kind), "must be an e-mail address")
    if not (1 <= len(name) <= most and name.isprintable()):
        faults.add((*path, kind), f"must be 1 to {most} printable characters")
    permissions = given.permissions
    return ShareRecipient(
        kind,
        name,
        None if permissions is None else _permissions(faults, (*path, "permissions"), permissions),
        None if given.metadata is None else _level(faults, (*path, "metadata"), given.metadata, MetadataShown),
        None if given.download is None else _level(faults, (*path, "download"), given.download, DownloadAllowed),
    )
