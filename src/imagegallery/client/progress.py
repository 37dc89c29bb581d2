"""The progress of an upload, including bytes that must be sent again."""

from collections.abc import AsyncIterator, Callable

from attrs import define

# Called with the number of bytes sent since the last call, negative if they must be sent again.
AdvanceBytes = Callable[[int], None]


def ignore_progress(_: int) -> None:
    """Do nothing."""


@define
class ProgressCounter:
    """Counts bytes, and can take them back."""

    advance: AdvanceBytes
    sent: int = 0

    def add(self, count: int) -> None:
        self.sent += count
        self.advance(count)

    def take_back(self) -> None:
        if self.sent:
            self.add(-self.sent)

    async def count(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the same chunks, and take back what an earlier try counted."""
        self.take_back()
        async for chunk in chunks:
            yield chunk
            self.add(len(chunk))
