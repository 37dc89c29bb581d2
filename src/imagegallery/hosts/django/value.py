"""What a row knows of its picture."""

from collections.abc import Callable, Iterable, Iterator
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
from imagegallery.principal import Principal


class Picture:
    """The picture of a row: its id, and the image, which is asked for when it is needed.

    It is shown as to its owner: the application decides who sees the row, and so the picture.
    """

    def __init__(self, image_id: UUID, owner: Callable[[], Principal]) -> None:
        self.id = image_id
        self._owner = owner
        self._image: Image | None = None
        self._is_loaded = False

    @property
    def owner(self) -> Principal:
        """Raises `ValueError` if the row does not say whose it is."""
        return self._owner()

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
        self.keep(_find(self.owner, self.id))

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

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Picture) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return str(self.id)

    def __repr__(self) -> str:
        return f"<Picture {self.id}>"


def load_pictures(rows: Iterable[models.Model]) -> None:
    """Load the images of all pictures of these rows, which a page is about to show.

    Raises:
        ValueError: If a row does not say whose its picture is.
    """
    for each in _pictures_of(rows):
        each.keep(_find(each.owner, each.id))


aload_pictures = sync_to_async(load_pictures)
"""`load_pictures` for an event loop: ``await aload_pictures(rows)``."""


def _pictures_of(rows: Iterable[models.Model]) -> Iterator[Picture]:
    for row in rows:
        for field in row._meta.concrete_fields:
            if field.attname in row.__dict__ and isinstance(value := getattr(row, field.attname), Picture):
                yield value


def _find(owner: Principal, image_id: UUID) -> Image | None:
    try:
        return gallery.images.get(owner, image_id)
    except NotFound:
        return None
