"""Check with a few small objects whether a store keeps the promises that prevent loss.

Compatible stores often ignore what they do not support. The suite `imagegallery.testing.storage` checks far more.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

import anyio

from imagegallery.errors import ImageGalleryError, PreconditionFailed
from imagegallery.ids import new_id
from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStore
from imagegallery.storage.streams import bytes_chunks
from imagegallery.upkeep.check import Check

_BODY = b"imagegallery storage check"
_TYPE = "text/plain"
_REMEDY = "use another store, or a newer version of it: images could be lost"
_CLEANING_UP = 10.0  # seconds


async def check_promises(store: ObjectStore) -> AsyncGenerator[Check, None]:
    """Yield one check per promise. All objects are under ``incoming/``, which the sweeper cleans, and are deleted
    again."""
    folder = f"{INCOMING_PREFIX}check-{new_id()}/"
    try:
        source = await _put(store, f"{folder}source")
        yield await _refused("first write wins", lambda: _put(store, source.key, if_absent=True))
        yield await _reads_ranges(store, source)
        yield await _refused("only what was checked is moved", lambda: _promote(store, source, folder, etag="0" * 32))
        await _put(store, f"{folder}target")
        yield await _refused("nothing is overwritten", lambda: _promote(store, source, folder, etag=source.etag))
        await store.delete(f"{folder}target")
        yield await _moves(store, source, folder)
    finally:
        with anyio.move_on_after(_CLEANING_UP, shield=True), suppress(ImageGalleryError):
            for name in ("source", "target"):
                await store.delete(f"{folder}{name}")


async def _refused(name: str, act: Callable[[], Awaitable[ObjectInfo]]) -> Check:
    try:
        await act()
    except PreconditionFailed:
        return Check.ok(name, "kept")
    return Check.error(name, "the store did what it was told not to do", _REMEDY)


async def _reads_ranges(store: ObjectStore, source: ObjectInfo) -> Check:
    async with store.get(source.key, ByteRange(3, 7)) as stream:
        read = b"".join([chunk async for chunk in stream.chunks])
    if (read, stream.info.size) != (_BODY[3:7], len(_BODY)):
        return Check.error("ranges", "what is read is not the range that was asked for", _REMEDY)
    return Check.ok("ranges", "kept")


async def _moves(store: ObjectStore, source: ObjectInfo, folder: str) -> Check:
    await _promote(store, source, folder, etag=source.etag)
    left = [found.key async for found in store.list(folder)]
    if left != [f"{folder}target"]:
        return Check.error("a move is a move", f"{len(left)} objects are listed where one should be", _REMEDY)
    return Check.ok("a move is a move", "kept")


async def _put(store: ObjectStore, key: str, *, if_absent: bool = False) -> ObjectInfo:
    return await store.put(key, bytes_chunks(_BODY), content_type=_TYPE, if_absent=if_absent)


async def _promote(store: ObjectStore, source: ObjectInfo, folder: str, *, etag: str) -> ObjectInfo:
    return await store.promote(source.key, f"{folder}target", etag=etag, content_type=_TYPE)
