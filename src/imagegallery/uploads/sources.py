"""The three forms in which the library takes a file (a path, bytes, a stream), as one."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
from attrs import frozen

from imagegallery.imaging.signature import HEAD_SIZE
from imagegallery.storage.streams import bytes_chunks, file_chunks, peek

Source = Path | bytes | AsyncIterable[bytes]


@frozen
class OpenSource:
    """A file's bytes in chunks, the first of them also as ``start``; its ``name`` and its ``size`` in bytes where
    the form of the source tells them."""

    start: bytes
    chunks: AsyncIterator[bytes]
    size: int | None = None
    name: str | None = None


@asynccontextmanager
async def open_source(source: Source) -> AsyncIterator[OpenSource]:
    """The source, its first chunk read. Raises `OSError` when a path cannot be read."""
    if isinstance(source, bytes):
        yield OpenSource(*await peek(bytes_chunks(source), HEAD_SIZE), len(source))
    elif isinstance(source, Path):
        status = await anyio.Path(source).stat()
        async with aclosing(file_chunks(source)) as chunks:
            yield OpenSource(*await peek(chunks, HEAD_SIZE), status.st_size, source.name)
    else:
        yield OpenSource(*await peek(source, HEAD_SIZE))
