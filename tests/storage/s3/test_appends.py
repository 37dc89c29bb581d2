"""Objects that grow on S3: pieces that join up, also after a crash at the worst moment."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

import anyio
import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.errors import TooLarge, Unavailable
from imagegallery.storage.options import MEBIBYTE, S3Options
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3.appends import folder_of
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.pieces import SMALLEST, join_pieces, key_of
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, Broken, keys, read

KEY = "in/a"
BODY = random.Random(1).randbytes(22_000_000)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MARKS = count()


@pytest.fixture
def s3_options(s3_options: S3Options) -> S3Options:
    return attrs.evolve(s3_options, part_size=5 * MEBIBYTE, parallel_parts=3)


async def pieces(store: S3Store, append_id: str) -> list[int]:
    """The sizes of what lies there and is of use, in order."""
    return [each.stop - each.start for each in (await store._appends._grown(folder_of(KEY, append_id))).pieces]


async def left_over(store: S3Store, append_id: str) -> list[str]:
    """Everything that lies there."""
    return [info.key async for info in store._bucket.list_objects(folder_of(KEY, append_id))]


async def grown(store: S3Store, append_id: str) -> bytes:
    return b"".join([chunk async for chunk in store.read_appended(KEY, append_id)])


def piece(start: int, size: int) -> ObjectInfo:
    return ObjectInfo(key_of(".growing/x/", start, f"{next(MARKS):x}"), size, "e", NOW)


def test_pieces_join_up_from_the_start() -> None:
    full = SMALLEST
    found = join_pieces([piece(2 * full, 7), piece(0, full), piece(full, full)])
    assert [each.start for each in found.pieces] == [0, full, 2 * full]
    assert (found.size, found.tail, found.loose) == (2 * full + 7, found.pieces[-1], ())


def test_what_follows_a_gap_or_a_tail_is_loose() -> None:
    full = SMALLEST
    gap = join_pieces([piece(0, full), piece(2 * full, full)])
    assert (gap.size, gap.tail, len(gap.loose)) == (full, None, 1)
    tail = join_pieces([piece(0, 10), piece(10, full)])
    assert (tail.size, len(tail.loose)) == (10, 1)
    assert join_pieces([]).size == 0
    assert join_pieces([piece(10, 5)]).loose


def test_of_two_ways_to_join_up_the_one_that_gets_furthest_counts() -> None:
    full = SMALLEST
    tail = join_pieces([piece(0, 10), piece(0, full)])
    assert (tail.size, len(tail.loose)) == (full, 1)
    crossed = join_pieces([piece(0, full), piece(0, full + 3), piece(full, full + 7), piece(full + 3, full)])
    assert (crossed.size, len(crossed.loose)) == (2 * full + 7, 2)
    assert [(each.start, each.stop) for each in crossed.pieces] == [(0, full), (full, 2 * full + 7)]


@given(st.permutations([(0, 10), (0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 10), (3, 4), (5, 1)]))
def test_one_more_piece_takes_nothing_away(spans: list[tuple[int, int]]) -> None:
    found: list[ObjectInfo] = []
    size = 0
    for start, length in spans:
        found.append(piece(start * SMALLEST, length * SMALLEST))
        grown = join_pieces(found)
        ends = [0, *(each.stop for each in grown.pieces)]
        assert [each.start for each in grown.pieces] == ends[:-1], "they join up"
        assert size <= grown.size == ends[-1]
        size = grown.size


async def test_small_appends_make_pieces_that_are_large_enough(s3: S3Store) -> None:
    append_id = await s3.begin_append(KEY, content_type=TYPE)
    offset = 0
    for size in (1, 2 * MEBIBYTE, 4 * MEBIBYTE, 7 * MEBIBYTE, 3, 6 * MEBIBYTE):
        offset = await s3.append(KEY, append_id, bytes_chunks(BODY[offset : offset + size]), offset=offset)
    sizes = await pieces(s3, append_id)
    assert all(size >= SMALLEST for size in sizes[:-1])
    assert sum(sizes) == offset
    await s3.finish_append(KEY, append_id)
    assert await read(s3, KEY) == BODY[:offset]
    assert await left_over(s3, append_id) == []


async def test_pieces_that_arrived_before_a_failure_are_kept(s3: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second piece fails while the third arrives: the gap ends what is there, and the next append closes it."""
    append_id = await s3.begin_append(KEY, content_type=TYPE)
    put, third = Bucket.put, []

    async def failing(self: Bucket, key: str, body: bytes, **named: object) -> ObjectInfo:
        start = int(key.rpartition("/")[2].partition("-")[0], 16)
        if start == 5 * MEBIBYTE:
            raise Unavailable("The object store is busy.")
        third.append(start)
        return await put(self, key, body, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", failing)
        with pytest.raises(Unavailable):
            await s3.append(KEY, append_id, bytes_chunks(BODY), offset=0)
    assert await s3.appended(KEY, append_id) == 5 * MEBIBYTE
    assert await grown(s3, append_id) == BODY[: 5 * MEBIBYTE]
    await s3.append(KEY, append_id, bytes_chunks(b"other bytes"), offset=5 * MEBIBYTE)
    assert await pieces(s3, append_id) == [5 * MEBIBYTE, 11]
    await s3.finish_append(KEY, append_id)
    assert await read(s3, KEY) == BODY[: 5 * MEBIBYTE] + b"other bytes"


async def test_bytes_that_fill_no_piece_are_kept_when_the_stream_breaks_off(s3: S3Store) -> None:
    append_id = await s3.begin_append(KEY, content_type=TYPE)

    async def broken() -> AsyncIterator[bytes]:
        yield BODY[:100]
        yield BODY[100 : 6 * MEBIBYTE]
        raise Broken

    with pytest.raises(Broken):
        await s3.append(KEY, append_id, broken(), offset=0)
    assert await s3.appended(KEY, append_id) == 6 * MEBIBYTE


async def test_of_too_much_no_piece_stays(s3: S3Store) -> None:
    append_id = await s3.begin_append(KEY, content_type=TYPE)
    await s3.append(KEY, append_id, bytes_chunks(b"tail"), offset=0)
    with pytest.raises(TooLarge):
        await s3.append(KEY, append_id, bytes_chunks(BODY), offset=4, max_size=len(BODY))
    assert await pieces(s3, append_id) == [4]
    assert len(await left_over(s3, append_id)) == 2, "it, and what tells that it was begun"
    assert await grown(s3, append_id) == b"tail"


async def test_who_has_lost_the_lock_without_knowing_takes_nothing_away(s3: S3Store) -> None:
    """The second writer began when the first had come to a halt; that one then goes on with what it still held."""
    append_id = await s3.begin_append(KEY, content_type=TYPE)
    await s3.append(KEY, append_id, bytes_chunks(BODY[:100]), offset=0)
    halted, go_on = anyio.Event(), anyio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield BODY[100:200]
        halted.set()
        await go_on.wait()
        raise Broken

    async def first_writer() -> None:
        with pytest.raises(Broken):
            await s3.append(KEY, append_id, halting(), offset=100)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first_writer)
        await halted.wait()
        assert await s3.append(KEY, append_id, bytes_chunks(BODY[100:]), offset=100) == len(BODY)
        go_on.set()
    assert await s3.appended(KEY, append_id) == len(BODY)
    assert (await s3.finish_append(KEY, append_id)).size == len(BODY)
    assert await read(s3, KEY) == BODY


@pytest.mark.parametrize("stage", ["delete", "delete_all"])
async def test_an_end_cut_short_can_be_repeated(s3: S3Store, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    append_id = await s3.begin_append(KEY, content_type=TYPE)
    await s3.append(KEY, append_id, bytes_chunks(BODY), offset=0)

    async def stop(*_: object, **__: object) -> None:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, stage, stop)
        with pytest.raises(Broken):
            await s3.finish_append(KEY, append_id)
    assert (await s3.finish_append(KEY, append_id)).size == len(BODY)
    assert await left_over(s3, append_id) == []
    assert await read(s3, KEY) == BODY
    assert await keys(s3) == [KEY]


async def test_what_was_forgotten_is_cleared(s3: S3Store) -> None:
    old = await s3.begin_append(KEY, content_type=TYPE)
    await s3.append(KEY, old, bytes_chunks(b"old"), offset=0)
    assert await s3.clear_drafts(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert await s3.appended(KEY, old) == 3
    assert await s3.clear_drafts(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert [info async for info in s3._bucket.list_objects("")] == []
