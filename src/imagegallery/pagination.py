"""Pages of a list, by cursor or by number. Pure.

A cursor contains the last item's sort key, so that the next page is one index seek at any depth, and rows added or
removed elsewhere neither repeat nor hide an item. It also contains the *scope* of its list (which list, whose, in which
order): another list refuses it.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar, overload
from uuid import UUID

from attrs import frozen

from imagegallery.common.validation import Faults
from imagegallery.errors import Fault, InvalidCursor

T = TypeVar("T")
U = TypeVar("U")
SortKeyPart = int | str | datetime | UUID
SortKey = tuple[SortKeyPart, ...]
A = TypeVar("A", bound=SortKeyPart)
B = TypeVar("B", bound=SortKeyPart)
C = TypeVar("C", bound=SortKeyPart)
D = TypeVar("D", bound=SortKeyPart)

MAX_LIMIT = 100
DEFAULT_LIMIT = 50
MAX_PAGE = 1_000_000
MAX_OFFSET = 100_000
_MAX_CURSOR_CHARS = 4096

# The start of a list with the newest first: after no row.
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
FIRST_ID = UUID(int=0)
LAST_ID = UUID(int=2**128 - 1)


@frozen
class CursorPage(Generic[T]):
    """Some items and, if there are more, the cursor for the next ones."""

    items: tuple[T, ...]
    next_cursor: str | None = None

    @property
    def has_more(self) -> bool:
        return self.next_cursor is not None

    def map(self, change: Callable[[T], U]) -> "CursorPage[U]":
        """The same page with each item changed."""
        return CursorPage(tuple(change(item) for item in self.items), self.next_cursor)


@frozen
class NumberedPage(Generic[T]):
    """Page ``page`` (from 1) of a list with ``total`` items; ``None`` if there are too many to count."""

    items: tuple[T, ...]
    page: int
    limit: int
    total: int | None

    @property
    def total_pages(self) -> int | None:
        return None if self.total is None else -(-self.total // self.limit)


def check_limit(limit: int) -> int:
    """Return ``limit`` if it is 1 to 100. Raises `InvalidInput` otherwise."""
    faults = Faults()
    _check_range(faults, "limit", limit, MAX_LIMIT)
    faults.check()
    return limit


def check_page(page: int, limit: int, deepest_offset: int = MAX_OFFSET) -> int:
    """The number of items before page ``page`` (from 1) of ``limit`` items each.

    The cost of an offset grows with it, so ``deepest_offset`` is the limit; cursors have none. Raises `InvalidInput`.
    """
    faults = Faults()
    _check_range(faults, "limit", limit, MAX_LIMIT)
    deepest = min(MAX_PAGE, deepest_offset // max(limit, 1) + 1)
    _check_range(faults, "page", page, deepest)
    faults.check()
    return (page - 1) * limit


def cut_page(
    found: Sequence[T], limit: int, cursor_after: Callable[[T], str], *, goes_on: T | None = None
) -> CursorPage[T]:
    """The page in ``found``, which has one item more than ``limit`` if there are more.

    If it is not full, its cursor is after ``goes_on``, the last item examined.
    """
    items = tuple(found[:limit])
    last = items[-1] if len(found) > limit else goes_on
    return CursorPage(items, None if last is None else cursor_after(last))


def encode_cursor(scope: str, key: SortKey) -> str:
    """An opaque, URL-safe cursor after the item with this sort key."""
    document = json.dumps([scope, [_tagged(part) for part in key]], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


@overload
def decode_cursor(cursor: str, scope: str, kind: type[A], /) -> tuple[A]: ...
@overload
def decode_cursor(cursor: str, scope: str, first: type[A], second: type[B], /) -> tuple[A, B]: ...
@overload
def decode_cursor(cursor: str, scope: str, a: type[A], b: type[B], c: type[C], /) -> tuple[A, B, C]: ...
@overload
def decode_cursor(cursor: str, scope: str, a: type[A], b: type[B], c: type[C], d: type[D], /) -> tuple[A, B, C, D]: ...
def decode_cursor(cursor: str, scope: str, /, *kinds: type[object]) -> SortKey:
    """The sort key in ``cursor``, which must be for ``scope`` with parts of these ``kinds``.

    Raises `InvalidCursor` in the same words for any reason.
    """
    try:
        if len(cursor) > _MAX_CURSOR_CHARS:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        issued_for, parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if issued_for != scope or len(parts) != len(kinds):
            raise ValueError
        return tuple(_untagged(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise foreign_cursor() from error


def foreign_cursor() -> InvalidCursor:
    """The error for a cursor that this list did not make, whatever is wrong with it."""
    message = "This cursor was not issued for this list."
    return InvalidCursor(message, [Fault(("query", "cursor"), message)])


def _tagged(part: SortKeyPart) -> int | str:
    if isinstance(part, datetime):
        return part.isoformat()
    return str(part) if isinstance(part, UUID) else part


def _untagged(part: object, kind: type[object]) -> SortKeyPart:
    if kind is int:
        if type(part) is not int or not -(2**63) <= part < 2**63:
            raise ValueError
        return part
    if not isinstance(part, str):
        raise ValueError
    if kind is str:
        return _storable(part)
    if kind is UUID:
        return UUID(part)
    moment = datetime.fromisoformat(part)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _storable(text: str) -> str:
    """Text that PostgreSQL can hold: UTF-8 without NUL."""
    if "\0" in text:
        raise ValueError
    text.encode()  # a lone surrogate is a ValueError, too
    return text


def _check_range(faults: Faults, name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        faults.add(("query", name), f"must be 1 to {most:,}")
