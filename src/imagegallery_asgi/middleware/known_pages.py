"""Which addresses showed a page that is kept: what `page_cache` knows of requests before it looks into them."""

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


def _address(scope: Scope) -> _Address:
    return scope.get("root_path", ""), scope["path"], scope["query_string"]


def _size_of(address: _Address, known: Known) -> int:
    texts = (*address, known.ticket.group, known.ticket.key)
    return sum(getsizeof(text) for text in texts) + _ENTRY_OVERHEAD
