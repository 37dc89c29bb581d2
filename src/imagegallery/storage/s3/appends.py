"""Objects that grow on S3, which cannot append.

A growing object is a folder of pieces below ``.growing/``. Each piece is an object whose name says where it starts. All
but the last have at least 5 MiB, so that each can become a part of the finished object, copied within S3. The pieces
are not parts of a multipart upload from the start, because S3 can neither show such parts nor take one back, which
`AppendsObjects` promises.

A listing alone gives the size: the pieces that join up from the start. The last piece, while smaller than 5 MiB, is the
tail: the next append starts its first piece with it. No piece is ever overwritten, so a crash leaves what was durable.
So does a writer that lost its lock without knowing and goes on: its pieces are used or useless. The next append deletes
useless ones (tails that were copied into a piece, and pieces beyond a gap left by parallel uploads). The object
``begun`` marks a folder that can be continued: it is deleted first in the end.
"""

import hashlib
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime

import anyio
from anyio import CapacityLimiter, create_task_group
from attrs import define, field, frozen

from imagegallery.common.fault_points import fault_point
from imagegallery.errors import ImageGalleryError, ObjectNotFound, PreconditionFailed, first_cause
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.copies import Assembly
from imagegallery.storage.s3.pieces import HIDDEN, Grown, StoredPiece, join_pieces, key_of
from imagegallery.storage.s3.transfer import Transfer, sha256_of
from imagegallery.storage.streams import bytes_chunks, too_large

_BEGUN = "begun"
_PIECE_TYPE = "application/octet-stream"
_APPEND_ID = re.compile(r"[0-9a-f]{24}")
_KEEPING = 30.0  # seconds to store what is in memory, after any failure

ASSEMBLED = fault_point("s3.assembled", "what grew is an object, and its pieces are there too")
FORGOTTEN = fault_point("s3.forgotten", "what grew is over, its pieces are still there")


