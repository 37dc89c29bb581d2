"""The jobs of the service, for administrators. Access is checked here, by principal."""

from datetime import datetime
from typing import Final

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.administration.dead_jobs import DeadJobs, DealtWith
from imagegallery.administration.governor import Governor
from imagegallery.database.pool import Database
from imagegallery.ids import Id, as_id
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage
from imagegallery.principal import Principal
from imagegallery.queue import records
from imagegallery.queue.job import DeadJob, JobCounts, RunningJob

MOST_RUNNING: Final = 100


class JobService:
    """For users with the role of an administrator: everybody else is refused.

    It has the jobs of the database. An application with a queue of its own has its own means for them.
    """

    def __init__(self, database: Database, letters: DeadJobs, authority: Authority) -> None:
        self._database = database
        self._letters = letters
        self._authority = authority

    async def counts(self, principal: Principal) -> JobCounts:
        """Count the jobs by kind and state; of one state at most `JobCounts.counted_to`.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        await self._governor(Permission.VIEW, principal)
        async with self._database.connection() as connection:
            return await records.counts(connection)

    async def running(self, principal: Principal) -> list[RunningJob]:
        """Return what workers do now, at most 100, those first whose claim ends first.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        await self._governor(Permission.VIEW, principal)
        async with self._database.connection() as connection:
            return await records.running(connection, limit=MOST_RUNNING)

    async def dead(
        self, principal: Principal, *, kind: str | None = None, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[DeadJob]:
        """List jobs that failed permanently, latest first, each with its error.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        await self._governor(Permission.VIEW, principal)
        return await self._letters.page(kind, cursor, limit)

    async def redrive(self, principal: Principal, job_id: Id) -> None:
        """Give a job that failed permanently all its attempts again, after its cause was mended.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            NotFound: If no dead job has this id.
        """
        governor = await self._governor(Permission.EDIT, principal)
        await self._letters.redrive(governor, as_id(job_id, "job_id"))

    async def discard(self, principal: Principal, job_id: Id) -> None:
        """Delete a job that failed permanently: what it was to do is not done.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            NotFound: If no dead job has this id.
        """
        governor = await self._governor(Permission.DELETE, principal)
        await self._letters.discard(governor, as_id(job_id, "job_id"))

    async def redrive_many(
        self, principal: Principal, *, kind: str | None = None, until: datetime | None = None
    ) -> DealtWith:
        """Give up to 100 of the latest jobs that failed permanently all their attempts again.

        Args:
            kind: Only of this kind.
            until: Only those that died until then: so that what fails again meanwhile is not tried without end by who
                repeats this while there are more.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        return await self._letters.redrive_many(await self._governor(Permission.EDIT, principal), kind, until)

    async def discard_many(
        self, principal: Principal, *, kind: str | None = None, until: datetime | None = None
    ) -> DealtWith:
        """Delete up to 100 of the latest jobs that failed permanently, chosen as by `redrive_many`.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        return await self._letters.discard_many(await self._governor(Permission.DELETE, principal), kind, until)

    async def _governor(self, needed: Permission, principal: Principal) -> Governor:
        governor = Governor.of(principal)
        await self._authority.confirm(needed, principal, AccessSubject("jobs", None))
        return governor
