"""Adding jobs, in the transaction that makes them necessary."""

from datetime import datetime
from typing import Protocol

from imagegallery.database.connection import Connection
from imagegallery.queue.job import NewJob


class JobOutbox(Protocol):
    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        """Add the job in the caller's transaction: if that commits the job exists and workers are woken, if it
        rolls back there never was a job.

        A waiting job that makes this one superfluous (see `NewJob.dedupe_key`) is held until the transaction
        ends, so that whoever claims it sees what the transaction wrote. A transaction that enqueues several jobs
        with keys does so in the order of their keys; two that differ in order may deadlock.
        """
