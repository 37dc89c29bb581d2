"""How far an upload is, also when some of it has to be sent again."""

from collections.abc import AsyncIterator, Callable

from attrs import define

# Told how many more bytes were sent; less than none when they are to be sent again.
Advance = Callable[[int], None]


def unwatched(_: int) -> None:
    """Nobody wants to know."""


@define
class Counted:
    """Counts bytes, and can take back what it has counted."""

    advance: Advance
    sent: int = 0

    def add(self, count: int) -> None:
        self.sent += count
        self.advance(count)

    def take_back(self) -> None:
        if self.sent:
            self.add(-self.sent)

    async def following(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same chunks; what another try before had sent of them does not count any more."""
        self.take_back()
        async for chunk in chunks:
            yield chunk
            self.add(len(chunk))
