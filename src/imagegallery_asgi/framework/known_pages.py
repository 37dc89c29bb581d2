"""Addresses with cached pages: what `page_cache` knows of requests before it parses them."""

from datetime import datetime, timedelta
from sys import getsizeof
from typing import Final

from attrs import frozen
from starlette.types import Scope

from imagegallery.common.bounded import BoundedMap
from imagegallery.galleries.pages import PageTicket

MAX_BYTES: Final = 4 * 2**20
# Longer ones come from oddly written queries; they are not cached.
MAX_QUERY_BYTES: Final = 256
# The size of an entry besides its texts, rounded up.
_ENTRY_OVERHEAD: Final = 500

# Choices of fields with cached pages at a time: more than one site uses.
MAX_CHOICES: Final = 16
# A choice that was not requested for this long is replaced: cached pages are refreshed more often.
CHOICE_LASTS: Final = timedelta(minutes=5)

_Address = tuple[str, str, bytes]


@frozen
class Known:
    """``route`` is the template for metrics; ``is_record``: it is no list."""

    ticket: PageTicket
    route: str
    is_record: bool = False


class KnownAddresses:
    """Mount point, path and query of the most recent pages, as many as fit in ``max_bytes``."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._known: BoundedMap[_Address, Known] = BoundedMap(max_bytes, _size_of)

    @property
    def size(self) -> int:
        """The bytes held."""
        return self._known.size

    def remember(self, scope: Scope, known: Known) -> None:
        if len(scope["query_string"]) <= MAX_QUERY_BYTES:
            self._known.put(_address(scope), known)

    def find(self, scope: Scope) -> Known | None:
        return self._known.get(_address(scope))


class KeptChoices:
    """The choices of fields whose pages are cached: the first ones requested, while they are in use. Invented
    choices are served without caching, so that they displace nothing."""

    def __init__(self) -> None:
        self._asked: dict[str, datetime] = {}

    def admit(self, fields: str, now: datetime) -> bool:
        """Whether pages of this choice, written in one order, may be cached; all fields may."""
        if fields and fields not in self._asked and len(self._asked) == MAX_CHOICES:
            oldest = min(self._asked, key=self._asked.__getitem__)
            if now - self._asked[oldest] < CHOICE_LASTS:
                return False
            del self._asked[oldest]
        if fields:
            self._asked[fields] = now
        return True


def _address(scope: Scope) -> _Address:
    return scope.get("root_path", ""), scope["path"], scope["query_string"]


def _size_of(address: _Address, known: Known) -> int:
    texts = (*address, known.ticket.group or "", known.ticket.key)
    return sum(getsizeof(text) for text in texts) + _ENTRY_OVERHEAD
