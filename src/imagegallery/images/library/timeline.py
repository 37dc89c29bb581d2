"""The library by months, in columns: what a client needs to lay out a grid of any size. Pure.

Months are by UTC, regardless of the camera's or viewer's zone: an image has one month, the same for everybody, and the
months of a library add up to its images.
"""

import re
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.errors import Fault, InvalidInput
from imagegallery.pagination import FIRST_ID, LAST_MOMENT

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


MAX_PART_SIZE: Final = 10_000


@frozen
class PlaceInTime:
    """The place of an image in the order of times, latest first."""

    taken_at: datetime
    image_id: UUID


@frozen
class TimeRange:
    """The places from ``start`` on that come before ``end``."""

    start: PlaceInTime
    end: PlaceInTime


@frozen
class MonthPart:
    """Some ``count`` images of a month, which `LibraryService.month` returns for this ``cursor``."""

    cursor: str
    count: int


@frozen
class MonthCount:
    """The number of images taken in ``month`` (``2024-06``), and the parts of it, if it has more than one."""

    month: str
    count: int
    parts: tuple[MonthPart, ...] = ()


@frozen
class CutMonth:
    """A month in parts of these ``counts``; ``starts`` are the first images of all parts but the first."""

    month: str
    counts: tuple[int, ...]
    starts: tuple[PlaceInTime, ...] = ()


@frozen
class MonthColumns:
    """The images of one month, or of a part of it, newest first: four columns of equal length.

    ``ratios`` are width divided by height, to four decimals. An image in processing has no BlurHash.
    """

    month: str
    ids: tuple[UUID, ...]
    ratios: tuple[float, ...]
    blurhashes: tuple[str | None, ...]
    taken_at: tuple[datetime, ...]


def month_of(moment: datetime) -> str:
    """The month, by UTC, of a moment."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04}-{moment.month:02}"


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """The first moment of a month (``2024-06``), and of the next. Raises `InvalidInput`."""
    match = _MONTH.fullmatch(month)
    if match is None or match[1] == "0000":
        message = "must be a month such as 2024-06"
        raise InvalidInput(f"The month {message}.", [Fault(("path", "month"), message)])
    year, number = int(match[1]), int(match[2])
    return datetime(year, number, 1, tzinfo=UTC), _first_of_next(year, number)


def check_part_size(part_size: int) -> None:
    """Raises `InvalidInput` unless it is 1 to 10,000."""
    if not 1 <= part_size <= MAX_PART_SIZE:
        message = f"must be 1 to {MAX_PART_SIZE:,}"
        raise InvalidInput(f"The part size {message}.", [Fault(("query", "part_size"), message)])


def whole_month(month: str) -> TimeRange:
    """Of all its images. Raises `InvalidInput`."""
    first, before = month_bounds(month)
    return TimeRange(PlaceInTime(before, FIRST_ID), PlaceInTime(first, FIRST_ID))


def cut_month(month: str, first: int, count: int, cuts: Sequence[tuple[int, PlaceInTime]], size: int) -> CutMonth:
    """The month whose images are numbered from ``first`` on, cut before those of these numbers if it has more than
    ``size``."""
    inside = [(number, place) for number, place in cuts if number > first] if count > size else []
    bounds = (first, *(number for number, _ in inside), first + count)
    return CutMonth(month, tuple(end - start for start, end in pairwise(bounds)), tuple(place for _, place in inside))


def ranges(whole: TimeRange, starts: Sequence[PlaceInTime]) -> tuple[TimeRange, ...]:
    """The range cut before each of these places.

    The first part begins and the last one ends with the whole, so that what comes later is in one of them.
    """
    return tuple(TimeRange(*each) for each in pairwise((whole.start, *starts, whole.end)))


def _first_of_next(year: int, number: int) -> datetime:
    if number < 12:
        return datetime(year, number + 1, 1, tzinfo=UTC)
    return datetime(year + 1, 1, 1, tzinfo=UTC) if year < MAXYEAR else LAST_MOMENT
