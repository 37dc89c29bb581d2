"""What the parts of the storage suite share.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from anyio import create_task_group

from imagegallery.errors import ImageGalleryError
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStore, ServesSignedUrls, UploadRequest
from imagegallery.storage.streams import bytes_chunks

TYPE = "image/jpeg"
BODY = bytes(range(256)) * 300


class StoreTests:
    """Tests of the stores that ``make_store`` makes."""

    async def make_store(self) -> ObjectStore:
        """Make an empty store."""
        raise NotImplementedError("A subclass makes the store that is tested.")

    async def send(self, request: UploadRequest, body: bytes) -> int:
        """Send a presigned request with ``body`` as its file and return the HTTP status.

        Without it, only stores whose signed URLs our API serves are tested.
        """
        pytest.skip(f"no way to send {request.method} requests")

    async def is_taken(self, store: ObjectStore, request: UploadRequest, body: bytes) -> bool:
        """Send a presigned request to the store, or to us if we serve it, and return whether it succeeded."""
        if not isinstance(store, ServesSignedUrls):
            return 200 <= await self.send(request, body) < 300
        content_type = request.headers.get("Content-Type", "")
        try:
            await store.accept(token_of(request), bytes_chunks(body), content_type=content_type)
        except ImageGalleryError:
            return False
        return True

    def now(self) -> datetime:
        """The store's time."""
        return datetime.now(UTC)

    @asynccontextmanager
    async def open_store(self) -> AsyncIterator[ObjectStore]:
        """Make a store, closed on leaving."""
        store = await self.make_store()
        try:
            yield store
        finally:
            await store.aclose()


def token_of(request: UploadRequest) -> str:
    """The part of a URL after ``/objects/``."""
    assert (request.method, dict(request.fields)) == ("PUT", {})
    assert request.url.startswith("/objects/")
    return request.url.removeprefix("/objects/")


class Broken(Exception):
    """Raised by a stream that breaks off."""


async def write(
    store: ObjectStore, key: str, body: bytes, *, max_size: int | None = None, if_absent: bool = False
) -> ObjectInfo:
    """Put ``body`` in small chunks."""
    chunks = bytes_chunks(body, 10_000)
    return await store.put(key, chunks, content_type=TYPE, max_size=max_size, if_absent=if_absent)


async def read(store: ObjectStore, key: str, byte_range: ByteRange | None = None) -> bytes:
    """All bytes of the object, or of the range."""
    async with store.get(key, byte_range) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


async def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    """The listed keys, sorted."""
    return sorted([info.key async for info in store.list(prefix)])


async def broken_off(body: bytes) -> AsyncIterator[bytes]:
    """Yield ``body``, then raise `Broken`."""
    yield body
    raise Broken


async def at_once(count: int, act: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run ``await act(0)`` to ``await act(count - 1)`` concurrently."""
    async with create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(act, number)
