"""Make an image's variants, and the analyses of the same pass: jobs that may be restarted at any point.

The first job makes the image usable; the second, of low priority, adds slow formats; the third makes chosen variants
and analyses again (`variants.backfill`). Objects are stored before their rows are written, under keys that only depend
on recipe and original: a repeated job stores the same objects again. The job's claim fences every write to the
database, so that it counts only once. A job added in the same transaction deletes objects that are left over.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.access.decision import is_public
from imagegallery.analyses import records as analysis_records
from imagegallery.analyses.analysis import Analysis, AnalysisResult
from imagegallery.analyses.job import analyse_image
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import BadImage, ChecksumMismatch, Failure, TypeMismatch
from imagegallery.events import records as events
from imagegallery.events.event import DomainEvent
from imagegallery.images.events import ImageFailed, ImageReady
from imagegallery.images.image import original_records
from imagegallery.images.image import records as image_records
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.image.image import Image, OriginalState, ProcessingStatus, Variant
from imagegallery.images.image.original import fetch
from imagegallery.images.image.records import FoundImage
from imagegallery.images.jobs import PROCESS_IMAGE, purge_leftovers
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.imaging.protocol import ImagingEngine, Rendered, Subject
from imagegallery.queue.job import ClaimedJob
from imagegallery.queue.protocol import Ended, JobHandler, JobOutbox, Queue
from imagegallery.storage.keys import content_type_of
from imagegallery.storage.protocol import ObjectStore, TemporaryFiles
from imagegallery.storage.streams import file_chunks
from imagegallery.variants import records
from imagegallery.variants.discard import DiscardObjects
from imagegallery.variants.events import VariantReady
from imagegallery.variants.jobs import (
    DISCARD_OBJECTS,
    PROCESS_LATER,
    RENEW_VARIANTS,
    discard_objects,
    image_of,
    process_later,
    variants_of,
)
from imagegallery.variants.plan import PlannedVariant, Stage, of_stage
from imagegallery.variants.work import (
    Recipes,
    Work,
    dropped,
    missing,
    obsolete,
    superseded,
    verdicts,
    work_for,
    work_on,
)

_log = logging.getLogger(__name__)

GAVE_UP: Final = Failure("processing_gave_up", "Processing did not succeed after several attempts.")
# Pages that were cached, or are open in a browser, still show what they were made with.
SUPERSEDED_GRACE: Final = timedelta(minutes=15)

STARTED = fault_point("processing.started", "the image's row may say that it is being processed, nothing was done")
FETCHED = fault_point("processing.fetched", "the original is here, nothing was made of it")
RENDERED = fault_point("processing.rendered", "the variants are files here, none is stored")
STORED = fault_point("processing.stored", "one more variant is stored, no row names it")
RECORDED = fault_point("processing.recorded", "the variants are on record, and the job is done")
REFUSED = fault_point("processing.refused", "the failure is on record")


@frozen
class Processing:
    """The parts that the jobs work with. ``queue`` is the one that claims them, ``outbox`` adds further ones."""

    database: Database
    store: ObjectStore
    queue: Queue
    outbox: JobOutbox
    engine: ImagingEngine
    scratch: TemporaryFiles
    recipes: Recipes
    delivery: ImageUrls
    clock: Clock

    def handlers(self) -> Mapping[str, JobHandler]:
        """Who does which kind of job, for a worker."""
        return {
            PROCESS_IMAGE: ProcessImage(self),
            PROCESS_LATER: ProcessLaterFormats(self),
            RENEW_VARIANTS: RenewVariants(self),
            DISCARD_OBJECTS: DiscardObjects(self.database, self.store),
        }


@frozen
class RenderResult:
    """Variants whose objects are stored, those in whose place there are to be none; what analyses found."""

    variants: tuple[Variant, ...] = ()
    left_out: tuple[PlannedVariant, ...] = ()
    analyses: tuple[AnalysisResult, ...] = ()


class _MakesVariants:
    """The steps that the jobs have in common."""

    def __init__(self, parts: Processing) -> None:
        self._parts = parts

    async def run(self, job: ClaimedJob) -> Ended:
        """Begin, make what is missing, record it; a picture that cannot be shown is recorded as such."""
        await self._started(job)
        begun = await self._begin(job)
        if begun is None:
            return Ended.COMPLETED
        STARTED.reached()
        try:
            work, made = await self._make(job, *begun)
        except (BadImage, TypeMismatch, ChecksumMismatch) as error:
            await self._refuse(job, _failure(error), may_have_stored=job.attempt > 1, bad=begun[0])
        else:
            await self._record(job, work, made)
        return Ended.COMPLETED

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Say so, without the store: that it is away may be the reason."""
        _log.error("image %s: giving up: %s", job.payload.get("image_id"), error)
        await self._refuse(job, GAVE_UP, may_have_stored=True)

    # --- the steps -----------------------------------------------------------------------------------------

    async def _begin(self, job: ClaimedJob) -> tuple[Image, Mapping[str, int]] | None:
        """The image with the versions of the analyses that it has. ``None``, and the job is done, if it is gone or was
        found bad before (`ImageService.retry` revives it).

        When it is gone, an earlier attempt may have stored objects after the purge had been there.
        """
        async with self._parts.database.connection() as connection:
            found = await analysis_records.image_with_versions(connection, image_of(job.payload))
        if found is not None and found[0].status is not ProcessingStatus.FAILED:
            return found
        async with self._parts.database.transaction() as connection:
            await self._parts.queue.complete_in(connection, job)
            if found is None:
                await self._purge_leftovers(connection, job)
        return None

    async def _make(self, job: ClaimedJob, image: Image, recorded: Mapping[str, int]) -> tuple[Work, RenderResult]:
        """Fetch, verify, render, measure and store what is missing, in one decode."""
        work = self._work(job, image, recorded)
        is_verified = image.original_state is OriginalState.VERIFIED
        if is_verified and work.is_done:
            return work, RenderResult()
        async with self._parts.scratch.directory() as directory:
            original, sha256 = await fetch(image, self._parts.store, directory)
            if not is_verified:
                _check_declared(job, sha256)
                work = self._work(job, await self._seen(image, original, sha256), recorded)
            FETCHED.reached()
            rendered = await self._render(work, original, directory)
            RENDERED.reached()
            _warn_of_lost_frames(work, rendered)
            made = {work.variant(file): file.path for file in rendered.files}
            left_out = work.left_out(tuple(made))
            unkept = {each.fingerprint for each in left_out}
            kept = {variant: path for variant, path in made.items() if variant.fingerprint not in unkept}
            await self._store(kept)
            if not is_verified:
                work = evolve(work, image=evolve(work.image, is_truncated=rendered.is_truncated))
            return work, RenderResult(tuple(kept), left_out, tuple(_result(each, rendered) for each in work.analyses))

    async def _seen(self, image: Image, original: Path, sha256: bytes) -> Image:
        """An image of which only the head was looked at, now that all of it is here."""
        header = await self._parts.engine.inspect(
            original, content_type=image.mime_type, decode=False, owner_id=image.owner_id
        )
        return evolve(
            image,
            width=header.width,
            height=header.height,
            frames=header.frames,
            sha256=sha256,
            original_state=OriginalState.VERIFIED,
        )

    async def _render(self, work: Work, original: Path, directory: Path) -> Rendered:
        """Of analyses of what the file says of itself alone, the header is all that is read."""
        engine, content_type, owner_id = self._parts.engine, work.image.mime_type, work.image.owner_id
        if not work.needs_pixels:
            header = await engine.inspect(original, content_type=content_type, decode=False, owner_id=owner_id)
            return Rendered((), header, {})
        return await engine.render(
            original,
            tuple(planned.rendition for planned in work.missing),
            directory,
            content_type=content_type,
            measurements=[measured for each in work.analyses for measured in each.measurements],
            owner_id=owner_id,
        )

    async def _store(self, files: Mapping[Variant, Path]) -> None:
        for variant, path in files.items():
            content_type = content_type_of(variant.key)
            await self._parts.store.put(variant.key, file_chunks(path), content_type=content_type)
            STORED.reached()

    async def _record(self, job: ClaimedJob, work: Work, made: RenderResult) -> None:
        """One transaction: rows, status, what is to be done next, and word to those who wait."""
        image_id, now = work.image.id, self._parts.clock()
        async with self._parts.database.transaction() as connection:
            await self._parts.queue.complete_in(connection, job)
            found = await self._hold(connection, work, now) and await image_records.get_told(connection, image_id)
            if not found:
                # Deleted meanwhile, perhaps before we stored the last object.
                await self._purge_leftovers(connection, job)
                return
            image = found.image
            await records.put_variants(connection, image_id, made.variants, now=now)
            ready = [VariantReady(image.owner_id, image_id, each.variant_type, each.format) for each in made.variants]
            await events.record(connection, *ready, *self._further_events(found), now=now)
            await self._finished(connection, image, work, now)
            await self._discard(connection, image_id, superseded(image, made.variants), now)
            await self._leave_out(connection, image, work, made, now)
            await analysis_records.put(connection, image, made.analyses, now=now)
        RECORDED.reached()
        size = sum(variant.file_size for variant in made.variants)
        _log.info("image %s: %s done, %d variants, %d bytes", image_id, job.kind, len(made.variants), size)

    async def _refuse(
        self, job: ClaimedJob, failure: Failure, *, may_have_stored: bool, bad: Image | None = None
    ) -> None:
        """Record that there will be no variants; what attempts have stored, if they may have, goes. So does the file of
        an image that is ``bad``, whose job ends with that, and that nobody had looked at before."""
        image_id, now = image_of(job.payload), self._parts.clock()
        is_new = bad is not None and bad.original_state is OriginalState.UNVERIFIED
        async with self._parts.database.transaction() as connection:
            if bad is None:
                await self._parts.queue.fence(connection, job)
            else:
                await self._parts.queue.complete_in(connection, job)
            if bad is not None and is_new:
                await original_records.hold_content(connection, bad.owner_id, bad.file_size)
            found = await records.lock(connection, image_id) and await image_records.get_told(connection, image_id)
            if not found:
                await self._purge_leftovers(connection, job)
                return
            image = found.image
            await self._failed(connection, found, failure, now)
            await image_records.announce(connection, image_id)
            keys = self._work(job, image, {}).missing_keys
            if may_have_stored and keys:
                await self._parts.outbox.enqueue(connection, discard_objects(image_id, keys, now=now), now=now)
            if is_new and await original_records.refuse(connection, image):
                job_to_delete = discard_objects(image_id, [image.original_key], now=now)
                await self._parts.outbox.enqueue(connection, job_to_delete, now=now)
                await image_records.give_back_storage(connection, image.owner_id, image.file_size)
        REFUSED.reached()
        _log.warning("image %s: %s failed: %s", image_id, job.kind, failure.code)

    async def _leave_out(
        self, connection: Connection, image: Image, work: Work, made: RenderResult, now: datetime
    ) -> None:
        unwanted = dropped(image, made.left_out)
        await records.drop_variants(connection, image.id, unwanted)
        await self._discard(connection, image.id, unwanted, now)
        now_true = verdicts(image, work.planned, made.left_out)
        if now_true != image.left_out:
            await records.leave_out(connection, image.id, now_true)

    async def _discard(
        self, connection: Connection, image_id: UUID, variants: Sequence[Variant], now: datetime
    ) -> None:
        if variants:
            keys = [variant.key for variant in variants]
            found = await image_records.get(connection, image_id)
            if found is not None and is_public(found.facts):
                closed = ClosedUrls(self._parts.delivery, self._parts.clock)
                await closed.record(connection, found.image.owner_id, keys)
            job = discard_objects(image_id, keys, now=now, after=SUPERSEDED_GRACE)
            await self._parts.outbox.enqueue(connection, job, now=now)

    async def _purge_leftovers(self, connection: Connection, job: ClaimedJob) -> None:
        """The image is gone: its folder is swept once more."""
        await self._parts.outbox.enqueue(connection, purge_leftovers(job.payload), now=self._parts.clock())

    # --- overridden by the jobs ----------------------------------------------------------------------------

    def _work(self, job: ClaimedJob, image: Image, recorded: Mapping[str, int]) -> Work:
        """``recorded``: the versions of the analyses that the image has."""
        raise NotImplementedError

    def _further_events(self, _found: FoundImage) -> Sequence[DomainEvent]:
        """What is to be known when it is done, besides the variants that were made."""
        return ()

    async def _started(self, job: ClaimedJob) -> None:
        pass

    # Each of these is called inside a fenced transaction.

    async def _hold(self, connection: Connection, work: Work, now: datetime) -> bool:
        return await records.touch(connection, work.image.id, now=now)

    async def _finished(self, connection: Connection, image: Image, work: Work, now: datetime) -> None:
        pass

    async def _failed(self, connection: Connection, found: FoundImage, failure: Failure, now: datetime) -> None:
        """Whatever becomes of a job, the image stays as usable as it is."""


