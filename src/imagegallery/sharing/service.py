"""Shares, for their owners: for others they do not exist, `NotFound`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import evolve

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import require_own
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.options import SharingOptions
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import BY_OWNERSHIP, Act, Actor, AuditEntry
from imagegallery.clock import Clock
from imagegallery.common.attribute import AttributeOf
from imagegallery.common.unset import UNSET, Unset
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, NotFound
from imagegallery.events import records as events
from imagegallery.ids import Id, as_id, as_id_or_none, new_id
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
    foreign_cursor,
)
from imagegallery.principal import Principal
from imagegallery.rates.limiter import RateLimiter
from imagegallery.sharing import received_records, records
from imagegallery.sharing.events import ShareChanged, ShareCreated, ShareEvent, ShareRevoked
from imagegallery.sharing.input import (
    DownloadLike,
    MetadataLike,
    PermissionsLike,
    ShareTerms,
    TargetLike,
    check_link,
    check_start,
    check_targets,
    check_terms,
    settle_download,
)
from imagegallery.sharing.link import (
    make_token,
    token_hash,
)
from imagegallery.sharing.link_service import LinkService
from imagegallery.sharing.passwords import Passwords
from imagegallery.sharing.received_service import ReceivedShareService
from imagegallery.sharing.share import (
    GUEST_BYTES,
    GUEST_IMAGES,
    CreatedShare,
    Share,
    ShareAccess,
    ShareRecipient,
    ShareTarget,
    permission_names,
)

_CHANGED_AS_GIVEN: Final = (
    "metadata",
    "slug",
    "expires_at",
    "max_views",
    "note",
    "approval",
    "guest_max_images",
    "guest_max_bytes",
)


class ShareService:
    """Shares, for their owners. ``links`` opens them for those who have a link, ``received`` has those of others."""

    links = AttributeOf(LinkService)
    received = AttributeOf(ReceivedShareService)

    def __init__(
        self,
        database: Database,
        rates: RateLimiter,
        options: SharingOptions,
        clock: Clock,
        authority: Authority | None = None,
    ) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        self._authority = authority or Authority()
        self._passwords = Passwords()
        self.links = LinkService(database, rates, options, clock, self._passwords)
        self.received = ReceivedShareService(database, clock, self._authority)

    async def create(
        self,
        principal: Principal,
        *,
        targets: Iterable[TargetLike],
        permissions: PermissionsLike | Unset = UNSET,
        metadata: MetadataLike = MetadataShown.BASIC,
        download: DownloadLike | Unset = UNSET,
        link: bool = True,
        slug: str | None = None,
        password: str | None = None,
        expires_at: datetime | None = None,
        expires_in: timedelta | None = None,
        max_views: int | None = None,
        recipients: Sequence[ShareRecipient] = (),
        note: str = "",
        starts_at: datetime | None = None,
        approval: bool = True,
        guest_max_images: int = GUEST_IMAGES,
        guest_max_bytes: int = GUEST_BYTES,
    ) -> CreatedShare:
        """Share galleries, images or, with `LIBRARY`, the whole library; all of it must be the principal's own.

        Args:
            targets: Ids of galleries and images, or `ShareTarget`; 1 to 100.
            permissions: Flags, or their names; by default to view. Nobody can share the permission to delete.
            metadata: The part of pictures' metadata to show: ``none``, ``basic`` (no place) or ``all``.
            download: The largest file to give away: ``none``, ``variant`` or ``original``, with the permission.
            link: Whether it has a link, whose token appears only here.
            slug: A public name of the link, which anybody can guess: without a password it is no secret.
            password: 4 to 256 characters.
            expires_in: In place of ``expires_at``, from now on.
            max_views: How often the link can be opened.
            recipients: Up to 500, each with what is different for them.
            note: For who receives it, up to 2,000 characters.
            starts_at: Of a library: only images that are added from then on.
            approval: Whether images that others add by it wait until the owner approves them.
            guest_max_images: How many all who add by it may bring together, 0 to 10,000.
            guest_max_bytes: How much.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: With all faults.
            NotFound: For a target that is not the principal's own.
            Conflict: For a name that is another link's, and for too many shares.
        """
        owner_id, now = principal.require_user(), self._clock()
        terms = check_terms(
            now,
            permissions=permissions,
            metadata=metadata,
            download=download,
            slug=slug,
            password=password,
            expires_at=expires_at,
            expires_in=expires_in,
            max_views=max_views,
            note=note,
            recipients=recipients,
            approval=approval,
            guest_max_images=guest_max_images,
            guest_max_bytes=guest_max_bytes,
        )
        wanted = check_targets(targets)
        check_start(wanted, starts_at)
        check_link(has_link=link, terms=terms)
        await self._authority.confirm(Permission.EDIT, principal, AccessSubject("shares", owner_id))
        password_hash = None if password is None else await self._passwords.hash(password)
        token = make_token() if link else None
        share = _applied(_blank(owner_id, has_link=link, starts_at=starts_at, now=now), terms)
        async with self._database.transaction() as connection:
            count = await records.count_held(connection, owner_id, self._options.max_per_owner)
            if count >= self._options.max_per_owner:
                raise Conflict(f"There can be {self._options.max_per_owner:,} shares for each owner.")
            share = evolve(share, targets=await self._own(connection, principal, wanted, share.permissions))
            hashed = None if token is None else token_hash(token)
            await records.insert(connection, share, token_hash=hashed, password_hash=password_hash, now=now)
            await self._tell(
                connection, principal, Act.SHARE_CREATED, ShareCreated(owner_id, share.id), _told(share), share.targets
            )
            return CreatedShare(await self._read(connection, share.id), token)

    async def create_link(
        self,
        principal: Principal,
        targets: Iterable[TargetLike],
        *,
        permissions: PermissionsLike | Unset = UNSET,
        metadata: MetadataLike = MetadataShown.BASIC,
        download: DownloadLike | Unset = UNSET,
        password: str | None = None,
        expires_at: datetime | None = None,
        expires_in: timedelta | None = None,
    ) -> CreatedShare:
        """Share by a link alone: `create`, with what most links need."""
        return await self.create(
            principal,
            targets=targets,
            permissions=permissions,
            metadata=metadata,
            download=download,
            password=password,
            expires_at=expires_at,
            expires_in=expires_in,
        )

    async def get(self, principal: Principal, share_id: Id) -> Share:
        """Return a share.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        share_id, owner_id = as_id(share_id, "share_id"), principal.require_user()
        async with self._database.reading(principal) as connection:
            found = await records.get(connection, share_id, owner_id)
        return await self._authority.require(Permission.VIEW, principal, found, "share", share_id)

    async def list(
        self,
        principal: Principal,
        *,
        gallery_id: Id | None = None,
        image_id: Id | None = None,
        with_revoked: bool = False,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[Share]:
        """List the principal's shares, newest first; those of one gallery, or of one image, if it is given.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        target = ShareTarget(as_id_or_none(gallery_id, "gallery_id"), as_id_or_none(image_id, "image_id"))
        check_limit(limit)
        scope = f"shares:{owner_id}:{target.gallery_id}:{target.image_id}:{with_revoked}"
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("shares", owner_id))
        async with self._database.reading(principal) as connection:
            found = await records.list_owned(
                connection,
                owner_id,
                None if target.is_library else target,
                after,
                limit + 1,
                with_revoked=with_revoked,
            )
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.created_at, last.id)))

    async def update(
        self,
        principal: Principal,
        share_id: Id,
        *,
        targets: Iterable[TargetLike] | Unset = UNSET,
        permissions: PermissionsLike | Unset = UNSET,
        metadata: MetadataLike | Unset = UNSET,
        download: DownloadLike | Unset = UNSET,
        slug: str | Unset | None = UNSET,
        password: str | Unset | None = UNSET,
        expires_at: datetime | Unset | None = UNSET,
        max_views: int | Unset | None = UNSET,
        recipients: Sequence[ShareRecipient] | Unset = UNSET,
        note: str | Unset = UNSET,
        approval: bool | Unset = UNSET,
        guest_max_images: int | Unset = UNSET,
        guest_max_bytes: int | Unset = UNSET,
        check: Callable[[Share], None] | None = None,
    ) -> Share:
        """Change what is given; it holds for the next request of everybody.

        Another ``slug`` leads the earlier ones to it. Another ``password``, or none, ends all visits. ``recipients``
        replaces those that its owner named; users who came by the link stay. The permission to download and
        ``download`` go together: a change that takes one of them away takes the other.

        Args:
            check: Called with the current, locked share; an error it raises cancels the change.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id, or does not own a target.
            InvalidInput: With all faults.
            Conflict: If it is revoked, and for a name that is another link's.
        """
        share_id = as_id(share_id, "share_id")
        principal.require_user()
        now = self._clock()
        terms = check_terms(
            now,
            permissions=permissions,
            metadata=metadata,
            download=download,
            slug=slug,
            password=password,
            expires_at=expires_at,
            max_views=max_views,
            note=note,
            recipients=recipients,
            approval=approval,
            guest_max_images=guest_max_images,
            guest_max_bytes=guest_max_bytes,
        )
        wanted = None if isinstance(targets, Unset) else check_targets(targets)
        password_hash = await self._passwords.hash(password) if isinstance(password, str) else None
        async with self._database.transaction() as connection:
            share = await self._lock(connection, principal, share_id, check)
            if share.revoked_at is not None:
                raise Conflict("This share is revoked: make another one.")
            changed = _applied(share, terms)
            check_link(has_link=share.has_link, terms=evolve(terms, recipients=changed.recipients))
            if wanted is not None:
                check_start(wanted, share.starts_at)
            own = share.targets
            if wanted is None:
                await self._confirm_kept(connection, principal, own, changed.permissions)
            else:
                own = await self._own(connection, principal, wanted, changed.permissions)
                await records.set_targets(connection, share, own)
            await records.update(connection, changed, now=now)
            if not isinstance(password, Unset):
                await records.set_password(connection, share_id, password_hash)
            if changed.slug != share.slug:
                await records.set_slug(connection, share_id, changed.slug)
            if not isinstance(terms.recipients, Unset):
                await records.set_recipients(connection, share_id, changed.recipients, now=now)
            details = {**_told(changed), **({} if isinstance(password, Unset) else {"password": "changed"})}
            await self._tell(
                connection, principal, Act.SHARE_CHANGED, ShareChanged(share.owner_id, share_id), details, own
            )
            return await self._read(connection, share_id)

    async def rotate_link(self, principal: Principal, share_id: Id) -> CreatedShare:
        """Give the share a new link, in place of the one that it has, if any: that, and all visits by it, end.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
            Conflict: If it is revoked.
        """
        token = make_token()
        return CreatedShare(await self._set_link(principal, share_id, token), token)

    async def remove_link(self, principal: Principal, share_id: Id) -> Share:
        """End the share's link; it goes on for its recipients. Raises as `rotate_link`."""
        return await self._set_link(principal, share_id, None)

    async def revoke(self, principal: Principal, share_id: Id, *, check: Callable[[Share], None] | None = None) -> None:
        """End the share for everybody, at once. It may be repeated. Its link says so from then on.

        Args:
            check: As in `update`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        share_id = as_id(share_id, "share_id")
        principal.require_user()
        async with self._database.transaction() as connection:
            share = await self._lock(connection, principal, share_id, check)
            await self._end(connection, principal, Act.SHARE_REVOKED, share)

    async def delete(self, principal: Principal, share_id: Id, *, check: Callable[[Share], None] | None = None) -> None:
        """End it, and delete all that is known of it, its accesses among it. Arguments and errors as `revoke`."""
        share_id = as_id(share_id, "share_id")
        principal.require_user()
        async with self._database.transaction() as connection:
            share = await self._lock(connection, principal, share_id, check)
            await self._end(connection, principal, Act.SHARE_DELETED, share)
            await records.delete(connection, share_id)

    async def remove_recipient(self, principal: Principal, share_id: Id, recipient_id: Id) -> None:
        """Take the share from one of its recipients, also one who came by its link.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has no share of this id, or that no such recipient.
        """
        share_id, recipient_id = as_id(share_id, "share_id"), as_id(recipient_id, "recipient_id")
        principal.require_user()
        async with self._database.transaction() as connection:
            share = await self._lock(connection, principal, share_id, None)
            if not await received_records.remove(connection, share_id, recipient_id):
                raise NotFound.of("recipient")
            event = ShareChanged(share.owner_id, share_id)
            await self._tell(connection, principal, Act.SHARE_CHANGED, event, {"recipient": "removed"})

    async def accesses(
        self, principal: Principal, share_id: Id, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[ShareAccess]:
        """When and how often it was opened, by recipients and by visitors of its link, the latest days first.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
            InvalidInput: For an invalid limit or cursor.
        """
        share = await self.get(principal, share_id)
        check_limit(limit)
        scope = f"accesses:{share.id}"
        after = None
        if cursor is not None:
            day, visitor = decode_cursor(cursor, scope, int, str)
            after = _place(day, visitor)
        async with self._database.reading(principal) as connection:
            found = await records.list_accesses(connection, share.id, after, limit + 1)
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.day.toordinal(), last.visitor)))

    async def _own(
        self,
        connection: Connection,
        principal: Principal,
        wanted: Iterable[ShareTarget | UUID],
        permissions: Permission,
    ) -> tuple[ShareTarget, ...]:
        """These targets, all of which are the principal's own, and with which the host allows them what they share.

        Raises `NotFound`: that somebody else has such a thing is not told.
        """
        targets = [*wanted]
        ids = [each if isinstance(each, UUID) else each.gallery_id or each.image_id for each in targets]
        found = await records.things(connection, [each for each in ids if each is not None])
        owned: list[ShareTarget] = []
        for target, id_ in zip(targets, ids, strict=True):
            if id_ is None:
                owner_id = principal.require_user()
                await self._confirm_each(principal, AccessSubject("library", owner_id), permissions)
                owned.append(ShareTarget())
                continue
            kind, thing = found.get(id_, ("image" if _names_image(target) else "gallery", None))
            if isinstance(target, ShareTarget) and kind != ("image" if _names_image(target) else "gallery"):
                thing = None
            own = require_own(principal, thing, kind)
            await self._confirm_each(principal, AccessSubject.of(kind, own.id, own.facts), permissions)
            owned.append(ShareTarget(image_id=id_) if kind == "image" else ShareTarget(gallery_id=id_))
        return tuple(owned)

    async def _confirm_kept(
        self, connection: Connection, principal: Principal, targets: Iterable[ShareTarget], permissions: Permission
    ) -> None:
        """Ask the host about what stays shared. What is in the trash by now is nobody's to see, and may come back."""
        ids = {each.gallery_id or each.image_id for each in targets} if self._authority.asks else set()
        found = await records.things(connection, [each for each in ids if each is not None]) if ids else {}
        for kind, thing in found.values():
            await self._confirm_each(principal, AccessSubject.of(kind, thing.id, thing.facts), permissions)
        if None in ids:
            await self._confirm_each(principal, AccessSubject("library", principal.require_user()), permissions)

    async def _confirm_each(self, principal: Principal, subject: AccessSubject, permissions: Permission) -> None:
        """Ask the host about everything that is shared, and about changing who may: nobody shares more than they may
        do themselves."""
        for each in permissions | Permission.EDIT:
            await self._authority.confirm(each, principal, subject)

    async def _set_link(self, principal: Principal, share_id: Id, token: str | None) -> Share:
        share_id = as_id(share_id, "share_id")
        principal.require_user()
        async with self._database.transaction() as connection:
            share = await self._lock(connection, principal, share_id, None)
            if share.revoked_at is not None:
                raise Conflict("This share is revoked: make another one.")
            hashed = None if token is None else token_hash(token)
            await records.set_link(connection, share_id, hashed, now=self._clock())
            details = {"link": "none" if token is None else "another"}
            event = ShareChanged(share.owner_id, share_id)
            await self._tell(connection, principal, Act.SHARE_LINK_CHANGED, event, details)
            return await self._read(connection, share_id)

    async def revoke_all(self, connection: Connection, owner_id: str) -> None:
        """End all of an owner's shares, in the caller's transaction. For an erasure, which is audited itself: nobody's
        permission is asked."""
        now = self._clock()
        revoked = await records.revoke_all(connection, owner_id, now=now)
        await events.record(connection, *(ShareRevoked(owner_id, share_id) for share_id in revoked), now=now)

    async def _end(self, connection: Connection, principal: Principal, act: Act, share: Share) -> None:
        if share.revoked_at is None:
            await records.revoke(connection, share.id, now=self._clock())
        elif act is Act.SHARE_REVOKED:
            return
        await self._tell(connection, principal, act, ShareRevoked(share.owner_id, share.id), {}, share.targets)

    async def _lock(
        self, connection: Connection, principal: Principal, share_id: UUID, check: Callable[[Share], None] | None
    ) -> Share:
        found = await records.lock(connection, share_id, principal.require_user())
        share = await self._authority.require(Permission.EDIT, principal, found, "share", share_id)
        if check is not None:
            check(share)
        return share

    async def _read(self, connection: Connection, share_id: UUID) -> Share:
        share = await records.get(connection, share_id)
        assert share is not None  # this transaction has just written it
        return share

    async def _tell(
        self,
        connection: Connection,
        principal: Principal,
        act: Act,
        event: ShareEvent,
        details: Mapping[str, str],
        targets: Sequence[ShareTarget] = (),
    ) -> None:
        """Record it for who reads events, and for who looks into it later: by each of the targets, too."""
        now = self._clock()
        by = Actor.of(principal)
        entry = AuditEntry(act, by, BY_OWNERSHIP, event.owner_id, share_id=event.share_id, details=dict(details))
        of_targets = [evolve(entry, gallery_id=each.gallery_id, image_id=each.image_id) for each in targets]
        await events.record(connection, event, now=now)
        await audit.record(connection, *(of_targets or [entry]), now=now)


def _told(share: Share) -> dict[str, str]:
    """What a share allows, for the audit."""
    return {
        "permissions": " ".join(permission_names(share.permissions)),
        "metadata": share.metadata.name.lower(),
        "download": share.download.name.lower(),
        "expires": "never" if share.expires_at is None else share.expires_at.isoformat(),
    }


def _blank(owner_id: str, *, has_link: bool, starts_at: datetime | None, now: datetime) -> Share:
    """A new share that says nothing yet."""
    return Share(
        id=new_id(),
        owner_id=owner_id,
        has_link=has_link,
        slug=None,
        permissions=Permission.VIEW,
        metadata=MetadataShown.BASIC,
        download=DownloadAllowed.NONE,
        has_password=False,
        starts_at=starts_at,
        expires_at=None,
        max_views=None,
        views=0,
        note="",
        created_at=now,
        updated_at=now,
        revoked_at=None,
    )


def _applied(share: Share, terms: ShareTerms) -> Share:
    """The share as these terms change it."""
    permissions, download = settle_download(
        terms.permissions, terms.download, before=(share.permissions, share.download)
    )
    changed = {name: value for name in _CHANGED_AS_GIVEN if not isinstance(value := getattr(terms, name), Unset)}
    recipients = share.recipients if isinstance(terms.recipients, Unset) else terms.recipients
    named = tuple(_settled(each, permissions, download) for each in recipients)
    return evolve(share, permissions=permissions, download=download, recipients=named, **changed)


def _settled(recipient: ShareRecipient, permissions: Permission, download: DownloadAllowed) -> ShareRecipient:
    """The recipient with an id, and with both or none of what goes together."""
    id_ = recipient.id or new_id()
    if recipient.permissions is None and recipient.download is None:
        return evolve(recipient, id=id_)
    theirs, may_have = settle_download(
        UNSET if recipient.permissions is None else recipient.permissions,
        UNSET if recipient.download is None else recipient.download,
        before=(permissions, download),
    )
    return evolve(recipient, id=id_, permissions=theirs, download=may_have)


def _place(day: int, visitor: str) -> tuple[date, bytes]:
    """Where a page of accesses begins. Raises `InvalidCursor`."""
    try:
        return date.fromordinal(day), bytes.fromhex(visitor)
    except (ValueError, OverflowError) as error:
        raise foreign_cursor() from error


def _names_image(target: ShareTarget | UUID) -> bool:
    return isinstance(target, ShareTarget) and target.image_id is not None
