"""Bringing files in: the use cases of upload sessions, each checked against who is asking."""

from collections.abc import AsyncIterable
from contextlib import suppress
from uuid import UUID

import anyio
import attrs

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import EmptyFile, Forbidden, ImageGalleryError, NotFound, UnsupportedType, UploadEnded
from imagegallery.ids import new_id
from imagegallery.images.image import Image
from imagegallery.images.service import ImageService
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.signature import sniff
from imagegallery.principal import Principal
from imagegallery.queue.outbox import JobOutbox
from imagegallery.storage.keys import EXTENSIONS, image_prefix, incoming_key
from imagegallery.storage.protocol import ObjectStore, PresignsUploads, TemporaryFiles
from imagegallery.uploads import records
from imagegallery.uploads.cleanup import try_to_delete_objects
from imagegallery.uploads.completion import Completion
from imagegallery.uploads.filename import FALLBACK, clean_filename
from imagegallery.uploads.policy import Declaration, UploadPolicy, canonical_type
from imagegallery.uploads.receiving import Receiving
from imagegallery.uploads.records import Room
from imagegallery.uploads.session import Transport, UploadEvent, UploadSession, UploadState, advance
from imagegallery.uploads.sources import OpenSource, Source, opened
from imagegallery.uploads.sweeping import Sweeping
from imagegallery.uploads.verification import Verification

# What clients send when they do not know the type.
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_GIVING_UP = 10.0  # seconds to end the session of a failed `add`; later the sweeper does it


