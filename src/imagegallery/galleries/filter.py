"""Which galleries of a list to show. Pure."""

from uuid import UUID

from attrs import asdict, field, frozen

from imagegallery.common.meta import Meta
from imagegallery.ids import Id, as_id_or_none
from imagegallery.images.library.filter import chosen_ids, scope_of, wanted_meta


def _contained(image_id: Id | None) -> UUID | None:
    return as_id_or_none(image_id, "contains")


@frozen
class GalleryFilter:
    """All given conditions must hold. The empty filter accepts every gallery. ``ids`` are up to 1,000 galleries;
    ``contains`` is an image, for its owner; ``meta`` is as in `ImageFilter`."""

    ids: tuple[UUID, ...] | None = field(default=None, converter=chosen_ids)
    meta: Meta | None = field(default=None, converter=wanted_meta, hash=False)
    contains: UUID | None = field(default=None, converter=_contained)

    @property
    def is_empty(self) -> bool:
        return self == EVERY_GALLERY

    @property
    def scope(self) -> str:
        """The part of a cursor's scope that identifies the filter."""
        return scope_of(asdict(self))


EVERY_GALLERY = GalleryFilter()
