"""Pages of a list, by cursor or by number: pure.

A cursor names the last item of a page by the sort key the list is read in, so that the next page is one
index seek whatever its depth, and rows that come or go elsewhere neither repeat nor hide an item. It also
carries the *scope* of its list (which list, whose, in which order): a cursor replayed against another list
is refused instead of being misread.
"""

import base64
import binascii
import json
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from attrs import frozen

from imagegallery.errors import Fault, InvalidCursor, InvalidInput

T = TypeVar("T")

MAX_LIMIT = 100
DEFAULT_LIMIT = 50
MAX_PAGE = 1_000_000
_MAX_CURSOR_CHARS = 1024

SortKey = tuple[int | str | datetime | UUID, ...]


@frozen
class CursorPage(Generic[T]):
    """Some items and, if there are more, the cursor to ask for them with."""

    items: tuple[T, ...]
    next_cursor: str | None = None

    @property
    def has_more(self) -> bool:
        return self.next_cursor is not None


@frozen
class NumberedPage(Generic[T]):
    """Page ``page`` (from 1) of a list that has ``total`` items in all."""

    items: tuple[T, ...]
    page: int
    limit: int
    total: int

    @property
    def total_pages(self) -> int:
        return -(-self.total // self.limit)


def check_limit(limit: int) -> int:
    """``limit`` if it is 1 to 100. Raises `InvalidInput` otherwise."""
    if not 1 <= limit <= MAX_LIMIT:
        raise _out_of_range("limit", 1, MAX_LIMIT)
    return limit


def check_page(page: int) -> int:
    """``page`` if it is 1 to 1,000,000. Raises `InvalidInput` otherwise."""
    if not 1 <= page <= MAX_PAGE:
        raise _out_of_range("page", 1, MAX_PAGE)
    return page


def encode_cursor(scope: str, key: SortKey) -> str:
    """An opaque, URL-safe cursor after the item with this sort key."""
    document = json.dumps([scope, [_tagged(part) for part in key]], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, scope: str, *kinds: type) -> SortKey:
    """The sort key inside ``cursor``, which must have been issued for ``scope`` with parts of these ``kinds``.

    Raises `InvalidCursor`, for whatever reason, in the same words.
    """
    try:
        if len(cursor) > _MAX_CURSOR_CHARS:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        issued_for, parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if issued_for != scope or len(parts) != len(kinds):
            raise ValueError
        return tuple(_untagged(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        message = "This cursor was not issued for this list."
        raise InvalidCursor(message, [Fault(("query", "cursor"), message)]) from error


def _tagged(part: int | str | datetime | UUID) -> int | str:
    if isinstance(part, datetime):
        return part.isoformat()
    return str(part) if isinstance(part, UUID) else part


def _untagged(part: object, kind: type) -> int | str | datetime | UUID:
    if kind is int:
        if type(part) is not int or not -(2**63) <= part < 2**63:
            raise ValueError
        return part
    if not isinstance(part, str) or "\0" in part:
        raise ValueError
    if kind is str:
        return part
    if kind is UUID:
        return UUID(part)
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _out_of_range(name: str, low: int, high: int) -> InvalidInput:
    message = f"must be {low} to {high:,}"
    return InvalidInput(f"{name} {message}.", [Fault(("query", name), message)])
