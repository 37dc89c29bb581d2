"""Files uploaded in parts, each directly to the store: in any order, several at once, and again after a failure."""

from collections.abc import Sequence
from contextlib import suppress

import anyio
import attrs

from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.common.meta import NO_META, Meta
from imagegallery.contributions.contribution import no_room
from imagegallery.database.pool import Database
from imagegallery.errors import (
    NotFound,
    ObjectNotFound,
    PartMismatch,
    PreconditionFailed,
    UploadEnded,
    UploadExpired,
)
from imagegallery.ids import Id, as_id, as_id_or_none
from imagegallery.images.image.image import Image
from imagegallery.images.service import ImageService
from imagegallery.principal import Principal
from imagegallery.storage.protocol import MultipartUploads, ObjectStore, Part
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.completion.verification import check_size
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import SessionEnder, try_to_abort, try_to_delete_objects
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.lookup import OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener, max_upload_size
from imagegallery.uploads.session.part_plan import (
    MAX_SIGNED_AT_ONCE,
    ClaimedPart,
    PartPlan,
    SignedPart,
    check_numbers,
    parts_to_join,
    plan_parts,
)
from imagegallery.uploads.session.policy import Declaration
from imagegallery.uploads.session.rejection import REJECTIONS
from imagegallery.uploads.session.session import Transport, UploadSession, raise_if_over

CREATED = fault_point("parts.created", "the store takes parts, no row knows by which name")
NAMED = fault_point("parts.named", "the row knows the store's name for the parts, the client was told nothing")
JOINED = fault_point("parts.joined", "the parts are one object under incoming/, and nothing more")


