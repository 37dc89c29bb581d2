"""Large objects on S3: in parts, some at once, with bounded memory, whole or not at all; and reads that go on."""

import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import anyio
import attrs
import pytest
from anyio import CancelScope, sleep_forever
from anyio.abc import SocketAttribute, SocketStream

from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import PreconditionFailed, TooLarge, Unavailable
from imagegallery.storage.options import MEBIBYTE, S3Options
from imagegallery.storage.protocol import ByteRange
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.connection import connect
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.s3.transfer import Transfer, cut
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, Broken, broken_off, keys, read

BODY = random.Random(1).randbytes(11_600_000)  # three parts, no two alike


@pytest.fixture
def s3_options(s3_options: S3Options) -> S3Options:
    return attrs.evolve(s3_options, multipart_threshold=5 * MEBIBYTE, part_size=5 * MEBIBYTE, parallel_parts=2)


@pytest.fixture
async def bucket(s3_options: S3Options) -> AsyncIterator[Bucket]:
    """The same place, to look into."""
    async with connect(s3_options, AWS) as connection:
        yield connection.bucket


async def unfinished(bucket: Bucket) -> int:
    """How many multipart uploads nobody has completed or aborted."""
    reply = await bucket.client.list_multipart_uploads(Bucket=bucket.name, Prefix=bucket.prefix)
    return len(reply.get("Uploads", ()))


async def test_a_stream_is_cut_to_size() -> None:
    pieces = [piece async for piece in cut(bytes_chunks(b"abcdefghijk", 4), 5, 3)]
    assert pieces == [b"abcde", b"fgh", b"ijk"]
    assert [piece async for piece in cut(bytes_chunks(b"abcd", 3), 4, 3)] == [b"abcd"]
    assert [piece async for piece in cut(bytes_chunks(b""), 4, 3)] == []


@pytest.mark.parametrize("extra", [0, 1, 5 * MEBIBYTE, 6 * MEBIBYTE])
async def test_what_is_over_the_threshold_travels_in_parts(s3: S3Store, extra: int) -> None:
    body = BODY[: 5 * MEBIBYTE + extra]
    info = await s3.put("a", bytes_chunks(body), content_type=TYPE)
    assert info.size == len(body)
    assert ("-" in info.etag) is (extra > 0), "S3 marks the etag of what came in parts with their number"
    assert await read(s3, "a") == body


async def test_parts_travel_at_once_and_no_more_are_read_than_that(s3: S3Store, bucket: Bucket) -> None:
    """The stream is asked for more only while fewer parts than allowed are on their way."""
    taken, waiting = 0, anyio.Event()
    sending = 0
    most = 0
    send = Bucket.put_part

    async def watched(self: Bucket, *arguments: object, **named: object) -> object:
        nonlocal sending, most
        sending += 1
        most = max(most, sending)
        if sending == 2 and not waiting.is_set():
            await anyio.wait_all_tasks_blocked()
            assert taken <= 3 * 5 * MEBIBYTE, "two parts are on their way, and one waits"
            waiting.set()
        await waiting.wait()
        try:
            return await send(self, *arguments, **named)  # type: ignore[arg-type]
        finally:
            sending -= 1

    async def stream() -> AsyncIterator[bytes]:
        nonlocal taken
        for start in range(0, len(BODY) * 2, MEBIBYTE):
            taken = start
            yield (BODY + BODY)[start : start + MEBIBYTE]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bucket, "put_part", watched)
        await s3.put("a", stream(), content_type=TYPE)
    assert most == 2
    assert await read(s3, "a") == BODY + BODY


async def test_what_breaks_off_is_forgotten(s3: S3Store, bucket: Bucket) -> None:
    with pytest.raises(Broken):
        await s3.put("a", broken_off(BODY), content_type=TYPE)
    with pytest.raises(TooLarge):
        await s3.put("a", bytes_chunks(BODY), content_type=TYPE, max_size=len(BODY) - 1)
    assert await unfinished(bucket) == 0
    assert await keys(s3) == []


async def test_what_is_cancelled_is_forgotten(s3: S3Store, bucket: Bucket) -> None:
    scope = CancelScope()

    async def stream() -> AsyncIterator[bytes]:
        yield BODY
        assert await unfinished(bucket) == 1
        scope.cancel()
        await sleep_forever()

    with scope:
        await s3.put("a", stream(), content_type=TYPE)
    assert scope.cancelled_caught
    assert await unfinished(bucket) == 0
    assert await keys(s3) == []


async def test_parts_do_not_overwrite_what_came_meanwhile(s3: S3Store, bucket: Bucket) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield BODY
        await s3.put("a", bytes_chunks(b"first"), content_type=TYPE)

    with pytest.raises(PreconditionFailed):
        await s3.put("a", stream(), content_type=TYPE, if_absent=True)
    assert await read(s3, "a") == b"first"
    assert await unfinished(bucket) == 0


