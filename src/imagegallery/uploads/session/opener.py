"""Open a session, with any transport: validate its declaration, and write its row."""

from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, field, frozen

from imagegallery.access import records as access_records
from imagegallery.access.audience import Visibility
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.contributor import sender_of
from imagegallery.access.decision import contributor_to
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.common.validation import Faults
from imagegallery.contributions import records as contribution_records
from imagegallery.contributions.contribution import ShareRoom, ShareSender, check_open, no_room, share_for
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Fault, InvalidInput, QuotaExceeded
from imagegallery.ids import new_id
from imagegallery.images.admission import Admission
from imagegallery.images.image.filename import FALLBACK, clean_filename
from imagegallery.images.image.meta_checks import MetaChecks
from imagegallery.principal import Principal
from imagegallery.rates.limiter import UNLIMITED, RateLimiter
from imagegallery.storage.keys import EXTENSIONS, image_prefix, incoming_key
from imagegallery.storage.space import Space, UnlimitedSpace
from imagegallery.uploads.completion.duplicates import existing_image, return_existing
from imagegallery.uploads.session import records
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.policy import Declaration, OnDuplicate, UploadPolicy, declared_type
from imagegallery.uploads.session.records import Room
from imagegallery.uploads.session.session import Concatenation, Transport, UploadSession, UploadState

BEGUN = fault_point("upload.begun", "the session's row is written, and its client has not heard of it")


@frozen
class NewUpload:
    """An upload to start: the declared file, its destination, and its transport.

    With ``comes_now`` the bytes are in the same request. It can be used for ``lifetime``, by default as long as the
    policy says. ``session_id`` may be given. Other fields are as in
    `UploadSession`.
    """

    declaration: Declaration
    filename: str | None
    gallery_id: UUID | None
    transport: Transport
    part_size: int | None = None
    wire_metadata: str | None = None
    concatenation: Concatenation | None = None
    completes_itself: bool = False
    comes_now: bool = False
    lifetime: timedelta | None = None
    policy: str | None = None
    session_id: UUID = field(factory=new_id)

    @property
    def says_meta(self) -> bool:
        """Whether it has the image's ``meta``: a part of an upload becomes no image, and a staged one gets it later."""
        return self.concatenation is not Concatenation.PARTIAL and self.lifetime is None


