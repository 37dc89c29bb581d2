"""What is the filesystem store's own: how the files lie, what is durable, what a crash leaves."""

import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile

import anyio
import pytest
from anyio import fail_after
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import ManualClock

from imagegallery.errors import Conflict, InvalidInput, PreconditionFailed, Unavailable
from imagegallery.storage.filesystem.files import Reader
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ByteRange
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import CHUNK_SIZE, bytes_chunks
from imagegallery.testing.storage.base import BODY, TYPE, Broken, broken_off, keys, read, write

SECRET = b"a secret of the tests"

WRITER = """
import sys
from pathlib import Path
import anyio
from imagegallery.clock import utc_now
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner

async def stream():
    for _ in range(3):
        yield bytes(1 << 20)
    print("half way", flush=True)
    await anyio.sleep_forever()

async def main():
    async with FilesystemStore(Path(sys.argv[1]), UrlSigner(b"a secret of the tests", utc_now)) as store:
        await store.put("in/a", stream(), content_type="image/jpeg")

anyio.run(main)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


def store_at(root: Path, clock: ManualClock) -> FilesystemStore:
    return FilesystemStore(root, UrlSigner(SECRET, clock), clock)


@pytest.fixture
async def store(root: Path, clock: ManualClock) -> AsyncIterator[FilesystemStore]:
    async with store_at(root, clock) as store:
        yield store


def files(root: Path) -> list[str]:
    """All files but the locks, relative to the root."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != "lock")


async def test_an_etag_tells_nothing_of_this_machine(root: Path, store: FilesystemStore) -> None:
    info = await store.put("in/a", bytes_chunks(b"abc"), content_type=TYPE)
    status = (root / "in" / "a").stat()
    for etag in (info.etag, (await store.head("in/a")).etag):
        assert not [told for told in (status.st_ino, status.st_mtime_ns) if f"{told:x}" in etag or f"{told}" in etag]
        assert len(etag) == 32


async def test_nothing_in_it_is_open_to_others(root: Path, clock: ManualClock) -> None:
    root.mkdir(mode=0o755)
    async with store_at(root, clock) as store:
        info = await store.put("incoming/a", bytes_chunks(b"abc"), content_type="image/jpeg")
        await store.promote("incoming/a", "images/a", etag=info.etag, content_type="image/jpeg")
        await store.create_multipart("images/b", content_type="image/jpeg")
        append_id = await store.begin_append("images/c", content_type="image/jpeg")
        await store.append("images/c", append_id, bytes_chunks(b"abc"), offset=0)
        found = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}
    assert len(found) > 10
    assert [f"{path} {mode:o}" for path, mode in found.items() if mode & 0o077] == []


async def test_objects_are_plain_files_named_by_their_keys(store: FilesystemStore, root: Path) -> None:
    await write(store, "galleries/a/b.jpg", BODY)
    assert files(root) == ["galleries/a/b.jpg"]
    assert (root / "galleries/a/b.jpg").read_bytes() == BODY
    assert store.local_path("galleries/a/b.jpg") == root / "galleries/a/b.jpg"
    assert (root / "galleries/a/b.jpg").stat().st_mode & 0o111 == 0


async def test_a_file_that_was_put_there_by_hand_is_an_object(store: FilesystemStore, root: Path) -> None:
    (root / "by").mkdir()
    (root / "by" / "hand").write_bytes(BODY)
    assert await keys(store) == ["by/hand"]
    assert await read(store, "by/hand") == BODY


async def test_files_that_no_key_can_name_are_not_listed(store: FilesystemStore, root: Path) -> None:
    (root / "back\\slash").write_bytes(BODY)
    Path(os.fsdecode(os.fsencode(root) + b"/not-\xff-unicode")).write_bytes(BODY)
    assert await keys(store) == []


async def test_the_time_of_modification_is_the_clocks(store: FilesystemStore, clock: ManualClock) -> None:
    put = await write(store, "a", BODY)
    assert put.modified_at == clock()
    clock.advance(timedelta(hours=1))
    assert (await store.head("a")).modified_at == put.modified_at


async def test_the_etag_survives_promotion(store: FilesystemStore) -> None:
    put = await write(store, "in/a", BODY)
    moved = await store.promote("in/a", "out/a", etag=put.etag, content_type=TYPE)
    assert (moved.etag, moved.modified_at) == (put.etag, put.modified_at)
    assert (await store.head("out/a")).etag == put.etag


async def test_a_file_changed_by_hand_has_another_etag(store: FilesystemStore, root: Path) -> None:
    put = await write(store, "a", BODY)
    (root / "a").write_bytes(BODY[::-1])
    assert (await store.head("a")).etag != put.etag


async def test_promotion_onto_itself_loses_nothing(store: FilesystemStore) -> None:
    put = await write(store, "a", BODY)
    await store.promote("a", "a", etag=put.etag, content_type=TYPE)
    assert await read(store, "a") == BODY


async def test_a_promotion_cut_short_is_finished_by_the_next(store: FilesystemStore, root: Path) -> None:
    put = await write(store, "in/a", BODY)
    (root / "out").mkdir()
    (root / "out" / "a").hardlink_to(root / "in" / "a")  # what a crash between its two steps leaves
    moved = await store.promote("in/a", "out/a", etag=put.etag, content_type=TYPE)
    assert moved.etag == put.etag
    assert files(root) == ["out/a"]


