"""An image without what somebody is not shown of it. Pure.

An image whose metadata are hidden looks like one whose file says nothing: it is called by its id, and was made when it
was uploaded. Title and description are captions: all that see the picture read what its owner wrote, and what
its file says if that is shown. Tags and ratings are the owner's alone; who is in it is shown where its place is.
Lists in its order, and filters, must not tell what this hides.
"""

from collections.abc import Sequence
from typing import Final

from attrs import evolve

from imagegallery.access.disclosure import Disclosure, MetaOptions
from imagegallery.images.image.image import Image
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.storage.keys import EXTENSIONS

# Orders of lists by what a file said.
_ORDERS_BY_FILE: Final = frozenset({"taken_at", "filename"})


def disclosed(image: Image, shown: Disclosure) -> Image:
    """The image without what is hidden. What only its owner keeps there, documents leave out."""
    if shown.is_owners:
        return image
    if shown.has_place:
        return evolve(image, tags=(), rating=None)
    if not shown.has_file:
        return evolve(
            image,
            filename=f"{image.id}.{EXTENSIONS.get(image.mime_type, 'bin')}",
            title=image.title if "title" in image.own_words else "",
            description=image.description if "description" in image.own_words else "",
            taken_at=image.created_at,
            taken_at_source=TakenAtSource.UPLOAD,
            updated_at=image.created_at,
            metadata=None,
            latitude=None,
            longitude=None,
            tags=(),
            rating=None,
            people=(),
        )
    return evolve(
        image,
        metadata=image.metadata and image.metadata.without_place(),
        latitude=None,
        longitude=None,
        tags=(),
        rating=None,
        people=(),
    )


def hidden_conditions(where: ImageFilter, order: str, shown: Disclosure, meta: MetaOptions) -> Sequence[str]:
    """The names of the given parameters of a list that could be used to find out what is hidden."""
    conditions = () if shown.is_owners else where.owner_only
    by_file = () if shown.has_file else (*where.by_file, *(("order",) if order in _ORDERS_BY_FILE else ()))
    return (*conditions, *by_file, *(f"meta.{key}" for key in meta.hidden(where.meta or (), shown)))