class UploadService:
    """Upload sessions, and `add`, which is a whole session in one call."""

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
    ) -> None:
        self.policy = policy
        self._database = database
        self._store = store
        self._images = images
        self._clock = clock
        verification = Verification(store, engine, scratch)
        self._completion = Completion(database, store, outbox, verification, policy, clock)
        self._receiving = Receiving(database, store, self._completion, policy, clock)
        self._sweeping = Sweeping(database, store, policy, clock)

    async def create(
        self,
        principal: Principal,
        *,
        filename: str,
        content_type: str,
        size: int,
        sha256: bytes | None = None,
        gallery_id: UUID | None = None,
    ) -> UploadSession:
        """Begin an upload of ``size`` bytes, with what the client must send as ``request``.

        Without ``request`` (the store cannot be written to directly) the bytes are to go to `receive`. Raises
        `Unauthenticated`, `InvalidInput`, `UnsupportedType`, `EmptyFile`, `TooLarge`, `QuotaExceeded`, and
        `NotFound` or `Forbidden` for a gallery that is not the principal's own.
        """
        transport = Transport.SIMPLE if isinstance(self._store, PresignsUploads) else Transport.SERVICE
        declaration = Declaration(content_type, size, sha256)
        session = await self._begin(principal, declaration, filename, gallery_id, transport)
        if not isinstance(self._store, PresignsUploads):
            return session
        request = await self._store.presign_upload(
            session.incoming_key,
            content_type=session.content_type,
            size=size,
            sha256=sha256.hex() if sha256 else None,
            expires_at=session.expires_at,
        )
        return attrs.evolve(session, request=request)

    async def get(self, principal: Principal, session_id: UUID) -> UploadSession:
        """The principal's own session, as it is now. Raises `Unauthenticated` or `NotFound`."""
        owner_id = principal.require_user()
        async with self._database.connection() as connection:
            session = await records.get(connection, session_id)
        if session is None or session.owner_id != owner_id:
            raise NotFound("There is no such upload.")
        return session.at(self._clock())

    async def check_awaited(self, incoming_key: str) -> None:
        """For whoever serves a store's upload URLs: raises `UploadEnded` or `UploadExpired` unless a session waits
        for bytes under this key. Asks for no principal: the signature is the leave."""
        async with self._database.connection() as connection:
            session = await records.find_by_incoming_key(connection, incoming_key)
        if session is None:
            raise UploadEnded("This upload is over; start a new one.")
        advance(session.at(self._clock()).state, UploadEvent.ARRIVE)

    async def receive(self, principal: Principal, session_id: UUID, data: AsyncIterable[bytes]) -> UploadSession:
        """Take the file's bytes, once, and pass them on to the store as they come.

        Raises like `get`; `UploadExpired`, `UploadEnded` or `Conflict` when no bytes are awaited; `TooLarge`,
        `SizeMismatch` or `EmptyFile`, which end the session.
        """
        session = await self.get(principal, session_id)
        return await self._receiving.receive(session.id, data)

    async def complete(self, principal: Principal, session_id: UUID) -> Image:
        """Check the bytes and make them an image; completing again answers with the same one.

        Raises like `get`; `UploadIncomplete` before the bytes are there; `UploadExpired`, `UploadEnded`; and, each
        time, what rejected the upload: `EmptyFile`, `SizeMismatch`, `TypeMismatch`, `ChecksumMismatch`, `BadImage`
        or `QuotaExceeded`.
        """
        session = await self.get(principal, session_id)
        return await self._images.get(principal, await self._completion.complete(session.id))

    async def cancel(self, principal: Principal, session_id: UUID) -> None:
        """Give up and delete what has arrived; also after the session ended without an image.

        Raises like `get`, and `UploadEnded` when the upload has become an image.
        """
        await self.get(principal, session_id)
        async with self._database.transaction() as connection:
            session = await records.lock(connection, session_id)
            state = advance(session.state, UploadEvent.CANCEL)
            if state is not session.state:
                await records.update(connection, session_id, state, now=self._clock())
        await try_to_delete_objects(self._store, attrs.evolve(session, state=state))

    async def add(
        self,
        principal: Principal,
        source: Source,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        size: int | None = None,
        gallery_id: UUID | None = None,
        sha256: bytes | None = None,
    ) -> Image:
        """Bring one file in, in one call: a session, its bytes, its completion.

        What is not said is found out: name and size from a path, the type from the first bytes. Raises like
        `create` and `complete`, and `OSError` for a path that cannot be read; afterwards nothing is left.
        """
        principal.require_user()
        if size is not None:
            self.policy.check_size(size)  # before anything is read: the sender may be waiting for our word
        async with opened(source) as file:
            known_size = file.size if size is None else size
            declaration = Declaration(_declared_type(content_type, file), known_size, sha256)
            name = filename or file.name
            session = await self._begin(principal, declaration, name, gallery_id, Transport.SERVICE)
            try:
                await self._receiving.receive(session.id, file.chunks)
                return await self.complete(principal, session.id)
            except BaseException:
                await self._give_up(principal, session.id)
                raise

    async def sweep(self) -> int:
        """End the sessions that are over time and remove what they left; answers how many were ended.

        Also forgets sessions that ended long ago, and clears ``incoming/`` of what arrived too late. For the worker,
        every minute or so.
        """
        expired = await self._sweeping.expire()
        await self._sweeping.forget()
        await self._sweeping.clear()
        return expired

    async def _begin(
        self,
        principal: Principal,
        declaration: Declaration,
        filename: str | None,
        gallery_id: UUID | None,
        transport: Transport,
    ) -> UploadSession:
        owner_id = principal.require_user()
        checked = self.policy.check(declaration)
        async with self._database.transaction() as connection:
            room = await records.room_for(connection, owner_id, gallery_id)
            _check_gallery(room, owner_id, gallery_id)
            await self._check_storage(connection, owner_id, room, checked.size or 0)
            session = self._new_session(owner_id, checked, filename, gallery_id, transport, room)
            await records.insert(connection, session)
        return session

    async def _check_storage(self, connection: Connection, owner_id: str, room: Room, size: int) -> None:
        """Raises `QuotaExceeded` unless ``size`` bytes more fit beside what is stored and what is on its way."""
        if self.policy.limit_of(room.storage_limit) is None:
            return
        awaited = await records.hold_awaited_size(connection, owner_id, now=self._clock())
        current = await records.room_for(connection, owner_id)  # a completion may have moved bytes between the two
        self.policy.check_storage(current.storage_used + awaited + size, current.storage_limit)

    def _new_session(
        self,
        owner_id: str,
        declaration: Declaration,
        filename: str | None,
        gallery_id: UUID | None,
        transport: Transport,
        room: Room,
    ) -> UploadSession:
        now = self._clock()
        session_id, image_id = new_id(), new_id()
        return UploadSession(
            id=session_id,
            owner_id=owner_id,
            gallery_id=gallery_id,
            transport=transport,
            state=UploadState.PENDING,
            filename=clean_filename(filename or f"{FALLBACK}.{EXTENSIONS[declaration.content_type]}"),
            content_type=declaration.content_type,
            size=declaration.size,
            sha256=declaration.sha256,
            incoming_key=incoming_key(session_id),
            # Keys show in public URLs, wherever the image is shown later: they must not tell an unlisted gallery's id.
            key_prefix=image_prefix(image_id, gallery_id if room.gallery_visibility == "public" else None),
            future_image_id=image_id,
            created_at=now,
            updated_at=now,
            expires_at=now + self.policy.session_lifetime,
        )

    async def _give_up(self, principal: Principal, session_id: UUID) -> None:
        with anyio.move_on_after(_GIVING_UP, shield=True), suppress(ImageGalleryError):
            await self.cancel(principal, session_id)


def _check_gallery(room: Room, owner_id: str, gallery_id: UUID | None) -> None:
    """Raises `Forbidden` for another's gallery, `NotFound` if it may not even be seen."""
    if gallery_id is None or room.gallery_owner_id == owner_id:
        return
    if room.gallery_owner_id is None or room.gallery_visibility == "private":
        raise NotFound("There is no such gallery.")
    raise Forbidden("This gallery is not yours.")


def _declared_type(declared: str | None, file: OpenSource) -> str:
    """What the caller said, else what the first bytes say. Raises `EmptyFile` or `UnsupportedType`."""
    if declared is not None and canonical_type(declared) not in _UNTYPED:
        return declared
    if not file.start:
        raise EmptyFile("The file is empty.")
    sniffed = sniff(file.start)
    if sniffed is None:
        raise UnsupportedType("The file is not an image of a known type.")
    return sniffed