class UploadParts:
    """Multipart uploads. Clients use the session's id, which is its owner's; the store's own id stays here."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        images: ImageService,
        opener: SessionOpener,
        completion: Completion,
        limits: UploadLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._images = images
        self._opener = opener
        self._completion = completion
        self._limits = limits
        self._clock = clock
        self._sessions = OwnSessions(database, clock, images.rules.authority)
        self._ender = SessionEnder(database, store, clock)

    def plan_for(self, size: int) -> PartPlan | None:
        """The parts of a file of ``size`` bytes; ``None`` for one request. Raises `TooLarge`."""
        if size <= self._limits.service.parts_threshold or not isinstance(self._store, MultipartUploads):
            return None
        return plan_parts(size, self._limits.service.part_size, self._store.part_limits)

    async def begin(
        self,
        principal: Principal,
        *,
        filename: str,
        content_type: str,
        size: int | None = None,
        gallery_id: Id | None = None,
        meta: Meta = NO_META,
        visibility: VisibilityLike = Visibility.PRIVATE,
        policy: str | None = None,
        completes_itself: bool = False,
    ) -> UploadSession:
        """Start an upload in parts that the client cuts as it likes, within the store's limits.

        Raises as `UploadService.create`, and `NotFound` if the store accepts no parts.
        """
        gallery_id = as_id_or_none(gallery_id, "gallery_id")
        self._multipart_store()
        declaration = Declaration(content_type, size, meta=meta, visibility=visibility)
        new = NewUpload(
            declaration, filename, gallery_id, Transport.PARTS, completes_itself=completes_itself, policy=policy
        )
        return await self.open_or_abort(await self._opener.begin(principal, new))

    async def open_or_abort(self, session: UploadSession) -> UploadSession:
        """A session that has just begun, as `told`; it is over if that fails."""
        try:
            return await self.with_upload_request(session)
        except BaseException:
            await self._ender.give_up(session.id)
            raise

    async def with_upload_request(self, session: UploadSession) -> UploadSession:
        """An open session with its first ``part_requests``, if it has a plan. May be repeated."""
        named = await self._ensure_named(session)
        plan = named.part_plan
        first = range(1, min(plan.count if plan else 0, MAX_SIGNED_AT_ONCE) + 1)
        return attrs.evolve(named, part_requests=await self._sign_parts(named, first))

    async def get(self, principal: Principal, session_id: Id, *, key: str | None = None) -> UploadSession:
        """Return the principal's own upload in parts. A client's ``key`` is compared, and never trusted.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        session_id = as_id(session_id, "session_id")
        session = await self._sessions.get(principal, session_id)
        if session.transport is not Transport.PARTS or key not in (None, session.incoming_key):
            raise NotFound.of("upload in parts")
        return session

    async def sign(self, principal: Principal, session_id: Id, numbers: Sequence[int]) -> tuple[SignedPart, ...]:
        """Sign requests for these parts, at most 100. May be repeated, also for a part that has arrived, or was joined.

        Raises as `get`; `InvalidInput` for parts that the upload does not have, what rejected the upload,
        `UploadExpired` or `UploadEnded`; and `QuotaExceeded` if no size was announced and there is no quota left.
        """
        session = await self.get(principal, session_id)
        raise_if_over(session)
        plan = session.part_plan
        check_numbers(numbers, plan.count if plan else self._multipart_store().part_limits.most)
        return await self._sign_parts(session, numbers)

    async def list(self, principal: Principal, session_id: Id) -> Sequence[Part]:
        """Return the parts that have arrived, by number. Joined ones stay, for clients that missed the response.

        A rejected or cancelled upload has none. Raises as `get`.
        """
        session = await self.get(principal, session_id)
        stored = await self._stored(session)
        if stored is not None:
            return stored
        return await self._joined(session) if session.image_id is not None or not session.state.is_ended else ()

    async def complete(
        self, principal: Principal, session_id: Id, claimed: Sequence[ClaimedPart] | None = None
    ) -> Image:
        """Join the parts, check the file and make it an image. May be repeated.

        ``claimed`` are the parts that the client expects. Raises as `UploadService.complete`, and as
        `imagegallery.uploads.session.part_plan.parts_to_join`, after which the upload can continue.
        """
        return await self.complete_session(principal, await self.get(principal, session_id), claimed)

    async def complete_session(
        self, principal: Principal, session: UploadSession, claimed: Sequence[ClaimedPart] | None = None
    ) -> Image:
        """The same for the principal's session, which may be slightly outdated."""
        if not session.state.is_ended:
            await self._join(session, claimed)
        try:
            ended = await self._completion.complete(session)
        except (UploadEnded, UploadExpired):
            # It may have ended while the parts were joined: then the late object is deleted.
            await try_to_delete_objects(self._store, await self.get(principal, session.id))
            raise
        return await self._images.get(principal, ended.future_image_id)

    async def _ensure_named(self, session: UploadSession) -> UploadSession:
        """With the store's name for its parts: one, however many requests ask for it at once."""
        if session.multipart_id is not None:
            return session
        store = self._multipart_store()
        made = await store.create_multipart(session.incoming_key, content_type=session.content_type)
        CREATED.reached()
        # Interrupted, nobody would know whether the row has the name. Then it stays, and a repetition may use it.
        with anyio.CancelScope(shield=True):
            async with self._database.connection() as connection:
                kept = await records.set_multipart(connection, session.id, made, now=self._clock())
        if kept != made:
            await try_to_abort(self._store, attrs.evolve(session, multipart_id=made))
        NAMED.reached()
        return attrs.evolve(session, multipart_id=kept)

    async def _join(self, session: UploadSession, claimed: Sequence[ClaimedPart] | None) -> None:
        """Join the parts to an object, unless an earlier completion has done so."""
        store, plan = self._multipart_store(), session.part_plan
        stored = await self._stored(session)
        if stored is None or session.multipart_id is None:
            return
        parts = parts_to_join(stored, claimed, plan, store.part_limits)
        await self._check_total(session, sum(part.size for part in parts))
        async with self._database.connection() as connection:
            await records.set_joined(connection, session.id, parts, now=self._clock())
        try:
            with suppress(ObjectNotFound):
                await store.complete_multipart(session.incoming_key, session.multipart_id, parts)
            JOINED.reached()
        except PreconditionFailed as error:
            raise PartMismatch("A part was sent again meanwhile; complete once more.") from error

    async def _stored(self, session: UploadSession) -> Sequence[Part] | None:
        """The parts in the store; ``None`` if the store has no such upload."""
        if session.multipart_id is None:
            return None
        with suppress(ObjectNotFound):
            return await self._multipart_store().list_parts(session.incoming_key, session.multipart_id)
        return None

    async def _joined(self, session: UploadSession) -> Sequence[Part]:
        async with self._database.connection() as connection:
            return await records.joined(connection, session.id)

    async def _check_total(self, session: UploadSession, total: int) -> None:
        """Refuse a file of a wrong size before it is joined. Raises `REJECTIONS`."""
        try:
            check_size(session, total)
            self._limits.of(session).check_size(total)
        except REJECTIONS as error:
            await self._completion.reject(session.id, error)
            raise

    async def _sign_parts(self, session: UploadSession, numbers: Sequence[int]) -> tuple[SignedPart, ...]:
        if not numbers:
            return ()
        room = session.part_plan or await self._room(session)
        return tuple([await self._sign_part(session, number, room) for number in numbers])

    async def _sign_part(self, session: UploadSession, number: int, room: PartPlan | int) -> SignedPart:
        """``room``: what each part has, or what all together may have where the client cuts the file."""
        store = self._multipart_store()
        if session.multipart_id is None:
            raise NotFound("This upload has no parts.")
        total = None if isinstance(room, PartPlan) else room
        size = room.length(number) if isinstance(room, PartPlan) else min(room, store.part_limits.largest)
        request = await store.presign_part(
            session.incoming_key, session.multipart_id, number, size=size, expires_at=session.expires_at, total=total
        )
        return SignedPart(number, size, request, session.expires_at)

    async def _room(self, session: UploadSession) -> int:
        """The size that the client announced, otherwise what policy and storage allow, in bytes.

        Raises `QuotaExceeded` if that is nothing, and ends the upload.
        """
        room = await max_upload_size(self._database, session, self._limits, now=self._clock())
        if room == 0:
            full = no_room()
            await self._completion.reject(session.id, full)
            raise full
        return room

    def _multipart_store(self) -> MultipartUploads:
        if not isinstance(self._store, MultipartUploads):
            raise NotFound("This service's store takes no uploads in parts.")
        return self._store
