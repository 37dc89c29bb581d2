"""The jobs of the service, for administrators: how many there are, and those that failed permanently."""

from uuid import UUID

from attrs import asdict

from imagegallery import NotFound, Permission, Role
from imagegallery_asgi.api.documents import cursor_pagination, document
from imagegallery_asgi.api.requests import ChooseDeadJobs, DeadJobsQuery
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.jobs import (
    DeadJobDocument,
    DealtWithDocument,
    JobsDocument,
    KindCountDocument,
    RunningJobDocument,
)
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation("GET", "/admin/jobs", "How many jobs there are, and which run", permission=Permission.NONE, role=Role.ADMIN)
async def get_jobs(call: Call) -> One[JobsDocument]:
    counts = await call.gallery.administration.jobs.counts(call.principal)
    running = await call.gallery.administration.jobs.running(call.principal)
    return One(
        document(
            JobsDocument,
            counts,
            kinds=tuple(document(KindCountDocument, each) for each in counts.kinds),
            in_progress=tuple(document(RunningJobDocument, each) for each in running),
        )
    )


@operation(
    "GET",
    "/admin/jobs/dead",
    "Jobs that failed permanently, each with its error, latest first",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def list_dead_jobs(call: Call, query: DeadJobsQuery) -> CursorList[DeadJobDocument]:
    page = await call.gallery.administration.jobs.dead(call.principal, **asdict(query))
    shown = page.map(lambda each: document(DeadJobDocument, each))
    return CursorList(shown.items, cursor_pagination(page))


@operation(
    "POST",
    "/admin/jobs/dead/redrive",
    "Try many jobs again that failed permanently",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def redrive_jobs(call: Call, body: ChooseDeadJobs) -> One[DealtWithDocument]:
    """Up to 100 of the latest at once: ask again while it `has_more`, with the same `until`."""
    done = await call.gallery.administration.jobs.redrive_many(call.principal, kind=body.kind, until=body.until)
    return One(document(DealtWithDocument, done))


@operation(
    "POST",
    "/admin/jobs/dead/discard",
    "Delete many jobs that failed permanently",
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def discard_jobs(call: Call, body: ChooseDeadJobs) -> One[DealtWithDocument]:
    """Up to 100 of the latest at once: ask again while it `has_more`, with the same `until`. What they were to do is
    not done."""
    done = await call.gallery.administration.jobs.discard_many(call.principal, kind=body.kind, until=body.until)
    return One(document(DealtWithDocument, done))


@operation(
    "POST",
    "/admin/jobs/dead/{job_id}/redrive",
    "Try a job again that failed permanently",
    raises=(NotFound,),
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def redrive_job(call: Call, job_id: UUID) -> None:
    """It gets all its attempts again: mend the cause first."""
    await call.gallery.administration.jobs.redrive(call.principal, job_id)


@operation(
    "DELETE",
    "/admin/jobs/dead/{job_id}",
    "Delete a job that failed permanently",
    raises=(NotFound,),
    permission=Permission.NONE,
    role=Role.ADMIN,
)
async def discard_job(call: Call, job_id: UUID) -> None:
    """What it was to do is not done."""
    await call.gallery.administration.jobs.discard(call.principal, job_id)