@frozen
class SessionOpener:
    """Opens sessions. Receiving the bytes is done elsewhere."""

    database: Database
    limits: UploadLimits
    admission: Admission
    clock: Clock
    rates: RateLimiter = UNLIMITED
    space: Space = field(factory=UnlimitedSpace)
    meta_checks: MetaChecks = field(factory=MetaChecks)
    authority: Authority = field(factory=Authority)

    async def begin(self, principal: Principal, new: NewUpload) -> UploadSession:
        """Open a session: ``pending``, ``uploading`` if the bytes come now, or ``completed`` at once with an existing
        image, if its SHA-256 is declared and
        ``return_existing`` is wanted. If this raises, nothing is left.

        Raises `Unauthenticated`, `InvalidInput`, `UnsupportedType`, `EmptyFile`, `TooLarge`, `UploadRateExceeded`,
        `GalleryFull`, `TooManyUploads`, `QuotaExceeded`, `DuplicateImage` if ``reject`` is wanted and the SHA-256 is
        known, `UploadLocked` if a session of this id exists, `DiskFull`, and `NotFound` or `Forbidden` for another
        owner's gallery, unless a share lets the principal add to it: then its owner has it, and pays.
        """
        sender = sender_of(principal)
        await self.limits.renew()
        self.limits.policies.check_known(new.policy)
        checked = self._check(new.declaration, new)
        if principal.user_id is not None:
            await self.authority.confirm(Permission.ADD_IMAGES, principal, AccessSubject("library", principal.user_id))
        await self.space.check(checked.size or 0)
        await self.rates.admit_upload(sender)
        if principal.link is not None:
            await self.rates.admit_share_upload(principal.link.share_id)
        if new.says_meta:
            await self.meta_checks.check("image", checked.meta)
        async with self.database.transaction() as connection:
            new = evolve(new, gallery_id=await self._destination(connection, principal, new))
            room = await records.hold_room(connection, principal.user_id, new.gallery_id, now=self.clock())
            added = None
            if new.gallery_id is not None:
                added = await self._admit(connection, principal, room, new.gallery_id)
                if added is not None:
                    _check_contributed(checked, new, room.gallery_policy)
                new = self._under_policy_of(room, new)
                checked = self._check(checked, new)
            owner_id, existing, reserved = room.owner_id, None, None
            if added is None:
                existing = await self._existing(connection, owner_id, checked, new)
            if existing is None:
                reserved = await self._reserve(connection, room, new, added)
            session = evolve(self._session(owner_id, new, checked), reserved=reserved, sender=added)
            if existing is not None:
                session = await return_existing(connection, self.admission, session, existing, now=session.created_at)
            await records.insert(connection, session)
        BEGUN.reached()
        return session

    async def _destination(self, connection: Connection, principal: Principal, new: NewUpload) -> UUID | None:
        """The gallery that it is for: by the link of a share of one gallery, that. Raises `InvalidInput` where a link
        has several and none is named."""
        if principal.link is None or new.gallery_id is not None:
            return new.gallery_id
        only = await contribution_records.only_gallery(connection, principal.link.share_id)
        if only is None:
            faults = Faults()
            faults.add(("body", "gallery_id"), "must name a gallery of the share")
            faults.check()
        return only

    async def _admit(
        self, connection: Connection, principal: Principal, room: Room, gallery_id: UUID
    ) -> ShareSender | None:
        """The one that adds to the gallery in its owner's place, and the share; ``None``: the owner does. Raises
        `NotFound` and `Forbidden`."""
        asked = {gallery_id: room.gallery}
        facts = (await access_records.on_galleries(connection, principal, asked, now=self.clock())).get(gallery_id)
        gallery = await self.authority.require(Permission.ADD_IMAGES, principal, facts, "gallery", gallery_id)
        contributor = contributor_to(principal, gallery)
        if contributor is None:
            return None
        self.limits.check_contributor(contributor)
        return ShareSender(share_for(gallery.grants), contributor)

    async def _share_room(
        self, connection: Connection, sender: ShareSender, gallery_id: UUID | None, besides: UUID
    ) -> tuple[int, ShareRoom]:
        """How many other uploads by the share are under way, and its room without what they bring."""
        now = self.clock()
        share = await contribution_records.hold_room(connection, sender, gallery_id, now=now)
        count, size = await records.open_by_share(connection, sender.share_id, besides=besides, now=now)
        return count, share.without(count, size)

    def _check(self, declaration: Declaration, new: NewUpload) -> Declaration:
        content_type = declared_type(declaration.content_type, new.filename)
        return self.limits.under(new.policy).check(evolve(declaration, content_type=content_type))

    def _under_policy_of(self, room: Room, new: NewUpload) -> NewUpload:
        """The upload under the policy of its gallery, if that has one. Raises `InvalidInput` for another one, and
        `GalleryFull`."""
        if room.gallery_policy is not None and new.policy not in (None, room.gallery_policy):
            raise InvalidInput(
                f"This gallery takes images under the policy {room.gallery_policy}.",
                [Fault(("body", "policy"), f"must be {room.gallery_policy}, as the gallery's")],
            )
        under = evolve(new, policy=room.gallery_policy or new.policy)
        self.limits.policies.check_room(under.policy, room.gallery_count + 1)
        return under

    async def _existing(
        self, connection: Connection, owner_id: str, declaration: Declaration, new: NewUpload
    ) -> UUID | None:
        """`existing_image`, but under a policy, which judges bytes, none is returned before they are here."""
        wanted = declaration.on_duplicate or self.limits.under(new.policy).on_duplicate
        if new.policy is not None and wanted is OnDuplicate.RETURN_EXISTING:
            return None
        return await existing_image(connection, owner_id, declaration.sha256, wanted)

    async def check_storage(self, connection: Connection, session: UploadSession, size: int) -> None:
        """Raise `QuotaExceeded` unless ``size`` more bytes of the session fit, besides open uploads."""
        room = await records.hold_room(connection, session.owner_id, now=self.clock())
        used = room.storage_used + room.awaited + size
        if session.sender is None:
            self.limits.service.check_storage(used, room.storage_limit)
            return
        _, share = await self._share_room(connection, session.sender, session.gallery_id, session.id)
        share.check(session.received + size)
        check_room(self.limits.service, used, room.storage_limit)

    async def _reserve(
        self, connection: Connection, room: Room, new: NewUpload, sender: ShareSender | None
    ) -> int | None:
        """Check that there is quota for the file, and that not too many are under way. Returns the bytes reserved for
        one of unknown size that its client sends to the store by a signed URL.

        Raises `QuotaExceeded` and `TooManyUploads`.
        """
        policy = self.limits.under(new.policy)
        is_new = new.concatenation is not Concatenation.FINAL  # which takes the places of its parts
        if sender is not None:
            return await self._reserve_by_share(connection, room, new, sender) if is_new else None
        if is_new:
            self.limits.service.check_open(room.open + 1)
        size, limit = new.declaration.size, policy.limit_of(room.storage_limit)
        is_unseen = size is None and new.transport in (Transport.SIMPLE, Transport.PARTS)
        taken = room.storage_used + room.awaited
        policy.check_storage(taken + (1 if is_unseen else size or 0), room.storage_limit)
        return min(policy.max_size, limit - taken) if is_unseen and limit is not None else None

    async def _reserve_by_share(
        self, connection: Connection, room: Room, new: NewUpload, sender: ShareSender
    ) -> int | None:
        """The same for what is added by a share, which has limits of its own. What is reserved says nothing of the
        owner's room."""
        policy, size = self.limits.under(new.policy), new.declaration.size
        count, share = await self._share_room(connection, sender, new.gallery_id, new.session_id)
        check_open(count + 1, policy.max_open_by_share)
        is_unseen = size is None and new.transport in (Transport.SIMPLE, Transport.PARTS)
        most = min(policy.max_size, share.rest)
        share.check(most or 1 if is_unseen else size or 1)
        expected = most if is_unseen else size or 0
        check_room(policy, room.storage_used + room.awaited + expected, room.storage_limit)
        return most if is_unseen else None

    def _session(self, owner_id: str, new: NewUpload, declaration: Declaration) -> UploadSession:
        now = self.clock()
        image_id = new_id()
        return UploadSession(
            id=new.session_id,
            owner_id=owner_id,
            gallery_id=new.gallery_id,
            transport=new.transport,
            state=UploadState.UPLOADING if new.comes_now else UploadState.PENDING,
            filename=stored_filename(new.filename, declaration.content_type),
            content_type=declaration.content_type,
            size=declaration.size,
            sha256=declaration.sha256,
            incoming_key=incoming_key(new.session_id),
            key_prefix=image_prefix(image_id),
            future_image_id=image_id,
            created_at=now,
            updated_at=now,
            expires_at=now + (new.lifetime or self.limits.service.session_lifetime),
            part_size=new.part_size,
            wire_metadata=new.wire_metadata,
            concatenation=new.concatenation,
            completes_itself=new.completes_itself,
            on_duplicate=declaration.on_duplicate,
            meta=declaration.meta,
            visibility=declaration.visibility,
            policy=new.policy,
            asks_application=self.limits.policies.has_hooks(new.policy),
        )


