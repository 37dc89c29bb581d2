"""The parts of the API's documents that a client needs. Pure."""

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
    """The address for one part of ``size`` bytes; ``number`` counts from 1."""

    number: int
    size: int
    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class PartsDocument:
    """Parts of ``size`` bytes; the last may be smaller."""

    size: int


@frozen
class SignedParts:
    """Addresses of some parts."""

    urls: tuple[PartAddress, ...]


@frozen
class MissingParts:
    """The numbers of parts that have not arrived."""

    missing: tuple[int, ...]


@frozen
class UploadPlan:
    """An upload session. The server chooses what to send, and where.

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
    parts: PartsDocument | None = None
    image_id: UUID | None = None


@frozen
class ImageName:
    """The id of an image."""

    id: UUID


@frozen
class GalleryName:
    """The id and the name of a gallery."""

    id: UUID
    name: str


@frozen
class Cursor:
    """Where a list continues."""

    nextCursor: str | None = None  # noqa: N815 - the API's own name


@frozen
class GalleryList:
    """One page of a list of galleries."""

    data: tuple[GalleryName, ...]
    pagination: Cursor


def read_data(kind: type[T], content: bytes) -> T:
    """Read the ``data`` of a response. Raises `Unavailable` if it has another form."""
    return _structure(kind, _load(content).get("data"))


def read_page(content: bytes) -> GalleryList:
    """Read a page of galleries. Raises like `read_data`."""
    return _structure(GalleryList, _load(content))


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
