"""Files that grow: fenced against a writer that was taken for dead, and durable as far as they say."""

import errno
import os
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest
from tests.support.clock import ManualClock

from imagegallery.clock import utc_now
from imagegallery.errors import InvalidInput, ObjectNotFound, PreconditionFailed, Unavailable
from imagegallery.storage.filesystem import appends
from imagegallery.storage.filesystem.appends import GrowingFile
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import CHUNK_SIZE, bytes_chunks
from imagegallery.testing.storage.base import read

KEY = "incoming/a"
TYPE = "image/jpeg"


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[FilesystemStore]:
    async with FilesystemStore(tmp_path, UrlSigner(b"a secret of the tests", clock), clock) as store:
        yield store


def another(store: FilesystemStore) -> FilesystemStore:
    """The same store in another process."""
    return FilesystemStore(store._root, UrlSigner(b"a secret of the tests", utc_now))


async def test_a_writer_that_is_not_dead_keeps_its_successor_waiting(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_id = await store.begin_append(KEY, content_type=TYPE)
    came, go_on = anyio.Event(), anyio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        came.set()
        await go_on.wait()

    async def first() -> None:
        assert await store.append(KEY, append_id, slow(), offset=0) == 5

    async with another(store) as successor, anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await came.wait()
        with monkeypatch.context() as patch:
            patch.setattr(appends, "_PATIENCE", timedelta(milliseconds=50))
            for act in (
                lambda: successor.append(KEY, append_id, bytes_chunks(b"second"), offset=0),
                lambda: successor.finish_append(KEY, append_id),
            ):
                with pytest.raises(Unavailable):
                    await act()
        go_on.set()
        with pytest.raises(PreconditionFailed):
            await successor.append(KEY, append_id, bytes_chunks(b"second"), offset=0)
        assert await successor.append(KEY, append_id, bytes_chunks(b" second"), offset=5) == 12
        assert (await successor.finish_append(KEY, append_id)).size == 12


async def test_a_writer_whose_file_was_taken_back_writes_nowhere(store: FilesystemStore) -> None:
    append_id = await store.begin_append(KEY, content_type=TYPE)

    async def taken_back() -> AsyncIterator[bytes]:
        yield b"first"
        await store.abort_append(KEY, append_id)
        yield b"second"

    await store.append(KEY, append_id, taken_back(), offset=0)
    with pytest.raises(ObjectNotFound):
        await store.finish_append(KEY, append_id)
    assert [info async for info in store.list()] == []


async def test_what_came_before_a_cancellation_is_kept_and_can_be_gone_on_from(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what waits behind the disk, and what waits for a place to wait there."""
    append_id = await store.begin_append(KEY, content_type=TYPE)
    offset = await store.append(KEY, append_id, bytes_chunks(b"acknowledged "), offset=0)
    chunks = [bytes([number]) * CHUNK_SIZE for number in range(12)]
    is_waiting, disk_works, write = anyio.Event(), threading.Event(), GrowingFile.write
    passed_on: list[bytes] = []

    def wait_and_write(file: GrowingFile, data: bytes) -> None:
        disk_works.wait()
        write(file, data)

    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            passed_on.append(chunk)
            if len(passed_on) > appends._BATCHES_AHEAD + 1:
                is_waiting.set()
            yield chunk

    monkeypatch.setattr(GrowingFile, "write", wait_and_write)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(store.append, KEY, append_id, stream(), offset=offset))
        await is_waiting.wait()
        tasks.cancel_scope.cancel()
        disk_works.set()
    kept = b"acknowledged " + b"".join(passed_on)
    offset = await store.appended(KEY, append_id)
    assert offset == len(kept) > appends._BATCHES_AHEAD * CHUNK_SIZE
    await store.append(KEY, append_id, bytes_chunks(b" the end"), offset=offset)
    await store.finish_append(KEY, append_id)
    assert await read(store, KEY) == kept + b" the end"


async def test_what_does_not_fill_a_batch_is_kept_too_and_is_not_old(
    store: FilesystemStore, clock: ManualClock
) -> None:
    append_id = await store.begin_append(KEY, content_type=TYPE)
    clock.advance(timedelta(days=50_000))
    async with anyio.create_task_group() as tasks:

        async def stream() -> AsyncIterator[bytes]:
            yield b"first"
            tasks.cancel_scope.cancel()
            yield b"second"
            await anyio.sleep_forever()

        tasks.start_soon(partial(store.append, KEY, append_id, stream(), offset=0))
    assert await store.appended(KEY, append_id) == len(b"firstsecond")
    assert await store.clear_drafts(clock() - timedelta(minutes=1)) == 0


async def test_bytes_are_synced_before_they_count(store: FilesystemStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    append_id = await store.begin_append(KEY, content_type=TYPE)
    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(appends, "SYNC_EVERY", 2_000_000)
    size = await store.append(KEY, append_id, bytes_chunks(bytes(5_000_000)), offset=0)
    assert synced[-1] == size == 5_000_000
    assert any(2_000_000 <= each < size for each in synced), "nothing was durable before the end"


async def test_a_full_disk_is_told_and_what_was_written_stays(
    store: FilesystemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_id = await store.begin_append(KEY, content_type=TYPE)
    await store.append(KEY, append_id, bytes_chunks(b"first"), offset=0)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(GrowingFile, "write", full)
        with pytest.raises(Unavailable):
            await store.append(KEY, append_id, bytes_chunks(b"second"), offset=5)
    assert await store.appended(KEY, append_id) == 5


async def test_what_grows_is_not_cleared_while_it_is_written_to(store: FilesystemStore, clock: ManualClock) -> None:
    append_id = await store.begin_append(KEY, content_type=TYPE)
    clock.advance(timedelta(hours=1))
    await store.append(KEY, append_id, bytes_chunks(b"x"), offset=0)
    assert await store.clear_drafts(clock() - timedelta(minutes=1)) == 0
    assert await store.clear_drafts(clock() + timedelta(minutes=1)) == 1
    with pytest.raises(ObjectNotFound):
        await store.appended(KEY, append_id)


async def test_it_outlives_the_process_that_began_it(store: FilesystemStore) -> None:
    append_id = await store.begin_append(KEY, content_type=TYPE)
    await store.append(KEY, append_id, bytes_chunks(b"first"), offset=0)
    await store.aclose()
    async with another(store) as later:
        assert await later.appended(KEY, append_id) == 5


async def test_a_bad_key_is_refused(store: FilesystemStore) -> None:
    for key in ("", "../outside", ".scratch/growing/x"):
        with pytest.raises(InvalidInput):
            await store.begin_append(key, content_type=TYPE)
