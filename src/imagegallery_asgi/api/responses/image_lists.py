"""Lists of images, each of its kind, whole or with fields that were asked for."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, Literal

from attrs import fields, frozen
from msgspec import UNSET

from imagegallery_asgi.api.responses.common import CursorPagination, P, PagePagination, T
from imagegallery_asgi.api.responses.images import GalleryImage, ImageDetail, ImageSummary, SizesDocument, TrashedImage


def _choice_of(*kinds: type) -> Callable[[type[T]], type[T]]:
    """Gives a class any of the fields of others: those that are not there do not travel."""

    def make(cls: type[T]) -> type[T]:
        cls.__annotations__ = {each.name: each.type for kind in kinds for each in fields(kind)}
        for name in cls.__annotations__:
            setattr(cls, name, UNSET)
        return frozen(slots=False)(cls)

    return make


@_choice_of(GalleryImage, ImageDetail)
class ImageChoice:
    """What ``fields`` chose of an image."""


@frozen(slots=False)
class Images(Generic[T, P]):
    """A page of images. ``sizes`` is of all of them."""

    data: tuple[T, ...]
    pagination: P
    sizes: SizesDocument


# One list may answer several of these; ``kind`` says which one it is.


@frozen(slots=False)
class LibraryImages(Images[ImageSummary, CursorPagination]):
    """A page of the library."""

    kind: Literal["library"]


@frozen(slots=False)
class TrashedImages(Images[TrashedImage, CursorPagination]):
    """A page of the trash."""

    kind: Literal["trash"]


@frozen(slots=False)
class GalleryImages(Images[GalleryImage, CursorPagination]):
    """A page of a gallery, by cursor."""

    kind: Literal["gallery"]


@frozen(slots=False)
class GalleryImagesPage(Images[GalleryImage, PagePagination]):
    """A page of a gallery, by its number."""

    kind: Literal["gallery_page"]


@frozen(slots=False)
class ChosenImages(Images[ImageChoice, CursorPagination]):
    """What ``fields`` chose of a page of images, by cursor."""

    kind: Literal["chosen"]


@frozen(slots=False)
class ChosenImagesPage(Images[ImageChoice, PagePagination]):
    """What ``fields`` chose of a page of images, by its number."""

    kind: Literal["chosen_page"]


IMAGE_LISTS: Mapping[tuple[type, type], Callable[..., Images[Any, Any]]] = {
    (ImageSummary, CursorPagination): partial(LibraryImages, kind="library"),
    (GalleryImage, CursorPagination): partial(GalleryImages, kind="gallery"),
    (GalleryImage, PagePagination): partial(GalleryImagesPage, kind="gallery_page"),
    (ImageChoice, CursorPagination): partial(ChosenImages, kind="chosen"),
    (ImageChoice, PagePagination): partial(ChosenImagesPage, kind="chosen_page"),
}
