"""Which images of a list to show. Pure. `images.library.filter_sql` has the same in SQL."""

import json
from datetime import UTC, datetime

from attrs import asdict, field, frozen

from imagegallery.access.audience import Visibility
from imagegallery.common.validation import Faults
from imagegallery.images.image.image import ProcessingStatus

MAX_MEDIA_TYPE = 100


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is None else moment.astimezone(UTC)


@frozen
class ImageFilter:
    """All given conditions must hold. The empty filter accepts every image.

    ``mime_type`` is a whole media type (``image/jpeg``). The range is ``taken_from <= taken_at < taken_before``; both
    have a time zone. ``visibility`` is the images' own.
    """

    is_favorite: bool | None = None
    is_archived: bool | None = None
    mime_type: str | None = None
    taken_from: datetime | None = field(default=None, converter=_in_utc)
    taken_before: datetime | None = field(default=None, converter=_in_utc)
    status: ProcessingStatus | None = None
    visibility: Visibility | None = None

    @property
    def is_empty(self) -> bool:
        return self == NO_FILTER

    @property
    def scope(self) -> str:
        """The part of a cursor's scope that identifies the filter: equal exactly for equal filters."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(given, separators=(",", ":"), default=datetime.isoformat) if given else ""

    @property
    def owner_only(self) -> tuple[str, ...]:
        """The given conditions about the owner's private data."""
        return tuple(name for name in ("is_favorite", "is_archived", "visibility") if getattr(self, name) is not None)


NO_FILTER = ImageFilter()


def check_filter(faults: Faults, wanted: ImageFilter) -> None:
    """Add the faults of a filter: a bad media type, a time without zone, an empty range."""
    if wanted.mime_type is not None:
        faults.line(("query", "mime_type"), wanted.mime_type, MAX_MEDIA_TYPE)
    moments = {"taken_from": wanted.taken_from, "taken_before": wanted.taken_before}
    unzoned = [name for name, moment in moments.items() if moment is not None and moment.tzinfo is None]
    for name in unzoned:
        faults.add(("query", name), "must say its time zone")
    if wanted.taken_from and wanted.taken_before and not unzoned and wanted.taken_from >= wanted.taken_before:
        faults.add(("query", "taken_before"), "must be later than taken_from")
