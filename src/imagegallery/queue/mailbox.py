"""Messages that others send us: what arrives is handled, then put away; what is not put away comes again."""

from collections.abc import Sequence
from typing import Protocol


class Letter(Protocol):
    """A message: its text, and what the mailbox knows it by."""

    @property
    def body(self) -> str: ...

    @property
    def receipt(self) -> str: ...


class Mailbox(Protocol):
    async def receive(self) -> Sequence[Letter]:
        """The next letters; waits a while for one, and may answer none. They come again, here or elsewhere, unless
        they are put away. Raises `Unavailable` or `ConfigurationError`."""

    async def put_away(self, letter: Letter) -> None:
        """It has been handled. Raises like `receive`; then it comes again."""
