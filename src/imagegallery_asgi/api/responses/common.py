"""What documents of all features are in: one thing, or a page of a list."""
# ruff: noqa: N815  (names of the wire)

from collections.abc import Mapping
from typing import Annotated, Generic, TypeVar

from attrs import frozen

from imagegallery.common.meta import JsonValue
from imagegallery_asgi.framework.constraints import example

T = TypeVar("T")
P = TypeVar("P")

# What the application keeps with an image or a gallery.
MetaDocument = Annotated[Mapping[str, JsonValue], example({"sku": "A-1", "colour": "yellow"})]

# What administrators say, by the fields of `AdminPolicyDocument`.
RulesDocument = Annotated[Mapping[str, JsonValue], example({"max_size": 20_000_000, "originals": "strip_place"})]


@frozen(slots=False)
class One(Generic[T]):
    data: T


@frozen(slots=False)
class CursorPagination:
    """The list ends where there is no ``nextCursor``: a page before that may be short, or empty, where little fits a
    filter."""

    nextCursor: Annotated[str | None, example("eyJ2IjoxfQ.9f2c41d0")]
    hasMore: Annotated[bool, example(True)]


@frozen(slots=False)
class CursorList(Generic[T]):
    data: tuple[T, ...]
    pagination: CursorPagination


@frozen(slots=False)
class PagePagination:
    """``total`` and ``totalPages`` are ``null`` for a filtered list of a gallery with too many images to count them."""

    page: Annotated[int, example(1)]
    limit: Annotated[int, example(50)]
    total: Annotated[int | None, example(128)]
    totalPages: Annotated[int | None, example(3)]
