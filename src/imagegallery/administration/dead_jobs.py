"""Jobs that failed permanently: shown, tried again, or discarded. Checks no principal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.administration.governor import Governor
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry
from imagegallery.clock import Clock
from imagegallery.common.meta import JsonValue
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.pagination import (
    FIRST_ID,
    LAST_MOMENT,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.queue import records
from imagegallery.queue.job import DeadJob

AT_ONCE: Final = 100
"""How many one call for many deals with: each is a statement of its own."""


@frozen
class DealtWith:
    """How many dead letters one call dealt with, and whether there may be more of them."""

    jobs: int
    has_more: bool


@frozen
class DeadJobs:
    """Those of the table ``jobs``, whatever tells workers of them. Every act is audited, in its transaction."""

    database: Database
    clock: Clock

    async def latest(self, limit: int, kind: str | None = None) -> list[DeadJob]:
        """The latest ones, newest first."""
        async with self.database.connection() as connection:
            return await records.dead_page(connection, kind=kind, before=(LAST_MOMENT, FIRST_ID), limit=limit)

    async def page(self, kind: str | None, cursor: str | None, limit: int) -> CursorPage[DeadJob]:
        """A page of them, newest first. Raises `InvalidInput` and `InvalidCursor`."""
        check_limit(limit)
        scope = f"dead:{kind or ''}"
        before = (LAST_MOMENT, FIRST_ID) if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        async with self.database.connection() as connection:
            found = await records.dead_page(connection, kind=kind, before=before, limit=limit + 1)
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.died_at, last.id)))

    async def redrive(self, who: Governor, job_id: UUID) -> None:
        """Give one all its attempts again. Raises `NotFound`."""
        now = self.clock()
        async with self.database.transaction() as connection:
            if not await records.requeue(connection, job_id, now=now):
                raise NotFound("There is no dead letter with this id.")
            await self._note(connection, who, Act.JOB_REDRIVEN, {"job": str(job_id)}, now)

    async def discard(self, who: Governor, job_id: UUID) -> None:
        """Delete one: what it was to do is not done. Raises `NotFound`."""
        async with self.database.transaction() as connection:
            kind = await records.discard(connection, job_id)
            if kind is None:
                raise NotFound("There is no dead letter with this id.")
            await self._note(connection, who, Act.JOB_DISCARDED, {"job": str(job_id), "kind": kind}, self.clock())

    async def redrive_many(self, who: Governor, kind: str | None, until: datetime | None) -> DealtWith:
        """Give up to `AT_ONCE` of the latest ones all their attempts again: of this kind, or of all; that died until
        then."""
        now = self.clock()
        async with self.database.transaction() as connection:
            taken = await records.take_dead(connection, kind=kind, until=until or now, limit=AT_ONCE)
            for job_id in taken:
                await records.requeue(connection, job_id, now=now)
            return await self._dealt_with(connection, who, Act.JOB_REDRIVEN, kind, taken, now)

    async def discard_many(self, who: Governor, kind: str | None, until: datetime | None) -> DealtWith:
        """Delete up to `AT_ONCE` of the latest ones, chosen as by `redrive_many`."""
        now = self.clock()
        async with self.database.transaction() as connection:
            taken = await records.take_dead(connection, kind=kind, until=until or now, limit=AT_ONCE)
            await records.discard_many(connection, taken)
            return await self._dealt_with(connection, who, Act.JOB_DISCARDED, kind, taken, now)

    async def _dealt_with(
        self, connection: Connection, who: Governor, act: Act, kind: str | None, taken: list[UUID], now: datetime
    ) -> DealtWith:
        if taken:
            await self._note(connection, who, act, {"kind": kind, "jobs": len(taken)}, now)
        return DealtWith(len(taken), len(taken) == AT_ONCE)

    async def _note(
        self, connection: Connection, who: Governor, act: Act, details: Mapping[str, JsonValue], now: datetime
    ) -> None:
        await audit.record(
            connection, AuditEntry(act, who.actor, who.grant, None, subject="jobs", details=details), now=now
        )
