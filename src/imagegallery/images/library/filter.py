"""Which images of a list to show. Pure. `images.library.filter_sql` has the same in SQL."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

from attrs import asdict, field, frozen

from imagegallery.access.audience import Visibility, VisibilityLike
from imagegallery.common.meta import JsonValue, Meta, check_patch, is_scalar
from imagegallery.common.validation import MAX_BATCH, Faults, as_choice
from imagegallery.ids import Id, as_ids
from imagegallery.images.image.image import ProcessingStatus, ProcessingStatusLike
from imagegallery.images.words.words import MAX_KEY, MAX_RATING, key_of

MAX_MEDIA_TYPE = 100
# A longer scope than this goes into cursors by its digest.
_MAX_SCOPE: Final = 200


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is None else moment.astimezone(UTC)


def chosen_ids(ids: Iterable[Id] | None) -> tuple[UUID, ...] | None:
    """For the field ``ids`` of a filter. Raises `InvalidInput`."""
    return None if ids is None else tuple(as_ids(ids, "ids"))


def _wanted_status(status: ProcessingStatusLike | None) -> ProcessingStatus | None:
    return None if status is None else as_choice(("query", "status"), status, ProcessingStatus)


def _wanted_visibility(visibility: VisibilityLike | None) -> Visibility | None:
    return None if visibility is None else as_choice(("query", "visibility"), visibility, Visibility)


def _wanted_tag(tag: str | None) -> str | None:
    """As tags are compared."""
    return None if tag is None else key_of(tag)


def wanted_meta(meta: Mapping[str, JsonValue] | None) -> Meta | None:
    """For the field ``meta`` of a filter. Raises `InvalidInput`."""
    if meta is None:
        return None
    faults = Faults()
    checked = check_patch(faults, ("query", "meta"), meta)
    for key in (key for key, value in checked.items() if value is None):
        faults.add(("query", "meta", key), "must have a value: nothing is kept by the name of null")
    faults.check()
    return checked


def indexed_key(wanted: Meta | None, indexed: Iterable[str]) -> str | None:
    """The first of the ``indexed`` keys by whose index the ``wanted`` values can be found."""
    return next((key for key in indexed if wanted and key in wanted and is_scalar(wanted[key])), None)


def scope_of(given: Mapping[str, object]) -> str:
    """The part of a cursor's scope that identifies a filter with these fields."""
    told = {name: value for name, value in given.items() if value is not None}
    scope = json.dumps(told, separators=(",", ":"), sort_keys=True, default=str) if told else ""
    return scope if len(scope) <= _MAX_SCOPE else blake2b(scope.encode(), digest_size=32).hexdigest()


@frozen
class ImageFilter:
    """All given conditions must hold. The empty filter accepts every image.

    ``mime_type`` is a whole media type (``image/jpeg``). The range is ``taken_from <= taken_at < taken_before``; both
    have a time zone. ``visibility`` is the images' own. ``ids`` are up to 1,000 images. ``meta`` has the wanted value
    of each key: a list or an object that the image's contains (``{"tags": ["tram"]}`` also finds more tags), and any
    other as it is written, so that 3 finds 3 and ``"3"``. ``tag`` is one of the owner's, in any case of letters;
    ``rating`` is the number of stars, ``rating_from`` the least number.
    """

    is_favorite: bool | None = None
    is_archived: bool | None = None
    mime_type: str | None = None
    taken_from: datetime | None = field(default=None, converter=_in_utc)
    taken_before: datetime | None = field(default=None, converter=_in_utc)
    status: ProcessingStatus | None = field(default=None, converter=_wanted_status)
    visibility: Visibility | None = field(default=None, converter=_wanted_visibility)
    ids: tuple[UUID, ...] | None = field(default=None, converter=chosen_ids)
    meta: Meta | None = field(default=None, converter=wanted_meta, hash=False)
    tag: str | None = field(default=None, converter=_wanted_tag)
    rating: int | None = None
    rating_from: int | None = None

    @property
    def is_empty(self) -> bool:
        return self == NO_FILTER

    @property
    def scope(self) -> str:
        """The part of a cursor's scope that identifies the filter: equal exactly for equal filters."""
        return scope_of(asdict(self))

    @property
    def owner_only(self) -> tuple[str, ...]:
        """The given conditions about the owner's private data, but for ``meta``."""
        return self._given("is_favorite", "is_archived", "visibility", "tag", "rating", "rating_from")

    @property
    def by_file(self) -> tuple[str, ...]:
        """The given conditions about what the images' files say."""
        return self._given("taken_from", "taken_before")

    def _given(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in names if getattr(self, name) is not None)


NO_FILTER = ImageFilter()


def check_filter(faults: Faults, wanted: ImageFilter) -> None:
    """Add the faults of a filter: a bad media type, a time without zone, an empty range, too many ids."""
    if wanted.mime_type is not None:
        faults.line(("query", "mime_type"), wanted.mime_type, MAX_MEDIA_TYPE)
    check_ids(faults, wanted.ids)
    if wanted.tag is not None:
        faults.prose(("query", "tag"), wanted.tag, MAX_KEY)
    for name in ("rating", "rating_from"):
        stars = getattr(wanted, name)
        if stars is not None and not 0 <= stars <= MAX_RATING:
            faults.add(("query", name), f"must be 0 to {MAX_RATING}")
    moments = {"taken_from": wanted.taken_from, "taken_before": wanted.taken_before}
    unzoned = [name for name, moment in moments.items() if moment is not None and moment.tzinfo is None]
    for name in unzoned:
        faults.add(("query", name), "must say its time zone")
    if wanted.taken_from and wanted.taken_before and not unzoned and wanted.taken_from >= wanted.taken_before:
        faults.add(("query", "taken_before"), "must be later than taken_from")


def check_ids(faults: Faults, ids: tuple[UUID, ...] | None) -> None:
    """Add a fault for more of them than a statement takes."""
    if ids is not None and len(ids) > MAX_BATCH:
        faults.add(("query", "ids"), f"must have at most {MAX_BATCH:,} ids")
