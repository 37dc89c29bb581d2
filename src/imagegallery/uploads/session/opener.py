"""Open a session, with any transport: validate its declaration, and write its row."""

from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, field, frozen

from imagegallery.access.decision import require
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.ids import new_id
from imagegallery.images.image.filename import FALLBACK, clean_filename
from imagegallery.images.image.meta_checks import MetaChecks
from imagegallery.principal import Principal
from imagegallery.rates.limiter import UNLIMITED, RateLimiter
from imagegallery.storage.keys import EXTENSIONS, image_prefix, incoming_key
from imagegallery.storage.space import Space, UnlimitedSpace
from imagegallery.uploads.completion.duplicates import existing_image, return_existing
from imagegallery.uploads.session import records
from imagegallery.uploads.session.policy import Declaration, UploadPolicy, declared_type
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
    session_id: UUID = field(factory=new_id)


@frozen
class SessionOpener:
    """Opens sessions. Receiving the bytes is done elsewhere."""

    database: Database
    policy: UploadPolicy
    clock: Clock
    rates: RateLimiter = UNLIMITED
    space: Space = field(factory=UnlimitedSpace)
    meta_checks: MetaChecks = field(factory=MetaChecks)

    async def begin(self, principal: Principal, new: NewUpload) -> UploadSession:
        """Open a session: ``pending``, ``uploading`` if the bytes come now, or ``completed`` at once with an existing
        image, if its SHA-256 is declared and
        ``return_existing`` is wanted. If this raises, nothing is left.

        Raises `Unauthenticated`, `InvalidInput`, `UnsupportedType`, `EmptyFile`, `TooLarge`, `UploadRateExceeded`,
        `TooManyUploads`, `QuotaExceeded`, `DuplicateImage` if ``reject`` is wanted and the SHA-256 is known,
        `UploadLocked` if a session of this id exists, `DiskFull`, and `NotFound` or `Forbidden` for another owner's
        gallery.
        """
        owner_id = principal.require_user()
        content_type = declared_type(new.declaration.content_type, new.filename)
        checked = self.policy.check(evolve(new.declaration, content_type=content_type))
        await self.space.check(checked.size or 0)
        await self.rates.admit_upload(owner_id)
        if new.concatenation is not Concatenation.PARTIAL:  # which becomes no image by itself
            await self.meta_checks.check("image", checked.meta)
        async with self.database.transaction() as connection:
            room = await records.hold_room(connection, owner_id, new.gallery_id, now=self.clock())
            if new.gallery_id is not None:
                require(Permission.ADD_IMAGES, principal, room.gallery, "gallery")
            wanted = checked.on_duplicate or self.policy.on_duplicate
            existing, reserved = await existing_image(connection, owner_id, checked.sha256, wanted), None
            if existing is None:
                if new.concatenation is not Concatenation.FINAL:  # which takes the places of its parts
                    self.policy.check_open(room.open + 1)
                reserved = self._reserve(room, new)
            session = evolve(self._session(owner_id, new, checked), reserved=reserved)
            if existing is not None:
                session = await return_existing(connection, session, existing, now=session.created_at)
            await records.insert(connection, session)
        BEGUN.reached()
        return session

    async def check_storage(self, connection: Connection, owner_id: str, size: int) -> None:
        """Raise `QuotaExceeded` unless ``size`` more bytes fit, besides open uploads."""
        room = await records.hold_room(connection, owner_id, now=self.clock())
        self.policy.check_storage(room.storage_used + room.awaited + size, room.storage_limit)

    def _reserve(self, room: Room, new: NewUpload) -> int | None:
        """Check that there is quota for the file. Returns the bytes reserved for one of unknown size that its client
        sends to the store by a signed URL.
        Raises `QuotaExceeded`.
        """
        size, limit = new.declaration.size, self.policy.limit_of(room.storage_limit)
        is_unseen = size is None and new.transport in (Transport.SIMPLE, Transport.PARTS)
        taken = room.storage_used + room.awaited
        self.policy.check_storage(taken + (1 if is_unseen else size or 0), room.storage_limit)
        return min(self.policy.max_size, limit - taken) if is_unseen and limit is not None else None

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
            expires_at=now + (new.lifetime or self.policy.session_lifetime),
            part_size=new.part_size,
            wire_metadata=new.wire_metadata,
            concatenation=new.concatenation,
            completes_itself=new.completes_itself,
            on_duplicate=declaration.on_duplicate,
            meta=declaration.meta,
            visibility=declaration.visibility,
        )


def stored_filename(given: str | None, content_type: str) -> str:
    """A safe name, whatever was given."""
    extension = EXTENSIONS.get(content_type)
    return clean_filename(given or (f"{FALLBACK}.{extension}" if extension else FALLBACK))


async def max_upload_size(database: Database, session: UploadSession, policy: UploadPolicy, *, now: datetime) -> int:
    """Return how many bytes the file may have: what was announced or reserved, or what is left.

    Several uploads without a size may get the same rest; their completion checks again.
    """
    if session.size is not None:
        return session.size
    if session.reserved is not None:
        return session.reserved
    async with database.connection() as connection:
        room = await records.room(connection, session.owner_id, now=now)
    limit = policy.limit_of(room.storage_limit)
    if limit is None:
        return policy.max_size
    return min(policy.max_size, session.received + max(0, limit - room.storage_used - room.awaited))
