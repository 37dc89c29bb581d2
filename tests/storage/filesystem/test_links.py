"""Symbolic links (and other things that are not files) below the root lead nowhere."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
from anyio import fail_after

from imagegallery.clock import utc_now
from imagegallery.errors import ConfigurationError, Conflict, ObjectNotFound, PreconditionFailed
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery.testing.storage.base import BODY, TYPE, keys, read, write

SECRET = b"not for your eyes"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside" / "folder").mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    (tmp_path / "outside" / "folder" / "secret").write_bytes(SECRET)
    return tmp_path / "outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
async def store(root: Path) -> AsyncIterator[FilesystemStore]:
    async with FilesystemStore(root, UrlSigner(b"a secret of the tests", utc_now)) as store:
        yield store


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def untouched(outside: Path) -> Callable[[], bool]:
    before = contents(outside)
    return lambda: contents(outside) == before


@pytest.mark.parametrize("key", ["link/secret", "link/folder/secret", "deep/link/secret", "file", "loop", "loop/x"])
async def test_links_are_not_followed(
    store: FilesystemStore, root: Path, outside: Path, untouched: Callable[[], bool], key: str
) -> None:
    (root / "deep").mkdir()
    (root / "link").symlink_to(outside)
    (root / "deep" / "link").symlink_to(outside, target_is_directory=True)
    (root / "file").symlink_to(outside / "secret")
    (root / "loop").symlink_to(root / "loop")
    good = await write(store, "good", BODY)
    with pytest.raises(ObjectNotFound):
        await store.head(key)
    with pytest.raises(ObjectNotFound):
        await read(store, key)
    with pytest.raises(ObjectNotFound):
        await store.promote(key, "stolen", etag="x", content_type=TYPE)
    with pytest.raises((Conflict, PreconditionFailed)):
        await write(store, key, BODY, if_absent=True)
    with pytest.raises((Conflict, PreconditionFailed)):
        await store.promote("good", key, etag=good.etag, content_type=TYPE)
    await store.delete(key)
    assert await keys(store) == ["good"]
    assert await keys(store, f"{key}/") == []
    assert untouched()


async def test_a_file_link_is_replaced_not_written_through(
    store: FilesystemStore, root: Path, outside: Path, untouched: Callable[[], bool]
) -> None:
    (root / "file").symlink_to(outside / "secret")
    await write(store, "file", BODY)
    assert await read(store, "file") == BODY
    assert not (root / "file").is_symlink()
    assert untouched()


async def test_a_folder_swapped_for_a_link_while_bytes_arrive(
    store: FilesystemStore, root: Path, outside: Path, untouched: Callable[[], bool]
) -> None:
    await write(store, "folder/a", BODY)

    async def stream() -> AsyncIterator[bytes]:
        yield BODY
        await anyio.Path(root / "folder").rename(root / "elsewhere")
        await anyio.Path(root / "folder").symlink_to(outside)
        yield BODY

    with pytest.raises(Conflict):
        await store.put("folder/b", stream(), content_type=TYPE)
    assert untouched()
    assert await keys(store) == ["elsewhere/a"]


@pytest.mark.parametrize("swapped", ["a", "b", "secret"])
async def test_a_name_swapped_for_a_link_right_before_it_is_opened(
    store: FilesystemStore,
    outside: Path,
    untouched: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    swapped: str,
) -> None:
    enter = os.open
    to_swap = [swapped]

    def swap_and_open(path: str, flags: int, *mode: int, dir_fd: int | None = None) -> int:
        if path in to_swap:
            to_swap.remove(path)
            os.rename(path, f"{path}-swapped", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
            os.symlink(outside, path, dir_fd=dir_fd)
        return enter(path, flags, *mode, dir_fd=dir_fd)

    await write(store, "a/b/secret", BODY)
    with monkeypatch.context() as patched:
        patched.setattr("imagegallery.storage.filesystem.tree.os.open", swap_and_open)
        with pytest.raises(ObjectNotFound):
            await read(store, "a/b/secret")
    assert to_swap == []
    assert untouched()


async def test_what_is_no_file_is_not_there_and_does_not_block(store: FilesystemStore, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with fail_after(10):
        with pytest.raises(ObjectNotFound):
            await read(store, "pipe")
        with pytest.raises(ObjectNotFound):
            await store.head("pipe")
    assert await keys(store) == []


async def test_the_root_itself_may_be_a_link(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "objects").symlink_to(outside)
    async with FilesystemStore(tmp_path / "objects", UrlSigner(b"a secret of the tests", utc_now)) as store:
        assert await read(store, "folder/secret") == SECRET


async def test_a_scratch_folder_that_is_a_link_is_refused(
    root: Path, outside: Path, untouched: Callable[[], bool]
) -> None:
    root.mkdir()
    (root / ".scratch").symlink_to(outside)
    with pytest.raises(ConfigurationError):
        async with FilesystemStore(root, UrlSigner(b"a secret of the tests", utc_now)):
            pass
    assert untouched()
