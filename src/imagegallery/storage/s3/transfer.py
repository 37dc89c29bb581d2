"""Streams to and from S3, with only a few parts in memory.

An object up to a threshold is one request. A larger one is sent in parts, several at once, and appears whole after the
last. If anything interrupts it, the parts are deleted.
"""

import base64
import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

import anyio
from anyio import CapacityLimiter, create_task_group, to_thread
from anyio.abc import TaskGroup
from attrs import define, field, frozen

from imagegallery.errors import ImageGalleryError, ObjectNotFound, PreconditionFailed, Unavailable, first_cause
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStream
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.errors import RangeBeyondEnd, translate_errors
from imagegallery.storage.s3.replies import OpenReply, ReplyBody, StoredPart
from imagegallery.storage.streams import CHUNK_SIZE, HASH_IN_THREAD, at_most, bytes_chunks

RESUMED_AT_MOST = 3  # times in a row without a byte
PUT_BY = "put-by"  # x-amz-meta-put-by
_GIVING_UP = 10.0  # seconds to delete the parts; otherwise the bucket's lifecycle does it later


async def sha256_of(body: bytes) -> str:
    """The SHA-256 in base64, as S3 writes checksums."""
    if len(body) < HASH_IN_THREAD:
        digest = hashlib.sha256(body).digest()
    else:
        digest = (await to_thread.run_sync(hashlib.sha256, body)).digest()
    return base64.b64encode(digest).decode()


async def cut(chunks: AsyncIterable[bytes], first: int, size: int) -> AsyncGenerator[bytes, None]:
    """Cut the stream into pieces: the first of ``first`` bytes, the others of ``size``; the last may be smaller."""
    held, wanted = bytearray(), first
    async for chunk in chunks:
        view = memoryview(chunk)
        while view:
            taken = view[: wanted - len(held)]
            held += taken
            view = view[len(taken) :]
            if len(held) == wanted:
                yield bytes(held)
                held, wanted = bytearray(), size
    if held:
        yield bytes(held)


@define
class PartSender:
    """Sends parts of one multipart upload, ``at_once`` of them at a time. `send` waits for a free slot."""

    _bucket: Bucket
    _key: str
    _upload: str
    _turns: CapacityLimiter
    _tasks: TaskGroup
    sent: dict[int, StoredPart] = field(factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, bucket: Bucket, key: str, upload: str, at_once: int) -> AsyncIterator["PartSender"]:
        """Open a sender. All parts have arrived on leaving. The first error, of any part or the block, cancels the
        rest."""
        try:
            async with create_task_group() as tasks:
                yield cls(bucket, key, upload, CapacityLimiter(at_once), tasks)
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from None

    async def send(self, number: int, body: bytes) -> None:
        """Start to send; return when the next part may be collected."""
        turn = object()
        await self._turns.acquire_on_behalf_of(turn)
        self._tasks.start_soon(self._send, number, body, turn)

    async def _send(self, number: int, body: bytes, turn: object) -> None:
        try:
            checksum = await sha256_of(body)
            self.sent[number] = await self._bucket.put_part(self._key, self._upload, number, body, sha256=checksum)
        finally:
            self._turns.release_on_behalf_of(turn)


