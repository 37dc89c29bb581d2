"""Checksums of what one request brings, in the algorithms that clients may choose."""

import hashlib
import hmac
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from anyio import to_thread

from imagegallery.errors import ChunkMismatch
from imagegallery.storage.streams import HASH_IN_THREAD
from imagegallery.uploads.resumable_rules import Checksum


class Checking:
    """The same chunks, once; then `check` tells whether they were the right ones."""

    def __init__(self, chunks: AsyncIterable[bytes], checksums: Iterable[Checksum]) -> None:
        self._chunks = chunks
        self._expected = tuple(checksums)
        self._digests = [hashlib.new(each.algorithm, usedforsecurity=False) for each in self._expected]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            if len(chunk) < HASH_IN_THREAD:
                self._update(chunk)
            else:
                await to_thread.run_sync(self._update, chunk)
            yield chunk

    def check(self) -> None:
        """Raises `ChunkMismatch`."""
        for expected, digest in zip(self._expected, self._digests, strict=True):
            if not hmac.compare_digest(expected.digest, digest.digest()):
                raise ChunkMismatch(f"The {expected.algorithm} of these bytes is not the one that was announced.")

    def _update(self, chunk: bytes) -> None:
        for digest in self._digests:
            digest.update(chunk)
