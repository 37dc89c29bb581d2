"""Streams of bytes: from memory or a file, measured, limited, inspected. Threads do the file I/O."""

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from anyio import CancelScope, to_thread

from imagegallery.common.folders import PRIVATE_FILE
from imagegallery.errors import EmptyFile, SizeMismatch, TooLarge

T = TypeVar("T")

CHUNK_SIZE = 1024 * 1024
"""The bytes read or written in one visit to a thread. A visit costs as much as copying 256 KiB."""

HASH_IN_THREAD = 256 * 1024
"""From this size on, hashing a chunk blocks the loop for longer than a visit to a thread takes."""


class Readable(Protocol):
    """What ``open(…, "rb")``, `io.BytesIO` and the uploaded files of Flask and Django have in common."""

    def read(self, size: int, /) -> bytes:
        """Read at most ``size`` bytes; none at the end."""


async def bytes_chunks(data: bytes, size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
    """Yield ``data`` in chunks of ``size``, none if it is empty."""
    view = memoryview(data)
    for start in range(0, len(data), size):
        yield bytes(view[start : start + size])


async def file_chunks(path: Path, size: int = CHUNK_SIZE) -> AsyncGenerator[bytes, None]:
    """Yield the file in chunks of ``size``. Errors of opening and reading are raised on the first chunk."""
    file = await to_thread.run_sync(_open_to_read, path)
    try:
        async for chunk in read_chunks(file, size):
            yield chunk
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(file.close)


async def read_chunks(file: Readable, size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
    """Yield what is left of an open file, read in threads. It stays open."""
    while chunk := await to_thread.run_sync(file.read, size):
        yield chunk


async def batches(items: AsyncIterable[T], size: int) -> AsyncIterator[list[T]]:
    """Yield the same items in lists of ``size``."""
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def coalesce(chunks: AsyncIterable[bytes], size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
    """Yield the same bytes in chunks of at least ``size``, except for the last, so that each is worth a visit to a
    thread."""
    batch: list[bytes] = []
    held = 0
    async for chunk in chunks:
        batch.append(chunk)
        held += len(chunk)
        if held >= size:
            yield b"".join(batch)
            batch, held = [], 0
    if held:
        yield b"".join(batch)


async def at_most(chunks: AsyncIterable[bytes], max_size: int | None) -> AsyncIterator[bytes]:
    """Yield the same chunks. Raises `TooLarge` before the one that exceeds ``max_size`` bytes in total."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if max_size is not None and size > max_size:
            raise too_large(max_size)
        yield chunk


async def at_least(chunks: AsyncIterable[bytes], min_size: int) -> AsyncIterator[bytes]:
    """Yield the same chunks. Raises like `check_at_least` at the end if there were fewer than ``min_size`` bytes."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        yield chunk
    check_at_least(size, min_size)


def check_at_least(size: int, min_size: int) -> None:
    """Raise `EmptyFile` or `SizeMismatch` for fewer bytes than ``min_size``."""
    if size == 0 < min_size:
        raise EmptyFile("The file is empty.")
    if size < min_size:
        raise SizeMismatch(f"{min_size:,} bytes were declared and {size:,} arrived.", declared=min_size, received=size)


def too_large(max_size: int) -> TooLarge:
    """Make the one error for more bytes than ``max_size``."""
    return TooLarge(f"More than the allowed {max_size} bytes.", max_size=max_size)


async def peek(chunks: AsyncIterable[bytes], size: int) -> tuple[bytes, AsyncIterator[bytes]]:
    """Return the first ``size`` bytes, or fewer if there are no more, and a stream of *all* bytes."""
    source = aiter(chunks)
    read: list[bytes] = []
    held = 0
    while held < size:
        chunk = await anext(source, None)
        if chunk is None:
            break
        read.append(chunk)
        held += len(chunk)
    head = b"".join(read)
    return head[:size], _continue(head, source)


async def _continue(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for chunk in rest:
        yield chunk


class HashingStream:
    """Yields the same chunks, once; ``size`` (in bytes) and ``sha256()`` describe those that have passed."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.size = 0

    def sha256(self) -> bytes:
        """Return the digest's 32 bytes."""
        return self._digest.digest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            if len(chunk) < HASH_IN_THREAD:
                self._digest.update(chunk)
            else:
                await to_thread.run_sync(self._digest.update, chunk)
            self.size += len(chunk)
            yield chunk


async def copy_to_file(chunks: AsyncIterable[bytes], path: Path) -> int:
    """Write the stream to a new file and return its size in bytes. Raises `FileExistsError`.

    The file is not synced, and stays incomplete if ``chunks`` raises: use a temporary directory.
    """
    file = await to_thread.run_sync(_create_to_write, path)
    size = 0
    try:
        async for batch in coalesce(chunks):
            size += await to_thread.run_sync(file.write, batch)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(file.close)
    return size


def _open_to_read(path: Path) -> BinaryIO:
    return path.open("rb", buffering=0)


def _create_to_write(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE), "wb")