async def test_a_taken_key_is_refused_before_parts_are_sent(s3: S3Store) -> None:
    await s3.put("a", bytes_chunks(b"first"), content_type=TYPE)
    taken = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal taken
        for taken in range(0, 100 * MEBIBYTE, MEBIBYTE):  # noqa: B007 - counts what was asked for
            yield bytes(MEBIBYTE)

    with pytest.raises(PreconditionFailed):
        await s3.put("a", stream(), content_type=TYPE, if_absent=True)
    assert taken <= 11 * MEBIBYTE


# --- connections that break ----------------------------------------------------------------------------------


@asynccontextmanager
async def cutting(server_url: str, limits: list[int]) -> AsyncIterator[str]:
    """A network that cuts its connections after so many bytes of answers, one after the other; later ones hold."""
    url = urlsplit(server_url)
    assert url.hostname is not None
    assert url.port is not None

    async def carry(client: SocketStream) -> None:
        left = limits.pop(0) if limits else sys.maxsize
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            server = await anyio.connect_tcp(str(url.hostname), int(url.port or 0))
            async with client, server, anyio.create_task_group() as tasks:
                tasks.start_soon(pump, client, server)
                while left > 0:
                    chunk = await server.receive(min(65_536, left))
                    left -= len(chunk)
                    await client.send(chunk)
                tasks.cancel_scope.cancel()

    async def pump(source: SocketStream, target: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                await target.send(await source.receive())

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, carry)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def over(url: str, options: S3Options) -> AsyncIterator[S3Store]:
    one_try = attrs.evolve(AWS, max_attempts=1, connections=1)
    async with S3Store.open(attrs.evolve(options, endpoint_url=url), one_try) as store:
        yield store


@pytest.mark.parametrize("byte_range", [None, ByteRange(1_000, 11_000_000)])
async def test_a_read_that_breaks_off_goes_on_where_it_was(
    s3: S3Store, s3_options: S3Options, byte_range: ByteRange | None
) -> None:
    await s3.put("a", bytes_chunks(BODY), content_type=TYPE)
    async with (
        cutting(str(s3_options.endpoint_url), [3_000_000, 70_000, 5_000_000]) as url,
        over(url, s3_options) as far,
    ):
        wanted = BODY[byte_range.start : byte_range.stop] if byte_range else BODY
        assert await read(far, "a", byte_range) == wanted


async def test_a_read_does_not_go_on_in_another_version(s3: S3Store, s3_options: S3Options) -> None:
    await s3.put("a", bytes_chunks(BODY), content_type=TYPE)
    async with (
        cutting(str(s3_options.endpoint_url), [3_000_000]) as url,
        over(url, s3_options) as far,
        far.get("a") as stream,
    ):
        await anext(stream.chunks)
        await s3.put("a", bytes_chunks(BODY[::-1]), content_type=TYPE)
        with pytest.raises(Unavailable, match="replaced"):
            [chunk async for chunk in stream.chunks]


async def test_a_read_that_breaks_off_again_and_again_is_given_up(s3: S3Store, s3_options: S3Options) -> None:
    await s3.put("a", bytes_chunks(BODY), content_type=TYPE)
    async with cutting(str(s3_options.endpoint_url), [3_000_000, *[100] * 20]) as url, over(url, s3_options) as far:
        with pytest.raises(Unavailable):
            await read(far, "a")


async def test_a_read_that_is_left_gives_its_connection_back(s3: S3Store, s3_options: S3Options) -> None:
    await s3.put("a", bytes_chunks(BODY), content_type=TYPE)
    async with over(str(s3_options.endpoint_url), s3_options) as store:
        for _ in range(3):
            async with store.get("a") as stream:
                await anext(stream.chunks)
        with anyio.fail_after(30):
            assert (await store.head("a")).size == len(BODY)


# --- answers that are lost -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"small", BODY], ids=["at once", "in parts"])
async def test_what_was_stored_though_the_answer_was_lost_is_no_conflict_with_itself(
    s3_options: S3Options, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """botocore sends again what got no answer; S3 then finds the key taken: by the object that was sent before."""
    async with connect(s3_options, AWS) as connection:
        bucket = connection.bucket
        send, lost = Bucket._send, []

        async def losing(self: Bucket, operation: str, key: str, **parameters: object) -> object:
            answer = await send(self, operation, key, **parameters)
            if operation in ("put_object", "complete_multipart_upload"):
                lost.append(answer)
                return await send(self, operation, key, **parameters)
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(Bucket, "_send", losing)
            info = await Transfer(bucket, s3_options).put("a", bytes_chunks(body), TYPE, None, True)
        assert len(lost) == 1
        assert info == (await bucket.head("a")).info
        assert info.size == len(body)
        with pytest.raises(PreconditionFailed):
            await Transfer(bucket, s3_options).put("a", bytes_chunks(body), TYPE, None, True)
