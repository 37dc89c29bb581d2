"""What is asked of a host's connection, whichever driver it is of."""

from collections.abc import Sequence
from typing import Protocol

from imagegallery.database.host.host_row import HostRow


class HostDriver(Protocol):
    """One connection of a host. Errors of the server are asyncpg's, as everywhere here."""

    @property
    def key(self) -> int:
        """The same for the same connection, as long as it lives."""

    @property
    def backend(self) -> int:
        """The number of the server's process."""

    def check(self) -> None:
        """Raises `InvalidInput` unless it is open, of this event loop, and in a transaction."""

    def is_closed(self) -> bool: ...

    def is_in_transaction(self) -> bool: ...

    async def fetch(self, sql: str, values: Sequence[object]) -> list[HostRow]:
        """The rows of a statement with parameters ``$1``, ``$2`` and so on."""

    async def execute(self, sql: str, values: Sequence[object]) -> str:
        """What the server says that it did: ``UPDATE 1``."""
