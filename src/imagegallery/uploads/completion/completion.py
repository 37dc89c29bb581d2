"""From bytes under ``incoming/`` to an image, at most once, despite interruptions, repetitions and concurrency.

The object is moved while the session's row is locked. So nothing else can end the session and delete the object in
between, concurrent completions move it one after the other, and a crash after the move leaves an open session whose
object the next completion, or the sweeper, finds by the key in the row. `imagegallery.uploads.completion.duplicates`
decides about bytes that the owner has already.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.analyses import records as analysis_records
from imagegallery.analyses.analysis import AnalysisResult
from imagegallery.analyses.metadata import METADATA
from imagegallery.analyses.words import WORDS
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.contributions.contribution import Contribution
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import ImageGalleryError, NotFound, ObjectNotFound, PreconditionFailed, UploadIncomplete
from imagegallery.events import records as events
from imagegallery.images.admission import Admission
from imagegallery.images.events import ImageUploaded
from imagegallery.images.image import original_records
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image, OriginalState, ProcessingStatus
from imagegallery.images.image.membership import HeldGallery
from imagegallery.images.jobs import process_image
from imagegallery.images.metadata.metadata import taken, to_json
from imagegallery.images.words import records as tag_records
from imagegallery.images.words.words import distinct
from imagegallery.imaging.protocol import Removal
from imagegallery.queue.protocol import JobOutbox
from imagegallery.storage.protocol import ObjectInfo, ObjectStore
from imagegallery.uploads.completion.acceptance import Acceptance
from imagegallery.uploads.completion.contributions import contributed, note_contribution
from imagegallery.uploads.completion.duplicates import (
    PlacedOriginal,
    SameSize,
    existing_image,
    find_original,
    place,
    place_original,
    return_existing,
)
from imagegallery.uploads.completion.kept_copies import KeptCopies
from imagegallery.uploads.completion.verification import Verification, VerifiedUpload
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import try_to_delete_arrived, try_to_delete_objects
from imagegallery.uploads.session.found_picture import StagedFile
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.opener import check_room, stored_filename
from imagegallery.uploads.session.policy import OnDuplicate
from imagegallery.uploads.session.rejection import VERDICTS, Rejection
from imagegallery.uploads.session.session import UploadEvent, UploadSession, UploadState, advance, raise_if_over

_ATTEMPTS = 3

VERIFIED = fault_point("completion.verified", "the bytes were found to be good, and are where they arrived")
PROMOTED = fault_point("completion.promoted", "the object has its final key, no row says so")
MOVED = fault_point("stage.moved", "the staged file is where its image's original will be, no row says so")
STAGED = fault_point("stage.staged", "the file is staged, the application has not heard of it")
COMMITTED = fault_point("completion.committed", "the image is in, its client has not heard of it")
DUPLICATE = fault_point("completion.duplicate", "the upload ended with bytes that were there, its own are left over")
REJECTED = fault_point("completion.rejected", "the refusal is on record, what was refused is still there")


@frozen
class Completion:
    """Completes one session at a time; `reject` ends one permanently."""

    database: Database
    store: ObjectStore
    outbox: JobOutbox
    verification: Verification
    limits: UploadLimits
    admission: Admission
    clock: Clock
    copies: KeptCopies

    async def complete(self, session: UploadSession) -> UploadSession:
        """Return the session as it ended with its image, now or earlier. ``session`` may be slightly outdated.

        Raises what rejected it, `UploadIncomplete` before the bytes are there, `UploadEnded` or `UploadExpired`.
        """
        await self.limits.renew()
        moved, current = False, session.at(self.clock())
        for _ in range(_ATTEMPTS):
            if _is_completed(current):
                return current
            try:
                return await self._attempt(current, moved=moved)
            except ObjectNotFound:
                pass
            except PreconditionFailed:
                # Other bytes replaced those that an interrupted completion had checked and moved.
                moved = True
            current = await self._load(session.id)
        raise UploadIncomplete("The file has not arrived yet.")

    async def stage(self, session: UploadSession) -> UploadSession:
        """Check the file of a session, and put it where its image's original will be: to attach it is to write rows.

        Raises what rejected it, `UploadEnded` or `UploadExpired`.
        """
        await self.limits.renew()
        removal = self.limits.removal(session)
        try:
            verified = await self.verification.verify(session, [session.incoming_key], needs_all=removal is not None)
            verified = await self.verification.with_sha256(session, verified)
            verified = await self._judge(session, verified)
            async with self._kept(session, verified, removal) as kept:
                return await self._stage(await self._as_found(session, kept), kept)
        except VERDICTS as error:
            await self.reject(session.id, error)
            raise

    async def _stage(self, session: UploadSession, verified: VerifiedUpload) -> UploadSession:
        async with self.database.transaction() as connection:
            current = await records.lock(connection, session.id)
            state = advance(current.at(self.clock()).state, UploadEvent.ARRIVE)
            placed = await place(self.store, session, verified, session.original_key)
            MOVED.reached()
            file = StagedFile(placed.etag, verified.is_whole, verified.picture, verified.arrived)
            staged = attrs.evolve(session, state=state, size=placed.size, received_sha256=verified.sha256, staged=file)
            await records.stage(connection, staged, now=self.clock())
        STAGED.reached()
        if verified.copy is not None:
            await try_to_delete_arrived(self.store, staged)
        return staged

    async def attach(self, connection: Connection, session: UploadSession, staged: StagedFile) -> UploadSession:
        """Make a locked, staged session an image, in a transaction that may be the application's. Return it as it
        ended. Objects stay where they are: the sweeper deletes the staged one if the owner has the same bytes."""
        now = self.clock()
        advance(session.at(now).state, UploadEvent.COMPLETE)
        lies_at = ObjectInfo(session.original_key, session.size or 0, staged.etag, session.updated_at)
        verified = VerifiedUpload(
            lies_at, session.received_sha256, session.file_type, staged.picture, staged.is_whole, arrived=staged.arrived
        )
        unread: set[str] = set()
        while True:
            try:
                return await self._write(connection, session, verified, unread)
            except SameSize as found:  # to read that file would keep the application waiting
                unread.add(found.original.key)

    async def reject(self, session_id: UUID, error: ImageGalleryError) -> UploadSession:
        """End the session because of ``error`` and delete its objects, unless it has ended. Returns the ended
        session."""
        rejection = Rejection.of(error)
        async with self.database.transaction() as connection:
            current = await records.lock(connection, session_id)
            if current.state.is_ended:
                return current
            state = advance(current.state, UploadEvent.REJECT)
            await records.update(connection, session_id, state, rejection=rejection, now=self.clock())
        REJECTED.reached()
        rejected = attrs.evolve(current, state=state, rejection=rejection)
        await try_to_delete_objects(self.store, rejected)
        return rejected

    async def _load(self, session_id: UUID) -> UploadSession:
        async with self.database.connection() as connection:
            session = await records.get(connection, session_id)
        if session is None:
            raise NotFound.of("upload")
        return session.at(self.clock())

    async def _attempt(self, session: UploadSession, *, moved: bool) -> UploadSession:
        removal = self.limits.removal(session)
        try:
            verified = await self.verification.verify(
                session, _places(session, moved=moved), needs_all=removal is not None
            )
            VERIFIED.reached()
            verified = await self._judge(session, verified)
            async with self._kept(session, verified, removal) as kept:
                return await self._commit_known(await self._as_found(session, kept), kept)
        except VERDICTS as error:
            ended = await self.reject(session.id, error)
            if ended.image_id is None:
                raise
            return ended

    async def _judge(self, session: UploadSession, verified: VerifiedUpload) -> VerifiedUpload:
        """What is known of the file, if it may become an image now: what may has perhaps changed since it was begun."""
        self.limits.of(session).check_found(verified.content_type, verified.info.size)
        if session.policy is None:
            return verified
        return await Acceptance(self.limits, self.verification).judge(session, session.policy, verified)

    def _kept(
        self, session: UploadSession, verified: VerifiedUpload, removal: Removal | None
    ) -> AbstractAsyncContextManager[VerifiedUpload]:
        return nullcontext(verified) if removal is None else self.copies.kept(session, verified, removal)

    async def _as_found(self, session: UploadSession, verified: VerifiedUpload) -> UploadSession:
        """Record what the session's file is, and what its copy is without, before an object comes to the place that
        depends on both."""
        found_type, arrived, now = verified.content_type, verified.arrived, self.clock()
        if found_type != session.file_type:
            async with self.database.connection() as connection:
                await records.set_found_type(connection, session.id, found_type, now=now)
            session = attrs.evolve(session, found_type=found_type)
        if arrived is not None and session.removed_metadata is None:
            async with self.database.connection() as connection:
                await records.set_removed_metadata(connection, session.id, arrived.removal, now=now)
            session = attrs.evolve(session, removed_metadata=arrived.removal)
        return session

    async def _commit_known(self, session: UploadSession, verified: VerifiedUpload) -> UploadSession:
        """`_commit`, once it is known whether the owner has a file of the same size that is the same."""
        lost: set[str] = set()
        while True:
            try:
                return await self._commit(session, verified, lost)
            except SameSize as found:
                verified = await self.verification.with_sha256(session, verified)
                if found.original.sha256 is None and not await self._learn(found.original.key):
                    lost.add(found.original.key)

    async def _learn(self, original_key: str) -> bool:
        """Note what a file holds that no job has read yet; false if there is none."""
        try:
            sha256 = await self.verification.sha256_of(original_key)
        except ObjectNotFound:
            return False
        async with self.database.connection() as connection:
            await original_records.set_sha256(connection, original_key, sha256)
        return True

    async def _commit(self, session: UploadSession, verified: VerifiedUpload, lost: Collection[str]) -> UploadSession:
        async with self.database.transaction() as connection:
            current = await records.lock(connection, session.id)
            if _is_completed(current):
                return current
            advance(advance(current.state, UploadEvent.ARRIVE), UploadEvent.COMPLETE)
            ended = await self._write(connection, session, verified, lost)
        COMMITTED.reached()
        if ended.is_duplicate or verified.copy is not None or verified.info.key != session.incoming_key:
            DUPLICATE.reached()
            await try_to_delete_objects(self.store, ended)
        return ended

    async def _write(
        self, connection: Connection, session: UploadSession, verified: VerifiedUpload, lost: Collection[str]
    ) -> UploadSession:
        """Write that the locked session has become an image, and what its owner stores by that."""
        size = verified.info.size
        await original_records.hold_content(connection, session.owner_id, size)
        ended = await self._end(connection, session, verified, lost)
        stored = 0 if ended.is_duplicate else size
        came = verified.arrived
        use = await records.complete(
            connection,
            ended,
            size=size if came is None else came.size,
            sha256=None if came is None else came.sha256,
            stored=stored,
            now=self.clock(),
        )
        if stored and session.sender is None:
            self.limits.service.check_storage(*use)
        elif stored:
            check_room(self.limits.service, *use)
        return ended

    async def _end(
        self, connection: Connection, session: UploadSession, verified: VerifiedUpload, lost: Collection[str]
    ) -> UploadSession:
        """Return the completed session, with an existing image if that is wanted, or with a new one."""
        now = self.clock()
        added = None
        if session.sender is not None:
            size = verified.info.size
            added = await contributed(connection, self.limits, session, session.sender, size, now=now)
        if session.gallery_id is not None and not (added and added.is_pending):
            await self.admission.hold(connection, session.policy, session.owner_id, session.gallery_id)
        original = await find_original(connection, session.owner_id, verified, lost)
        if added is None:  # others learn nothing of what the owner has
            wanted = session.on_duplicate or self.limits.of(session).on_duplicate
            sha256 = original.sha256 if original else None
            existing = await existing_image(connection, session.owner_id, sha256, wanted)
            if existing is not None:
                return await return_existing(connection, self.admission, session, existing, now=now)
        placed = await place_original(self.store, session, original, verified)
        PROMOTED.reached()
        await self._write_image(connection, session, verified, placed, added, now)
        return attrs.evolve(session, state=UploadState.COMPLETED, is_duplicate=placed.key != session.original_key)

    async def _write_image(
        self,
        connection: Connection,
        session: UploadSession,
        verified: VerifiedUpload,
        placed: PlacedOriginal,
        added: Contribution | None,
        now: datetime,
    ) -> None:
        """Write the image, its place in the gallery, the events and the job, in the lock order of `membership`."""
        policy = self.limits.policies.get(session.policy)
        image = new_image(session, verified, placed.key, policy.visibility or session.visibility, now)
        if added is not None:
            image = attrs.evolve(image, added_by=added.added_by, is_pending=added.is_pending)
        await image_records.insert_image(connection, image)
        if verified.is_whole and image.metadata is not None:
            told = AnalysisResult(METADATA, to_json(image.metadata))
            said = AnalysisResult(WORDS, verified.picture.words.to_json())
            await analysis_records.put(connection, image, [told, said], now=now, write=False)
        if session.on_duplicate is OnDuplicate.KEEP_BOTH and added is None and not placed.is_new:
            await original_records.keep_beside_copies(connection, image.id)
        gallery = None if image.is_pending else await self._add_to_gallery(connection, session, image)
        galleries = () if gallery is None else (gallery,)
        if image.tags:
            await tag_records.add(connection, image.owner_id, [image.id], distinct(image.tags), now=now)
        if added is not None:
            await note_contribution(connection, added, now=now)
        uploaded = ImageUploaded(
            image.owner_id,
            image.id,
            gallery.id if gallery else None,
            gallery_ids=[each.id for each in galleries],
            meta=image.meta,
        )
        if not image.is_pending:
            await events.record(connection, *(each.changed("images") for each in galleries), uploaded, now=now)
        declared = session.sha256 if verified.sha256 is None else None
        await self.outbox.enqueue(connection, process_image(image, declared=declared), now=now)

    async def _add_to_gallery(self, connection: Connection, session: UploadSession, image: Image) -> HeldGallery | None:
        """Add the image, unless the gallery was deleted since the upload began: then return ``None``."""
        if session.gallery_id is None:
            return None
        try:
            return await self.admission.add_new(connection, session.gallery_id, image)
        except NotFound:
            return None


def _is_completed(session: UploadSession) -> bool:
    """Whether the upload has become an image. Raises if it ended in any other way."""
    raise_if_over(session)
    return session.state is UploadState.COMPLETED


def _places(session: UploadSession, *, moved: bool) -> Sequence[str]:
    """Where the bytes may be, most likely first."""
    places = (session.incoming_key, session.original_key)
    return places[::-1] if moved and session.removed_metadata is None else places


def new_image(
    session: UploadSession, verified: VerifiedUpload, original_key: str, visibility: Visibility, now: datetime
) -> Image:
    """The image of a verified upload, waiting to be processed."""
    picture, metadata = verified.picture, verified.picture.metadata
    words = picture.words if session.sender is None else picture.words.by_others()
    taken_at, taken_at_source = taken(metadata, session.filename, now)
    return Image(
        id=session.future_image_id,
        owner_id=session.owner_id,
        original_key=original_key,
        key_prefix=session.key_prefix,
        filename=_filename(session, verified.content_type),
        mime_type=verified.content_type,
        width=picture.width,
        height=picture.height,
        frames=picture.frames,
        is_truncated=picture.is_truncated,
        file_size=verified.info.size,
        sha256=verified.sha256,
        alt_text="",
        blurhash=None,
        metadata=metadata,
        taken_at=taken_at,
        taken_at_source=taken_at_source,
        latitude=metadata.latitude,
        longitude=metadata.longitude,
        status=ProcessingStatus.PENDING,
        failure=None,
        is_favorite=False,
        is_archived=False,
        meta=session.meta,
        visibility=visibility,
        original_state=OriginalState.VERIFIED if verified.is_whole else OriginalState.UNVERIFIED,
        created_at=now,
        updated_at=now,
        policy=session.policy,
        removed_metadata=None if verified.arrived is None else verified.arrived.removal,
        tags=words.tags,
        title=words.title,
        description=words.description,
        rating=words.rating,
        people=words.people,
    )


def _filename(session: UploadSession, content_type: str) -> str:
    """The file's name. If we made it up, it gets the extension of the actual type."""
    made_up = session.filename == stored_filename(None, session.content_type)
    return stored_filename(None, content_type) if made_up else session.filename