def check_room(policy: UploadPolicy, used: int, own_limit: int | None) -> None:
    """`UploadPolicy.check_storage` for others than the owner, who are not told how much that may store."""
    try:
        policy.check_storage(used, own_limit)
    except QuotaExceeded:
        raise no_room() from None


def _check_contributed(declaration: Declaration, new: NewUpload, gallery_policy: str | None) -> None:
    """Refuse what only the owner of a gallery says of images in it. Raises `InvalidInput`."""
    faults = Faults()
    message = "is said by the gallery's owner alone"
    if declaration.visibility is not Visibility.PRIVATE:
        faults.add(("body", "visibility"), message)
    if declaration.meta:
        faults.add(("body", "meta"), message)
    if declaration.on_duplicate not in (None, OnDuplicate.KEEP_BOTH):
        faults.add(("body", "on_duplicate"), message)
    if new.policy not in (None, gallery_policy):
        faults.add(("body", "policy"), message)
    faults.check()


def stored_filename(given: str | None, content_type: str) -> str:
    """A safe name, whatever was given."""
    extension = EXTENSIONS.get(content_type)
    return clean_filename(given or (f"{FALLBACK}.{extension}" if extension else FALLBACK))


async def max_upload_size(database: Database, session: UploadSession, limits: UploadLimits, *, now: datetime) -> int:
    """Return how many bytes the file may have: what was announced or reserved, or what is left.

    Several uploads without a size may get the same rest; their completion checks again.
    """
    if session.size is not None:
        return session.size
    if session.reserved is not None:
        return session.reserved
    policy = limits.of(session)
    async with database.connection() as connection:
        if session.sender is not None:  # what may be sent says nothing of the owner's room
            sender = session.sender
            share = await contribution_records.room(connection, sender, session.gallery_id, now=now)
            _, size = await records.open_by_share(connection, sender.share_id, besides=session.id, now=now)
            return min(policy.max_size, share.without(0, size).rest)
        room = await records.room(connection, session.owner_id, now=now)
    limit = policy.limit_of(room.storage_limit)
    if limit is None:
        return policy.max_size
    return min(policy.max_size, session.received + max(0, limit - room.storage_used - room.awaited))