@frozen
class S3Appends:
    """`AppendsObjects` for S3, with pieces of ``piece_size`` bytes, ``at_once`` of them sent or copied at a time."""

    bucket: Bucket
    transfer: Transfer
    assembly: Assembly
    piece_size: int
    at_once: int

    async def begin(self, key: str, content_type: str) -> str:
        append_id = secrets.token_hex(12)
        await self._put(f"{folder_of(key, append_id)}{_BEGUN}", content_type.encode())
        return append_id

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], offset: int, max_size: int | None
    ) -> int:
        folder = folder_of(key, append_id)
        grown = await self._grown(folder)
        if grown.size != offset:
            raise PreconditionFailed(f"{grown.size:,} bytes have arrived, not {offset:,}.")
        await self.bucket.delete_all(grown.loose)
        tail = await self._bytes(grown.tail.key) if grown.tail else b""
        writing = _Append(folder, self.piece_size, offset - len(tail), bytearray(tail))
        try:
            await self._write(writing, data, max_size)
        except BaseException:
            with anyio.move_on_after(_KEEPING, shield=True), suppress(ImageGalleryError):
                await (self._take_back(writing) if writing.is_too_much else self._keep(writing))
            raise
        return writing.size

    async def size(self, key: str, append_id: str) -> int:
        return (await self._grown(folder_of(key, append_id))).size

    async def read(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        for piece in (await self._grown(folder_of(key, append_id))).pieces:
            async with self.transfer.get(piece.key, None) as stream:
                async for chunk in stream.chunks:
                    yield chunk

    async def finish(self, key: str, append_id: str) -> ObjectInfo:
        folder = folder_of(key, append_id)
        with suppress(ObjectNotFound):  # otherwise an earlier call did it: the object will show
            grown = await self._grown(folder)
            content_type = (await self._bytes(f"{folder}{_BEGUN}")).decode()
            await self._assemble(key, grown, content_type)
            ASSEMBLED.reached()
        await self._forget(folder)
        return (await self.bucket.head(key)).info

    async def abort(self, key: str, append_id: str) -> None:
        with suppress(ObjectNotFound):  # not one of our ids
            await self._forget(folder_of(key, append_id))

    async def clear(self, before: datetime) -> int:
        """Delete what was last written before that time. Returns the number."""
        latest: dict[str, datetime] = {}
        async for info in self.bucket.list_objects(f"{HIDDEN}/"):
            folder = info.key[: info.key.rindex("/") + 1]
            latest[folder] = max(info.modified_at, latest.get(folder, info.modified_at))
        old = [folder for folder, modified_at in latest.items() if modified_at < before]
        for folder in old:
            await self._forget(folder)
        return len(old)

    # --- pieces ----------------------------------------------------------------------------------------------

    async def _grown(self, folder: str) -> Grown:
        """Read what is there. Raises `ObjectNotFound` if it is over or never began."""
        found = {info.key: info async for info in self.bucket.list_objects(folder)}
        if found.pop(f"{folder}{_BEGUN}", None) is None:
            raise ObjectNotFound("Nothing grows here.")
        return join_pieces(found.values())

    async def _write(self, writing: "_Append", data: AsyncIterable[bytes], max_size: int | None) -> None:
        turns = CapacityLimiter(self.at_once)

        async def send(piece: StoredPiece, body: bytes) -> None:
            # Not interrupted: the pieces on their way are worth the short time they still take.
            with anyio.CancelScope(shield=True):
                try:
                    await self._put(piece.key, body)
                finally:
                    turns.release_on_behalf_of(piece)

        try:
            async with create_task_group() as tasks:
                async for chunk in data:
                    if max_size is not None and writing.size + len(chunk) > max_size:
                        writing.is_too_much = True
                        raise too_large(max_size)
                    for piece, body in writing.fill(chunk):
                        await turns.acquire_on_behalf_of(piece)
                        tasks.start_soon(send, piece, body)
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from None
        await self._keep(writing)

    async def _keep(self, writing: "_Append") -> None:
        """Store what does not fill a piece as a smaller one."""
        if writing.held and writing.has_come:
            await self._put(writing.new_key(), bytes(writing.held))

    async def _take_back(self, writing: "_Append") -> None:
        """Restore what was there before."""
        await self.bucket.delete_all([piece.key for piece in writing.sent])

    async def _assemble(self, key: str, grown: Grown, content_type: str) -> None:
        if len(grown.pieces) > 1:
            await self.assembly.make(key, [piece.span() for piece in grown.pieces], content_type=content_type)
        elif grown.pieces:
            only = grown.pieces[0]
            await self.bucket.copy(only.key, key, etag=only.etag, content_type=content_type)
        else:
            await self.transfer.put(key, bytes_chunks(b""), content_type, None, False)

    async def _forget(self, folder: str) -> None:
        await self.bucket.delete(f"{folder}{_BEGUN}")
        FORGOTTEN.reached()
        await self.bucket.delete_all([info.key async for info in self.bucket.list_objects(folder)])

    async def _put(self, key: str, body: bytes) -> None:
        await self.bucket.put(key, body, sha256=await sha256_of(body), content_type=_PIECE_TYPE)

    async def _bytes(self, key: str) -> bytes:
        async with self.transfer.get(key, None) as stream:
            return b"".join([chunk async for chunk in stream.chunks])


@define
class _Append:
    """An append in progress. ``held`` follows the pieces ``sent``, and starts with the earlier tail."""

    folder: str
    piece_size: int
    start: int
    held: bytearray
    sent: list[StoredPiece] = field(factory=list)
    has_come: bool = False
    is_too_much: bool = False

    @property
    def size(self) -> int:
        return self.start + len(self.held)

    def new_key(self) -> str:
        """A key for the bytes in ``held``."""
        return key_of(self.folder, self.start, secrets.token_hex(6))

    def fill(self, chunk: bytes) -> Iterator[tuple[StoredPiece, bytes]]:
        """Add ``chunk`` and yield the pieces that it fills, to be sent."""
        self.has_come = self.has_come or bool(chunk)
        self.held += chunk
        while len(self.held) >= self.piece_size:
            body = bytes(self.held[: self.piece_size])
            piece = StoredPiece(self.new_key(), "", self.start, self.start + len(body))
            self.sent.append(piece)
            self.start = piece.stop
            del self.held[: self.piece_size]
            yield piece, body


def folder_of(key: str, append_id: str) -> str:
    """The folder of the pieces. Raises `ObjectNotFound` for an id that is not one of ours."""
    if not _APPEND_ID.fullmatch(append_id):
        raise ObjectNotFound("Nothing grows here.")
    return f"{HIDDEN}/{append_id}-{hashlib.sha256(key.encode()).hexdigest()[:16]}/"