@frozen
class Transfer:
    """Puts and gets streams."""

    bucket: Bucket
    options: S3Options

    async def put(
        self, key: str, data: AsyncIterable[bytes], content_type: str, max_size: int | None, if_absent: bool
    ) -> ObjectInfo:
        """See `ObjectStore.put`."""
        mark = {PUT_BY: secrets.token_hex(8)}
        try:
            return await self._put(key, at_most(data, max_size), mark, content_type=content_type, if_absent=if_absent)
        except (PreconditionFailed, ObjectNotFound):
            # Perhaps it is this call's own: S3 stored it, the response was lost, and the request was repeated.
            if (own := await self._find_own(key, mark)) is None:
                raise
            return own

    async def _put(
        self, key: str, data: AsyncIterable[bytes], mark: Mapping[str, str], *, content_type: str, if_absent: bool
    ) -> ObjectInfo:
        async with aclosing(cut(data, self.options.multipart_threshold, self.options.part_size)) as pieces:
            begun = [await anext(pieces, b"")]
            with suppress(StopAsyncIteration):
                begun.append(await anext(pieces))
            if len(begun) == 1:
                checksum = await sha256_of(begun[0])
                return await self.bucket.put(
                    key, begun[0], sha256=checksum, content_type=content_type, if_absent=if_absent, metadata=mark
                )
            if if_absent:
                await self._refuse_if_taken(key)
            async with self._multipart(key, content_type, mark) as upload:
                await self._put_parts(key, upload, begun, pieces, if_absent=if_absent)
        return (await self.bucket.head(key)).info

    async def _put_parts(
        self, key: str, upload: str, begun: list[bytes], rest: AsyncIterable[bytes], *, if_absent: bool
    ) -> None:
        """Send the parts. Empties ``begun``, so that sent parts leave memory."""
        async with PartSender.open(self.bucket, key, upload, self.options.parallel_parts) as sender:
            number = 0
            while begun:
                number += 1
                await sender.send(number, begun.pop(0))
            async for piece in rest:
                number += 1
                await sender.send(number, piece)
        parts = [sender.sent[number] for number in sorted(sender.sent)]
        await self.bucket.complete(key, upload, parts, if_absent=if_absent)

    @asynccontextmanager
    async def _multipart(self, key: str, content_type: str, mark: Mapping[str, str]) -> AsyncIterator[str]:
        upload = await self.bucket.begin(key, content_type=content_type, checked=True, metadata=mark)
        async with abort_on_failure(self.bucket, key, upload):
            yield upload

    async def _find_own(self, key: str, mark: Mapping[str, str]) -> ObjectInfo | None:
        """Return the object under this key if it carries the mark."""
        try:
            found = await self.bucket.head(key)
        except ObjectNotFound:
            return None
        return found.info if mark.items() <= found.metadata.items() else None

    async def _refuse_if_taken(self, key: str) -> None:
        """Fail early if the key is taken. S3 enforces write-once."""
        with suppress(ObjectNotFound):
            await self.bucket.head(key)
            raise PreconditionFailed("There is an object under this key already.")

    @asynccontextmanager
    async def get(self, key: str, byte_range: ByteRange | None) -> AsyncIterator[ObjectStream]:
        """See `ObjectStore.get`."""
        start, stop = (byte_range.start, byte_range.stop) if byte_range else (0, None)
        opened = await self._open(key, start, stop)
        if opened is None:
            yield ObjectStream((await self.bucket.head(key)).info, bytes_chunks(b""))
            return
        async with ResumableReader.over(self.bucket, opened, start, stop) as reader:
            yield ObjectStream(opened.found.info, reader.chunks())

    async def _open(self, key: str, start: int, stop: int | None) -> OpenReply | None:
        """Open the range. ``None`` for an empty range, which HTTP cannot request."""
        if start == stop:
            return None
        try:
            return await self.bucket.open(key, start=start, stop=stop)
        except RangeBeyondEnd:
            return None


@asynccontextmanager
async def abort_on_failure(bucket: Bucket, key: str, upload: str) -> AsyncIterator[None]:
    """Abort the multipart upload if the block raises or is cancelled."""
    try:
        yield
    except BaseException:
        with anyio.move_on_after(_GIVING_UP, shield=True), suppress(ImageGalleryError):
            await bucket.abort(key, upload)
        raise


@define
class ResumableReader:
    """Reads one version of an object up to ``stop``, reconnecting when the connection breaks."""

    _bucket: Bucket
    _info: ObjectInfo
    _position: int
    _stop: int
    _body: ReplyBody

    @classmethod
    @asynccontextmanager
    async def over(
        cls, bucket: Bucket, opened: OpenReply, start: int, stop: int | None
    ) -> AsyncIterator["ResumableReader"]:
        info = opened.found.info
        reader = cls(bucket, info, start, info.size if stop is None else min(stop, info.size), opened.body)
        try:
            yield reader
        finally:
            reader._body.close()  # a response that was read to its end has returned its connection already

    async def chunks(self) -> AsyncIterator[bytes]:
        failures = 0
        while self._position < self._stop:
            try:
                chunk = await self._read()
            except Unavailable:
                failures += 1
                if failures > RESUMED_AT_MOST:
                    raise
                await self._reopen()
                continue
            failures = 0
            self._position += len(chunk)
            yield chunk

    async def _read(self) -> bytes:
        with translate_errors(self._bucket.name):
            chunk = await self._body.read(CHUNK_SIZE)
        if not chunk:
            raise Unavailable("The object store ended its answer too soon.")
        return chunk

    async def _reopen(self) -> None:
        self._body.close()
        try:
            opened = await self._bucket.open(
                self._info.key, start=self._position, stop=self._stop, etag=self._info.etag
            )
        except (PreconditionFailed, ObjectNotFound, RangeBeyondEnd) as error:
            raise Unavailable("The object was replaced or deleted while it was read.") from error
        self._body = opened.body
