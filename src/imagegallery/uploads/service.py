"""Uploads: the use cases of upload sessions, with access checks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import attrs

from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.access.authority import AccessSubject
from imagegallery.access.contributor import sender_of
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.attribute import AttributeOf
from imagegallery.common.fault_points import fault_point
from imagegallery.common.idempotency import id_for
from imagegallery.common.meta import NO_META, Meta
from imagegallery.database.host.choice import HostConnection
from imagegallery.database.pool import Database
from imagegallery.errors import EmptyFile, UnsupportedType
from imagegallery.ids import Id, as_id, as_id_or_none
from imagegallery.images.image.access import claim
from imagegallery.images.image.image import Image
from imagegallery.images.service import ImageService
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.signature import sniff
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.policies.policy import OnDuplicateLike, Policy
from imagegallery.policies.registry import Policies
from imagegallery.principal import Principal
from imagegallery.queue.protocol import JobOutbox
from imagegallery.rates.limiter import UNLIMITED, RateLimiter
from imagegallery.storage.protocol import ObjectStore, TemporaryFiles
from imagegallery.storage.space import Space, UnlimitedSpace
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.completion.kept_copies import KeptCopies
from imagegallery.uploads.completion.verification import Verification
from imagegallery.uploads.creation import UploadCreator
from imagegallery.uploads.known_bytes import KnownBytes
from imagegallery.uploads.multipart.parts import UploadParts
from imagegallery.uploads.reception import BodyReceiver, OneCall
from imagegallery.uploads.resumable.service import ResumableUploads
from imagegallery.uploads.server import ServerUploads
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import SessionEnder, try_to_delete_objects
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.lookup import ONE_CALL, STAGED, OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener
from imagegallery.uploads.session.policy import (
    UNKNOWN_TYPE,
    Declaration,
    OnDuplicate,
    StorageUse,
    UploadPolicy,
    declared_type,
)
from imagegallery.uploads.session.session import (
    Transport,
    UploadEvent,
    UploadSession,
    advance,
    raise_if_over,
)
from imagegallery.uploads.signed import SignedUploads
from imagegallery.uploads.source import FileSource, OpenSource, open_source
from imagegallery.uploads.staged.attachments import Attachments
from imagegallery.uploads.staged.upload import StagedUpload, facts_of
from imagegallery.uploads.sweep import Sweeper

CANCELLED = fault_point("upload.cancelled", "the upload was given up, what had arrived is still there")


class UploadService:
    """Upload sessions, and `add`, a whole session in one call. ``parts`` is for files in parts, ``server`` for
    those who serve uploads to clients.
    """

    parts = AttributeOf(UploadParts)
    server = AttributeOf(ServerUploads)

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        engine: ImagingEngine,
        outbox: JobOutbox,
        scratch: TemporaryFiles,
        images: ImageService,
        policy: UploadPolicy,
        clock: Clock,
        rates: RateLimiter = UNLIMITED,
        space: Space | None = None,
        policies: Policies | None = None,
        governing: PolicyInForce | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._images = images
        self._clock = clock
        self._limits = limits = UploadLimits(policy, policies or Policies(), governing)
        verification = Verification(store, engine, scratch, limits)
        copies = KeptCopies(store, engine, scratch)
        self._completion = Completion(
            database, store, outbox, verification, limits, images.rules.admission, clock, copies
        )
        receiver = BodyReceiver(database, store, self._completion, limits, clock)
        space, rules = space or UnlimitedSpace(), images.rules
        self._opener = SessionOpener(
            database,
            limits,
            images.rules.admission,
            clock,
            rates,
            space,
            images.rules.meta_checks,
            images.rules.authority,
        )
        self._sessions = OwnSessions(database, clock, rules.authority)
        self._ender = SessionEnder(database, store, clock)
        self.parts = UploadParts(database, store, images, self._opener, self._completion, limits, clock)
        self._resumable = ResumableUploads(database, store, scratch, self._opener, self._completion, limits, clock)
        known = KnownBytes(database, store)
        signed = SignedUploads(database, store, self._completion, known, clock, space)
        self._creator = UploadCreator(store, self._sessions, self._opener, self.parts, limits)
        self._one_call = OneCall(
            database, images, self._sessions, self._opener, receiver, self._completion, self._ender
        )
        self._attachments = Attachments(database, images, self._completion, clock)
        self.server = ServerUploads(
            self._resumable,
            signed,
            self._attachments,
            limits,
            database,
            self._sessions,
            self._creator,
            receiver,
            known,
            self._completion,
            space,
        )
        self._sweeper = Sweeper(database, store, policy, clock)

    @property
    def policy(self) -> UploadPolicy:
        """The limits of every upload, as administrators had them when they were last read."""
        return self._limits.service

    async def create(
        self,
        principal: Principal,
        *,
        filename: str,
        content_type: str,
        size: int,
        sha256: bytes | None = None,
        gallery_id: Id | None = None,
        on_duplicate: OnDuplicateLike | None = None,
        meta: Meta = NO_META,
        visibility: VisibilityLike = Visibility.PRIVATE,
        policy: str | None = None,
        idempotency_key: str | None = None,
    ) -> UploadSession:
        """Start an upload of ``size`` bytes. The client must send ``request``.

        A file beyond the policy's ``parts_threshold`` is sent in parts, if the store accepts them: it has a
        ``part_plan`` and the first ``part_requests`` instead. With neither (clients cannot write to the store)
        `receive` takes the bytes. With ``return_existing`` and the ``sha256``, the session may be ``completed`` at
        once.

        Args:
            on_duplicate: What to do with a file that the owner has already. ``None`` for the policy's choice.
            meta: What the application keeps with the image: a JSON object (`imagegallery.common.meta`). An image that
                was there already keeps its own.
            visibility: The image's own: see `ImageService.update`.
            policy: The name of the policy that the upload is under: see `imagegallery.policies.policy.Policy`. ``None``
                for the gallery's, if it has one; a gallery that has one takes no upload under another.
            idempotency_key: A repetition, also after an error, returns the existing session as it is now, until it is
                deleted (`UploadPolicy.session_retention`).

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For invalid arguments.
            UnsupportedType: If the policy does not allow the type.
            EmptyFile: For no bytes.
            TooLarge: If the policy allows fewer bytes.
            QuotaExceeded: If the owner's storage is too small.
            DuplicateImage: If the owner has the file, and wants no second one.
            GalleryFull: If the gallery's policy allows no more images.
            IdempotencyKeyReused: If the key came with another file.
            NotFound: If the principal may not see the gallery.
            Forbidden: If the gallery is another owner's.
        """
        gallery_id = as_id_or_none(gallery_id, "gallery_id")
        declaration = Declaration(content_type, size, sha256, on_duplicate, meta, visibility)
        return await self._creator.create(principal, declaration, filename, gallery_id, policy, idempotency_key)

    def policies(self) -> Mapping[str | None, Policy]:
        """The policies that uploads can be under, by name, each with the service's limits where it has none of its
        own; and what holds for uploads under none, by ``None``."""
        return {name: self._limits.told(name) for name in (None, *self._limits.policies.names)}

    def takes_guests(self) -> bool:
        """Whether administrators let visitors by links upload, where the share does."""
        return self._limits.take_guests

    async def get(self, principal: Principal, session_id: Id) -> UploadSession:
        """Return the principal's own session.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        session_id = as_id(session_id, "session_id")
        return await self._sessions.get(principal, session_id)

    async def list(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[UploadSession]:
        """List the principal's open uploads, newest first, which `cancel` ends.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        check_limit(limit)
        await self._images.rules.authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        scope = f"uploads:{owner_id}"
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        async with self._database.connection() as connection:
            found = await records.list_open(connection, owner_id, after, limit + 1, now=self._clock())
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.expires_at, last.id)))

    async def room(self, principal: Principal) -> StorageUse:
        """Return how much the principal stores, may store, and is uploading.

        Raises:
            Unauthenticated: Without a user.
        """
        owner_id = principal.require_user()
        await self._images.rules.authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.connection() as connection:
            room = await records.room(connection, owner_id, now=self._clock())
        await self._limits.renew()
        limit = self.policy.limit_of(room.storage_limit)
        return StorageUse(room.storage_used, limit, room.awaited, room.open, self.policy.max_open)

    async def complete(self, principal: Principal, session_id: Id) -> Image:
        """Check the bytes and make them an image. May be repeated.

        Raises as `get`, and each time what rejected the upload.

        Raises:
            UploadIncomplete: Before the bytes are there.
            UploadExpired: If its time is over.
            UploadEnded: If it was cancelled.
            EmptyFile: Rejects the upload, as do the following.
            SizeMismatch: If the bytes do not have the declared size.
            TypeMismatch: If they have another type than declared.
            ChecksumMismatch: If they do not have the declared SHA-256.
            BadImage: If they cannot be decoded.
            QuotaExceeded: If the owner's storage is too small.
            DuplicateImage: If the owner has the file, and wants no second one.
            WrongDimensions: If the policy asks for others.
            GalleryFull: If the gallery's policy allows no more images.
            Refused: If the application itself refuses the file.
            HookFailed: If the application could not be asked, which does not reject the upload.
        """
        session_id = as_id(session_id, "session_id")
        session = await self.get(principal, session_id)
        if session.transport is Transport.PARTS:
            return await self.parts.complete_session(principal, session)
        if session.transport is Transport.RESUMABLE:
            session = await self._resumable.complete(session)
        return await self._images.get(principal, (await self._completion.complete(session)).future_image_id)

    async def claim(self, principal: Principal, image_id: Id, *, connection: HostConnection | None = None) -> Image:
        """Take an image that the principal uploaded, and that nothing uses, for a row of the application: an id that
        came in a form is nobody else's, and in no other row. It is no longer among `ImageService.unattached`.

        Args:
            connection: The application's own, inside the transaction that writes its row: see `HostConnection`. A claim
                that is rolled back was none.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has no image of this id outside of the trash.
            AlreadyUsed: If it was claimed or attached before, or is in a gallery.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_user()
        async with self._database.transaction(within=connection) as ours:
            await claim(ours, self._images.rules.authority, principal, image_id, now=self._clock())
        return await self._images.get(principal, image_id, connection=connection)

    async def cancel(self, principal: Principal, session_id: Id) -> None:
        """Cancel the upload and delete what has arrived, also after it ended without an image.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
            UploadEnded: If it has become an image.
        """
        session_id = as_id(session_id, "session_id")
        found = await self.get(principal, session_id)
        async with self._resumable.alone_with(found):
            async with self._database.transaction() as connection:
                session = await records.lock(connection, session_id)
                state = advance(session.state, UploadEvent.CANCEL)
                if state is not session.state:
                    await records.update(connection, session_id, state, now=self._clock())
            CANCELLED.reached()
            await try_to_delete_objects(self._store, attrs.evolve(session, state=state))

    async def add(
        self,
        principal: Principal,
        source: FileSource,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        size: int | None = None,
        gallery_id: Id | None = None,
        sha256: bytes | None = None,
        on_duplicate: OnDuplicateLike | None = None,
        meta: Meta = NO_META,
        visibility: VisibilityLike = Visibility.PRIVATE,
        policy: str | None = None,
        idempotency_key: str | None = None,
    ) -> Image:
        """Upload one file in one call: a session, its bytes, its completion. If this raises, nothing is left.

        Name, type and size are taken from the source, where it has them, a missing type from the first bytes. Raises as
        `create` and `complete`.

        Args:
            source: A path, bytes, a file that is open for reading bytes, what a web framework calls an uploaded file,
                or chunks of bytes. A text is a path. An open file is read from where it is, and stays open.
            meta: As in `create`, as the next one.
            visibility: The image's own.
            idempotency_key: A repetition returns the image, or raises the refusal, of the earlier call, until the
                session is deleted.

        Raises:
            UploadLocked: While the same request is in progress.
            OSError: For an unreadable path, such as `FileNotFoundError`.
            InvalidInput: For a file that is closed, was read to its end, or is open for text, and for anything else.
        """
        gallery_id = as_id_or_none(gallery_id, "gallery_id")
        sender = sender_of(principal)
        wanted = Declaration(content_type or "", size, sha256, on_duplicate, meta, visibility)
        async with self._opened(source, filename, wanted, gallery_id, policy) as (new, file):
            if idempotency_key is None:
                image_id = await self._one_call.add(principal, new, file)
            else:
                keyed = attrs.evolve(new, session_id=id_for(ONE_CALL, sender, idempotency_key))
                image_id = await self._one_call.add_once(principal, keyed, file)
        return await self._images.get(principal, image_id)

    async def stage(
        self,
        principal: Principal,
        source: FileSource,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        size: int | None = None,
        sha256: bytes | None = None,
        policy: str | None = None,
        idempotency_key: str | None = None,
    ) -> StagedUpload:
        """Check and store one file, which becomes an image when it is attached to a row of the application
        (`StagedUpload.attach`). It counts in the owner's room from now on. Unless it is attached within
        ``uploads.staged_lifetime`` it is deleted, and `cancel` with its id deletes it now.

        ``source`` is as in `add`. If this raises, nothing is left. Raises as `add`. It becomes an image of its own,
        even if the owner has the same bytes, which are stored once.

        Args:
            policy: As in `add`. The file is held to it now; a gallery with a policy takes what was staged under it.
            idempotency_key: A repetition returns what the earlier call staged, or raises its refusal, until the session
                is deleted.
        """
        owner_id = principal.require_user()
        wanted = Declaration(content_type or "", size, sha256, OnDuplicate.KEEP_BOTH)
        async with self._opened(source, filename, wanted, None, policy) as (new, file):
            lasting = attrs.evolve(new, lifetime=self.policy.staged_lifetime)
            if idempotency_key is None:
                session = await self._one_call.stage(principal, lasting, file)
            else:
                keyed = attrs.evolve(lasting, session_id=id_for(STAGED, owner_id, idempotency_key))
                session = await self._one_call.stage_once(principal, keyed, file)
        return self._staged(principal, session)

    async def staged(self, principal: Principal, staged_id: Id) -> StagedUpload:
        """Return what the principal staged, by its id: a form that is shown once more carries it.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has staged nothing of this id.
            UploadExpired: If its time is over.
            UploadEnded: If it was cancelled.
        """
        staged_id = as_id(staged_id, "staged_id")
        session = await self._sessions.get(principal, staged_id)
        raise_if_over(session)
        return self._staged(principal, session)

    def _staged(self, principal: Principal, session: UploadSession) -> StagedUpload:
        return StagedUpload(**facts_of(session), principal=principal, attachments=self._attachments)

    @asynccontextmanager
    async def _opened(
        self,
        source: FileSource,
        filename: str | None,
        wanted: Declaration,
        gallery_id: UUID | None,
        policy: str | None,
    ) -> AsyncIterator[tuple[NewUpload, OpenSource]]:
        """The file, and the upload that it begins."""
        if wanted.size is not None:
            self.policy.check_size(wanted.size)  # before anything is read: the sender may be waiting
        async with open_source(source) as file:
            name = filename or file.name
            found_type = _declared_type(wanted.content_type or file.content_type, name, file)
            known_size = file.size if wanted.size is None else wanted.size
            declaration = attrs.evolve(wanted, content_type=found_type, size=known_size)
            yield NewUpload(declaration, name, gallery_id, Transport.SERVICE, policy=policy), file

    async def sweep(self) -> int:
        """End expired sessions and remove what they left. Returns their number.

        Also completes interrupted ones, deletes old sessions, and clears late arrivals from ``incoming/``. Workers call
        it about every minute.
        """
        await self._resumable.sweep()
        expired = await self._sweeper.expire()
        await self._sweeper.forget()
        await self._sweeper.clear()
        return expired


def _declared_type(declared: str | None, name: str | None, file: OpenSource) -> str:
    """The type from the caller or the name, otherwise from the first bytes. Raises `EmptyFile` or `UnsupportedType`."""
    content_type = declared_type(declared, name)
    if content_type != UNKNOWN_TYPE:
        return content_type
    if not file.start:
        raise EmptyFile("The file is empty.")
    sniffed = sniff(file.start)
    if sniffed is None:
        raise UnsupportedType("The file is not an image of a known type.")
    return sniffed
