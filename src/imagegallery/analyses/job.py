"""Costly analyses: jobs of a kind of their own, with slots of their own."""

import logging
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from anyio import to_thread
from attrs import evolve, frozen

from imagegallery.analyses import records
from imagegallery.analyses.analysis import Analysis, AnalysisResult, AnalysisState, missing_analyses
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import BadImage, ChecksumMismatch, TypeMismatch
from imagegallery.images.image import membership
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.images.image.original import fetch
from imagegallery.images.jobs import about
from imagegallery.imaging.protocol import ImagingEngine, Rendition, Subject
from imagegallery.queue.job import PRIORITY_IDLE, ClaimedJob, NewJob, Payload
from imagegallery.queue.protocol import Queue
from imagegallery.storage.protocol import ObjectStore, TemporaryFiles

ANALYSE_IMAGE: Final = "image.analyse"

_log = logging.getLogger(__name__)


def analyse_image(image: Image, analyses: Sequence[Analysis]) -> NewJob:
    """Run these analyses, after everything else.

    A transaction with several of these jobs adds them in the order of their images' ids.
    """
    listed = " ".join(sorted(each.name for each in analyses))
    payload: Payload = {**about(image), "analyses": listed}
    key = f"{image.id} {listed}"
    return NewJob(ANALYSE_IMAGE, payload, priority=PRIORITY_IDLE, dedupe_key=key, owner_id=image.owner_id)


@frozen
class AnalyseImage:
    """Runs the analyses that the job names, each on a picture as large as it needs. A `JobHandler`. Results of the
    current version are not computed again."""

    database: Database
    store: ObjectStore
    queue: Queue
    engine: ImagingEngine
    scratch: TemporaryFiles
    analyses: tuple[Analysis, ...]
    clock: Clock

    async def run(self, job: ClaimedJob) -> None:
        async with self.database.connection() as connection:
            found = await records.image_with_versions(connection, _image_of(job))
        if found is None or found[0].status is not ProcessingStatus.COMPLETE:
            return
        image, recorded = found
        wanted = missing_analyses(self._named(job), recorded)
        if not wanted:
            return
        try:
            results = await self._look(image, wanted)
        except (BadImage, TypeMismatch, ChecksumMismatch) as error:
            results = [AnalysisResult(each, error.message, AnalysisState.FAILED) for each in wanted]
        await self._record(job, results)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Record nothing, so that the backfill finds it missing."""
        _log.error("image %s: analyses given up: %s", job.payload.get("image_id"), error)

    def _named(self, job: ClaimedJob) -> list[Analysis]:
        names = str(job.payload["analyses"]).split()
        return [each for each in self.analyses if each.name in names]

    async def _look(self, image: Image, wanted: Sequence[Analysis]) -> list[AnalysisResult]:
        """Decode once for all; each computes in a thread."""
        needs = {each: evolve(each.needs, name=each.name) for each in wanted if isinstance(each.needs, Rendition)}
        async with self.scratch.directory() as directory:
            original, _ = await fetch(image, self.store, directory)
            rendered = await self.engine.render(
                original, tuple(needs.values()), directory, content_type=image.mime_type, owner_id=image.owner_id
            )
            found = []
            for analysis, file in zip(needs, rendered.files, strict=True):
                subject = Subject(image.width, image.height, picture=file.path)
                found.append(AnalysisResult(analysis, await to_thread.run_sync(analysis.run, subject)))
        return found

    async def _record(self, job: ClaimedJob, results: Sequence[AnalysisResult]) -> None:
        async with self.database.transaction() as connection:
            await self.queue.fence(connection, job)
            image = await _held(connection, _image_of(job))
            if image is not None:
                await records.put(connection, image, results, now=self.clock())


async def _held(connection: Connection, image_id: UUID) -> Image | None:
    await membership.lock_image(connection, image_id)
    found = await image_records.get(connection, image_id)
    return found.image if found else None


def _image_of(job: ClaimedJob) -> UUID:
    return UUID(str(job.payload["image_id"]))
