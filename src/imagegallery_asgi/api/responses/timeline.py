"""Documents of the library by months."""

from typing import Annotated
from uuid import UUID

from attrs import frozen

from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class MonthPartDocument:
    """A part of a month: ``cursor`` reads it."""

    cursor: Annotated[str, example("eyJ2IjoxfQ.9f2c41d0")]
    count: Annotated[int, example(42)]


@frozen(slots=False)
class MonthCountDocument:
    """``parts``, latest first, are of a month with more images than ``part_size``."""

    month: Annotated[str, example("2026-06")]
    count: Annotated[int, example(42)]
    parts: Annotated[tuple[MonthPartDocument, ...], example(())]


@frozen(slots=False)
class TimelineDocument:
    """The months (of UTC) in which images were taken, latest first."""

    months: tuple[MonthCountDocument, ...]


@frozen(slots=False)
class MonthDocument:
    """The images of a month, or of a part of it, newest first, in columns of equal length: ``ratio`` is width by
    height."""

    month: Annotated[str, example("2026-06")]
    id: tuple[UUID, ...]
    ratio: Annotated[tuple[float, ...], example((1.3333,))]
    blurhash: Annotated[tuple[str | None, ...], example(("LEHV6nWB2yk8pyo0adR*.7kCMdnj",))]
    taken_at: tuple[Moment, ...]
