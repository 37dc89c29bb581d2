"""Which addresses showed a page that is kept: what `page_cache` knows of requests before it looks into them."""

from datetime import datetime, timedelta
from sys import getsizeof
from typing import Final

from attrs import frozen
from starlette.types import Scope

from imagegallery.common.bounded import BoundedMap
from imagegallery.galleries.pages import PageTicket

MAX_BYTES: Final = 4 * 2**20
# Longer ones can be had by writing a query in odd ways; they go the long way each time.
MAX_QUERY_BYTES: Final = 256
# What an entry takes besides its texts, rounded up.
_ENTRY_OVERHEAD: Final = 500

# So many choices of fields have their pages kept at a time: more than the pages of one site use.
MAX_CHOICES: Final = 16
# A choice that was not asked for as long makes room for another: pages that are kept are made anew more often.
CHOICE_LASTS: Final = timedelta(minutes=5)

_Address = tuple[str, str, bytes]


@frozen
class Known:
    """``route`` is the template that its answers are counted under; ``is_record``: it is no list."""

    ticket: PageTicket
    route: str
    is_record: bool = False


class KnownAddresses:
    """Mount point, path and query of the pages that were made last, as many as fit ``max_bytes``."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._known: BoundedMap[_Address, Known] = BoundedMap(max_bytes, _size_of)

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self._known.size

    def remember(self, scope: Scope, known: Known) -> None:
        if len(scope["query_string"]) <= MAX_QUERY_BYTES:
            self._known.put(_address(scope), known)

    def find(self, scope: Scope) -> Known | None:
        return self._known.get(_address(scope))


class KeptChoices:
    """The choices of fields whose pages are kept: the first that were asked for, as long as they go on being. Whoever
    makes up others gets what they ask for, and has nothing kept, so that nothing is pushed out by it."""

    def __init__(self) -> None:
        self._asked: dict[str, datetime] = {}

    def admit(self, fields: str, now: datetime) -> bool:
        """Whether pages of this choice, as it is written in one order, may be kept; all fields may."""
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
    texts = (*address, known.ticket.group, known.ticket.key)
    return sum(getsizeof(text) for text in texts) + _ENTRY_OVERHEAD