class ProcessImage(_MakesVariants):
    """The job ``image.process``: from ``pending`` over ``processing`` to ``complete`` or ``failed``."""

    def _work(self, _job: ClaimedJob, image: Image, recorded: Mapping[str, int]) -> Work:
        return work_for(image, recorded, Stage.FIRST, self._parts.recipes)

    def _further_events(self, found: FoundImage) -> Sequence[DomainEvent]:
        image = found.image
        return (ImageReady(image.owner_id, image.id, gallery_ids=found.gallery_ids, meta=image.meta),)

    async def _started(self, job: ClaimedJob) -> None:
        async with self._parts.database.transaction() as connection:
            await self._parts.queue.fence(connection, job)
            await records.start(connection, image_of(job.payload), given_up=GAVE_UP.code, now=self._parts.clock())

    async def _hold(self, connection: Connection, work: Work, now: datetime) -> bool:
        return await records.complete(connection, work.image, now=now)

    async def _finished(self, connection: Connection, image: Image, work: Work, now: datetime) -> None:
        unwanted = obsolete(image, work.planned)
        await records.drop_variants(connection, image.id, unwanted)
        await self._discard(connection, image.id, unwanted, now)
        if missing(image, of_stage(work.planned, Stage.LATER)):
            await self._parts.outbox.enqueue(connection, process_later(image), now=now)
        if work.costly_analyses:
            await self._parts.outbox.enqueue(connection, analyse_image(image, work.costly_analyses), now=now)

    async def _failed(self, connection: Connection, found: FoundImage, failure: Failure, now: datetime) -> None:
        image = found.image
        if await records.fail(connection, image.id, failure, now=now):
            failed = ImageFailed(
                image.owner_id,
                image.id,
                failure.code,
                failure.message,
                gallery_ids=found.gallery_ids,
                meta=image.meta,
            )
            await events.record(connection, failed, now=now)


