"""A new session, under every transport alike: what it declares is checked, and its row written."""

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
from imagegallery.principal import Principal
from imagegallery.rates.limiter import UNLIMITED, RateLimiter
from imagegallery.storage.keys import EXTENSIONS, image_prefix, incoming_key
from imagegallery.storage.space import Space, UnlimitedSpace
from imagegallery.uploads.completion.duplicates import existing_image, return_existing
from imagegallery.uploads.session import records
from imagegallery.uploads.session.file_type import declared_type
from imagegallery.uploads.session.policy import Declaration, UploadPolicy
from imagegallery.uploads.session.records import OwnerQuota
from imagegallery.uploads.session.session import Concatenation, Transport, UploadSession, UploadState

BEGUN = fault_point("upload.begun", "the session's row is written, and its client has not heard of it")


@frozen
class NewUpload:
    """The upload that is to begin: the file as its client declares it, where it is to go, how its bytes will come.

    ``session_id`` may be settled already; what is not said here stands in `UploadSession`.
    """

    declaration: Declaration
    filename: str | None
    gallery_id: UUID | None
    transport: Transport
    part_size: int | None = None
    wire_metadata: str | None = None
    concatenation: Concatenation | None = None
    completes_itself: bool = False
    session_id: UUID = field(factory=new_id)


@frozen
class SessionOpener:
    """Begins sessions; their bytes are somebody else's."""

    database: Database
    policy: UploadPolicy
    clock: Clock
    rates: RateLimiter = UNLIMITED
    space: Space = field(factory=UnlimitedSpace)

    async def begin(self, principal: Principal, new: NewUpload) -> UploadSession:
        """The session, ``pending``, or ``completed`` at once: with the image that was there, where the declared
        SHA-256 tells and ``return_existing`` is wanted. Nothing is there if this raises.

        Raises `Unauthenticated`, `InvalidInput`, `UnsupportedType`, `EmptyFile`, `TooLarge`, `UploadRateExceeded`,
        `TooManyUploads`, `QuotaExceeded`, `DuplicateImage` where the SHA-256 tells and ``reject`` is wanted,
        `UploadLocked` when a session of this id is there, `DiskFull`, and `NotFound` or `Forbidden` for a gallery that
        is not the principal's own.
        """
        owner_id = principal.require_user()
        content_type = declared_type(new.declaration.content_type, new.filename)
        checked = self.policy.check(evolve(new.declaration, content_type=content_type))
        await self.space.check(checked.size or 0)
        await self.rates.admit_upload(owner_id)
        async with self.database.transaction() as connection:
            room = await records.quota_for(connection, owner_id, new.gallery_id)
            if new.gallery_id is not None:
                require(Permission.ADD_IMAGES, principal, room.gallery, "gallery")
            wanted = checked.on_duplicate or self.policy.on_duplicate
            existing, reserved = await existing_image(connection, owner_id, checked.sha256, wanted), None
            if existing is None:
                if new.concatenation is not Concatenation.FINAL:  # which takes the places of its parts
                    await self._check_open(connection, owner_id)
                reserved = await self._reserve(connection, owner_id, room, new)
            session = evolve(self._session(owner_id, new, checked), reserved=reserved)
            if existing is not None:
                session = await return_existing(connection, session, existing, now=session.created_at)
            await records.insert(connection, session)
        BEGUN.reached()
        return session

    async def _check_open(self, connection: Connection, owner_id: str) -> None:
        """Raises `TooManyUploads` if there is no place for one more open session."""
        self.policy.check_open(await records.hold_open_count(connection, owner_id, now=self.clock()) + 1)

    async def check_storage(self, connection: Connection, owner_id: str, size: int) -> None:
        """Raises `QuotaExceeded` unless ``size`` bytes more, than what is on its way already, fit."""
        await self._check_storage(connection, owner_id, await records.quota_for(connection, owner_id), size)

    async def _reserve(self, connection: Connection, owner_id: str, room: OwnerQuota, new: NewUpload) -> int | None:
        """See that there is room for the file. Answers the bytes that are kept for one whose client said no size, and
        will send it to the store by a signed URL. Raises `QuotaExceeded`."""
        size, limit = new.declaration.size, self.policy.limit_of(room.storage_limit)
        is_unseen = size is None and new.transport in (Transport.SIMPLE, Transport.PARTS)
        if limit is None:
            return None
        taken = await self._check_storage(connection, owner_id, room, 1 if is_unseen else size or 0)
        return min(self.policy.max_size, limit - taken) if is_unseen else None

    async def _check_storage(self, connection: Connection, owner_id: str, room: OwnerQuota, size: int) -> int:
        """The bytes that are stored and on their way. Raises `QuotaExceeded` unless ``size`` more fit beside them."""
        if self.policy.limit_of(room.storage_limit) is None:
            return room.storage_used
        awaited = await records.hold_awaited_size(connection, owner_id, now=self.clock())
        current = await records.quota_for(connection, owner_id)  # a completion may have moved bytes between the two
        self.policy.check_storage(current.storage_used + awaited + size, current.storage_limit)
        return current.storage_used + awaited

    def _session(self, owner_id: str, new: NewUpload, declaration: Declaration) -> UploadSession:
        now = self.clock()
        image_id = new_id()
        return UploadSession(
            id=new.session_id,
            owner_id=owner_id,
            gallery_id=new.gallery_id,
            transport=new.transport,
            state=UploadState.PENDING,
            filename=stored_filename(new.filename, declaration.content_type),
            content_type=declaration.content_type,
            size=declaration.size,
            sha256=declaration.sha256,
            incoming_key=incoming_key(new.session_id),
            key_prefix=image_prefix(image_id),
            future_image_id=image_id,
            created_at=now,
            updated_at=now,
            expires_at=now + self.policy.session_lifetime,
            part_size=new.part_size,
            wire_metadata=new.wire_metadata,
            concatenation=new.concatenation,
            completes_itself=new.completes_itself,
            on_duplicate=declaration.on_duplicate,
        )


def stored_filename(given: str | None, content_type: str) -> str:
    """A safe name, whatever was given."""
    extension = EXTENSIONS.get(content_type)
    return clean_filename(given or (f"{FALLBACK}.{extension}" if extension else FALLBACK))
