"""The library by months, in columns: what a client needs to lay out a grid of any size. Pure.

Months are by UTC, regardless of the camera's or viewer's zone: an image has one month, the same for everybody, and the
months of a library add up to its images.
"""

import re
from datetime import MAXYEAR, UTC, datetime
from uuid import UUID

from attrs import frozen

from imagegallery.errors import Fault, InvalidInput
from imagegallery.pagination import LAST_MOMENT

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@frozen
class MonthCount:
    """The number of images taken in ``month`` (``2024-06``)."""

    month: str
    count: int


@frozen
class MonthColumns:
    """The images of one month, newest first: four columns of equal length.

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


def _first_of_next(year: int, number: int) -> datetime:
    if number < 12:
        return datetime(year, number + 1, 1, tzinfo=UTC)
    return datetime(year + 1, 1, 1, tzinfo=UTC) if year < MAXYEAR else LAST_MOMENT