class ProcessLaterFormats(_MakesVariants):
    """The job ``image.process_later``."""

    def _work(self, _job: ClaimedJob, image: Image, recorded: Mapping[str, int]) -> Work:
        return work_for(image, recorded, Stage.LATER, self._parts.recipes)


class RenewVariants(_MakesVariants):
    """The job ``image.renew_variants``: the variants and analyses it names, of both stages, and no other."""

    def _work(self, job: ClaimedJob, image: Image, recorded: Mapping[str, int]) -> Work:
        return work_on(image, recorded, variants_of(job.payload), self._parts.recipes)


def _check_declared(job: ClaimedJob, sha256: bytes) -> None:
    if job.payload.get("sha256") not in (None, sha256.hex()):
        raise ChecksumMismatch("The SHA-256 of the file is not the declared one.")


def _result(analysis: Analysis, rendered: Rendered) -> AnalysisResult:
    """What an analysis found: in the decoder, or of the header."""
    if analysis.name in rendered.measured:
        return AnalysisResult(analysis, rendered.measured[analysis.name])
    header = rendered.header
    subject = Subject(header.width, header.height, exif=header.exif, notes=header.notes)
    return AnalysisResult(analysis, analysis.run(subject))


def _warn_of_lost_frames(work: Work, rendered: Rendered) -> None:
    kept = work.frames_kept(rendered.files)
    if kept < work.image.frames:
        _log.warning("image %s: of the animation's frames %d of %d are shown", work.image.id, kept, work.image.frames)


def _failure(error: BadImage | TypeMismatch | ChecksumMismatch) -> Failure:
    return error.failure if isinstance(error, BadImage) else Failure(error.code, error.message)