async def test_delete_removes_empty_folders_but_not_the_topmost(store: FilesystemStore, root: Path) -> None:
    await write(store, "top/a/b/c", BODY)
    await write(store, "top/a/d", BODY)
    await store.delete("top/a/b/c")
    assert not (root / "top/a/b").exists()
    await store.delete("top/a/d")
    assert list((root / "top").iterdir()) == []


async def test_nothing_is_stored_below_an_object_or_over_a_folder(store: FilesystemStore, root: Path) -> None:
    await write(store, "a/b", BODY)
    for key in ("a/b/c", "a/b/c/d", "a"):
        with pytest.raises(Conflict):
            await write(store, key, b"other")
    assert files(root) == ["a/b"]


@pytest.mark.parametrize("key", [".scratch", ".scratch/lock", ".SCRATCH/x", ".scratch/process-1/x"])
async def test_the_scratch_folder_cannot_be_reached_by_key(store: FilesystemStore, key: str) -> None:
    for act in (store.head(key), store.delete(key), write(store, key, BODY), read(store, key)):
        with pytest.raises(InvalidInput):
            await act
    with pytest.raises(InvalidInput):
        store.local_path(key)


async def test_the_scratch_folder_is_not_listed(store: FilesystemStore, root: Path) -> None:
    assert (root / ".scratch" / "lock").exists()
    assert await keys(store) == []
    assert await keys(store, ".scratch") == []
    with pytest.raises(InvalidInput):
        await keys(store, ".scratch/")


async def test_nothing_temporary_is_left(store: FilesystemStore, root: Path) -> None:
    with pytest.raises(Broken):
        await store.put("a", broken_off(bytes(3 * CHUNK_SIZE)), content_type=TYPE)
    put = await write(store, "in/a", BODY, if_absent=True)
    with pytest.raises(PreconditionFailed):
        await write(store, "in/a", BODY, if_absent=True)
    with pytest.raises(PreconditionFailed):
        await store.promote("in/a", "out/a", etag="another", content_type=TYPE)
    await store.promote("in/a", "out/a", etag=put.etag, content_type=TYPE)
    assert files(root) == ["out/a"]


async def test_a_taken_key_is_refused_before_the_stream_is_read(store: FilesystemStore) -> None:
    await write(store, "a", BODY)
    with pytest.raises(PreconditionFailed):
        await store.put("a", broken_off(b""), content_type=TYPE, if_absent=True)


async def test_a_full_disk_is_a_temporary_state(store: FilesystemStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("imagegallery.storage.filesystem.files.os.fsync", full)
        with pytest.raises(Unavailable):
            await write(store, "a", BODY)
    assert await keys(store) == []


async def test_a_store_works_without_being_entered(root: Path, clock: ManualClock) -> None:
    store = store_at(root, clock)
    assert await keys(store) == []
    await write(store, "a", BODY)
    assert await read(store, "a") == BODY
    await store.aclose()
    await store.aclose()
    assert files(root) == ["a"]


async def test_two_stores_share_a_root(root: Path, clock: ManualClock) -> None:
    async with store_at(root, clock) as one, store_at(root, clock) as other:
        await write(one, "a", BODY)
        assert await read(other, "a") == BODY
        with pytest.raises(PreconditionFailed):
            await write(other, "a", b"x", if_absent=True)


async def test_a_writer_killed_half_way_leaves_nothing_after_the_next_open(root: Path, clock: ManualClock) -> None:
    async with await anyio.open_process([sys.executable, "-c", WRITER, str(root)], stderr=None) as writer:
        assert writer.stdout is not None
        with fail_after(60):
            assert (await writer.stdout.receive()).startswith(b"half way")
        os.kill(writer.pid, signal.SIGKILL)
        await writer.wait()
    assert len(files(root)) == 1
    assert files(root)[0].startswith(".scratch/"), "the file in the making is not where objects are"
    async with store_at(root, clock) as store:
        assert files(root) == []
        assert await keys(store) == []


@given(
    start=st.integers(0, 3 * CHUNK_SIZE),
    length=st.integers(0, 3 * CHUNK_SIZE),
    size=st.integers(0, 5 * CHUNK_SIZE // 2),
)
def test_a_reader_reads_the_slice_and_closes_its_file(start: int, length: int, size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    with TemporaryFile(buffering=0) as file:
        file.write(data)
        descriptor = os.dup(file.fileno())
        reader = Reader(descriptor, ByteRange(start, start + length))
        result = reader.first
        while not reader.closed:
            result += reader.read()
        assert result == data[start : start + length]
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4)])
def test_a_range_that_is_none_cannot_be_made(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=r"-1|4"):
        ByteRange(start, stop)


async def test_a_root_that_is_gone_is_no_object_s_absence(root: Path, clock: ManualClock) -> None:
    """A directory that somebody moved away, or a disk that came off."""
    async with store_at(root, clock) as store:
        await write(store, "in/a", BODY)
        away = await anyio.Path(root).rename(root.with_name("away"))
        for asked in (
            store.head("in/a"),
            read(store, "in/a"),
            write(store, "in/b", BODY),
            store.delete("in/a"),
            keys(store),
        ):
            with pytest.raises(Unavailable):
                await asked
        await away.rename(root)
        assert await read(store, "in/a") == BODY
