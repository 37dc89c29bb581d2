"""Which addresses showed a page that is kept: what `shortcut` knows of requests before it looks into them."""

from collections import OrderedDict

from attrs import frozen
from starlette.types import Scope

from imagegallery import PageTicket

MAX_ADDRESSES = 10_000

_Address = tuple[str, str, bytes]


@frozen
class Known:
    """``route`` is the template that its answers are counted under."""

    ticket: PageTicket
    route: str


class KnownAddresses:
    """Mount point, path and query of pages, the ``MAX_ADDRESSES`` that were last made."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Address, Known] = OrderedDict()

    def remember(self, scope: Scope, known: Known) -> None:
        self._known[_address(scope)] = known
        if len(self._known) > MAX_ADDRESSES:
            self._known.popitem(last=False)

    def find(self, scope: Scope) -> Known | None:
        return self._known.get(_address(scope))


def _address(scope: Scope) -> _Address:
    return scope.get("root_path", ""), scope["path"], scope["query_string"]
