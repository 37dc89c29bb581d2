"""Documents of jobs, for administrators."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery.common.meta import JsonValue
from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class KindCountDocument:
    """The jobs of one kind. ``due_since``: when the first of the waiting ones became due, or will."""

    kind: Annotated[str, example("image.process")]
    waiting: Annotated[int, example(12)]
    running: Annotated[int, example(2)]
    dead: Annotated[int, example(1)]
    due_since: Moment | None


@frozen(slots=False)
class RunningJobDocument:
    """Its ``attempt`` (from 1) since ``claimed_at``. If its worker is gone, another one takes it after
    ``held_until``."""

    id: UUID
    kind: Annotated[str, example("image.process")]
    attempt: Annotated[int, example(1)]
    claimed_at: Moment
    held_until: Moment


@frozen(slots=False)
class JobsDocument:
    """A state with ``counted_to`` jobs has these or more: no more are counted. ``in_progress`` are up to 100 of those
    that run."""

    waiting: Annotated[int, example(12)]
    running: Annotated[int, example(2)]
    dead: Annotated[int, example(1)]
    counted_to: Annotated[int, example(10_000)]
    kinds: tuple[KindCountDocument, ...]
    in_progress: tuple[RunningJobDocument, ...]


@frozen(slots=False)
class DeadJobDocument:
    """A job that is not tried again, and why."""

    id: UUID
    kind: Annotated[str, example("image.process")]
    payload: Annotated[Mapping[str, JsonValue], example({"image_id": "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"})]
    attempts: Annotated[int, example(10)]
    error: Annotated[str, example("Unavailable: the store does not respond")]
    died_at: Moment


@frozen(slots=False)
class DealtWithDocument:
    """``jobs``: how many it was done to. ``has_more``: there may be others, for which to ask again."""

    jobs: Annotated[int, example(37)]
    has_more: Annotated[bool, example(False)]
