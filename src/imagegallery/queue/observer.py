"""What a worker tells whoever counts and measures it."""

from enum import StrEnum
from typing import Protocol


class JobOutcome(StrEnum):
    """How a claim ended: the job was done, is to be tried again, became a dead letter, was handed back at
    shutdown, or was another worker's by then (or its end could not be written, and it will be)."""

    DONE = "done"
    RETRIED = "retried"
    BURIED = "buried"
    RELEASED = "released"
    LOST = "lost"


class WorkerObserver(Protocol):
    """Called in the event loop, between a job's steps: it must neither block nor raise."""

    def job_started(self, kind: str) -> None: ...

    def job_finished(self, kind: str, outcome: JobOutcome, seconds: float) -> None:
        """``seconds`` from claim to end of this attempt."""


class Unobserved:
    """A `WorkerObserver` that does nothing."""

    def job_started(self, kind: str) -> None:
        pass

    def job_finished(self, kind: str, outcome: JobOutcome, seconds: float) -> None:
        pass
