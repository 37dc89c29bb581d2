"""What a row knows of its picture, and of its gallery."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import models
from django.utils.asyncio import async_unsafe

from imagegallery.errors import NotFound
from imagegallery.hosts.django.conf import gallery
from imagegallery.hosts.django.urls import root
from imagegallery.images.image.image import Image
from imagegallery.images.presentation.picture import Html, picture
from imagegallery.pagination import MAX_LIMIT, CursorPage
from imagegallery.principal import Principal
from imagegallery.uploads.source import FileSource

LOADED_AT_ONCE = 1_000


class Reference:
    """Something in the gallery that belongs to a row: its ``id``, and its owner.

    It is shown as to its owner: the application decides who sees the row, and so this.
    """

    def __init__(self, reference: UUID, owner: Callable[[], Principal]) -> None:
        self.id = reference
        self._owner = owner

    @property
    def owner(self) -> Principal:
        """Raises `ValueError` if the row does not say whose it is."""
        return self._owner()

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return str(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


class Picture(Reference):
    """The picture of a row: its id, and the image, which is asked for when it is needed."""

    def __init__(self, reference: UUID, owner: Callable[[], Principal]) -> None:
        super().__init__(reference, owner)
        self._image: Image | None = None
        self._is_loaded = False

    @property
    def image(self) -> Image | None:
        """``None`` if it is in the trash, or gone. In an event loop it must have been loaded, see `aload_pictures`:
        otherwise this raises `SynchronousOnlyOperation`, as other reads of Django do."""
        if not self._is_loaded:
            self._load()
        return self._image

    def keep(self, image: Image | None) -> None:
        """Know the image, or that it is gone."""
        self._image, self._is_loaded = image, True

    @async_unsafe("Load pictures by `await aload_pictures(rows)` first, or do this in a thread by sync_to_async.")
    def _load(self) -> None:
        try:
            self.keep(gallery.images.get(self.owner, self.id))
        except NotFound:
            self.keep(None)

    @property
    def url(self) -> str | None:
        """Of the rendering for all browsers; ``None`` until there is one."""
        src = self.image.responsive.src if self.image is not None else None
        return (root() or "") + src if src is not None and src.startswith("/") else src

    def html(self, **options: Any) -> Html:
        """See `imagegallery.picture` for the options. Nothing, if the image is gone."""
        if self.image is None:
            return Html()
        return picture(self.image, **{"root": root() or "", **options})


class RowGallery(Reference):
    """The gallery of a row: its id, and its images, which are asked for each time that it is iterated over."""

    def add(self, file: FileSource, **options: Any) -> Image:
        """Upload an image into it: see `UploadService.add`."""
        return gallery.uploads.add(self.owner, file, gallery_id=self.id, **options)

    def page(self, **options: Any) -> CursorPage[Image]:
        """Some of its images: see `GalleryService.list_images`."""
        return gallery.galleries.list_images(self.owner, self.id, **options)

    def __iter__(self) -> Iterator[Image]:
        cursor: str | None = None
        while True:
            page = self.page(cursor=cursor, limit=MAX_LIMIT)
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return


def load_pictures(rows: Iterable[models.Model]) -> None:
    """Load the images of all pictures of these rows, which a page is about to show: a statement for each owner, and
    each 1,000 of that owner's.

    Raises:
        ValueError: If a row does not say whose its picture is.
    """
    asked: dict[Principal, dict[UUID, list[Picture]]] = {}
    for each in _pictures_of(rows):
        asked.setdefault(each.owner, {}).setdefault(each.id, []).append(each)
    for owner, by_id in asked.items():
        waiting = iter(by_id.items())
        while some := dict(islice(waiting, LOADED_AT_ONCE)):
            found = gallery.images.get_many(owner, [*some])
            for image_id, pictures in some.items():
                for each in pictures:
                    each.keep(found.get(image_id))


aload_pictures = sync_to_async(load_pictures)
"""`load_pictures` for an event loop: ``await aload_pictures(rows)``."""


def _pictures_of(rows: Iterable[models.Model]) -> Iterator[Picture]:
    for row in rows:
        for field in row._meta.concrete_fields:
            if field.attname in row.__dict__ and isinstance(value := getattr(row, field.attname), Picture):
                yield value
