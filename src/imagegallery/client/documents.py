"""What of the API's documents a client needs, as values. Pure."""

import json
from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import cattrs
from attrs import field, frozen

from imagegallery.errors import Unavailable

T = TypeVar("T")


@frozen
class PartAddress:
    """Where one part of ``size`` bytes goes; ``number`` counts from 1."""

    number: int
    size: int
    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class PartPlan:
    """Parts of ``size`` bytes, the last one of what is left."""

    size: int


@frozen
class SignedParts:
    """Addresses of some parts."""

    urls: tuple[PartAddress, ...]


@frozen
class MissingParts:
    """The numbers of the parts that have not arrived."""

    missing: tuple[int, ...]


@frozen
class UploadPlan:
    """An upload session as the server describes it: what to send, and where, is the server's choice.

    ``transport`` ``simple`` and ``service``: the whole file in one request, ``method`` to ``url``; ``parts``: see
    `imagegallery.client.parts`.
    """

    id: UUID
    state: str
    transport: str
    url: str | None = None
    method: str | None = None
    headers: Mapping[str, str] = field(factory=dict)
    fields: Mapping[str, str] = field(factory=dict)
    parts: PartPlan | None = None
    image_id: UUID | None = None


@frozen
class ImageName:
    """An image, by its id."""

    id: UUID


@frozen
class GalleryName:
    """A gallery, by its id and its name."""

    id: UUID
    name: str


@frozen
class Cursor:
    """Where a list goes on."""

    nextCursor: str | None = None  # noqa: N815 - the API's own name


@frozen
class GalleryPage:
    """One page of a list of galleries."""

    data: tuple[GalleryName, ...]
    pagination: Cursor


def read_data(kind: type[T], content: bytes) -> T:
    """The ``data`` of an answer. Raises `Unavailable` when that is not what was answered."""
    return _structure(kind, _load(content).get("data"))


def read_page(content: bytes) -> GalleryPage:
    """A page of galleries. Raises like `read_data`."""
    return _structure(GalleryPage, _load(content))


def _load(content: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise _not_ours() from error
    if not isinstance(document, dict):
        raise _not_ours()
    return document


def _structure(kind: type[T], document: object) -> T:
    try:
        return _CONVERTER.structure(document, kind)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError) as error:
        raise _not_ours() from error


def _not_ours() -> Unavailable:
    return Unavailable("The server answered something else than expected: is this the address of the API?")


_CONVERTER = cattrs.Converter()
_CONVERTER.register_structure_hook(UUID, lambda text, _: UUID(text))
