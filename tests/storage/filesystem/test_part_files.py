"""Parts in a folder: what happens where the system cannot help, and when a process dies in the middle."""

import errno
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.clock import ManualClock

from imagegallery.clock import utc_now
from imagegallery.errors import ObjectNotFound, PreconditionFailed, TooLarge, Unavailable
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import Part
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import keys, read

LATER = datetime(2100, 1, 1, tzinfo=UTC)
KEY = "in/a"
Send = Callable[[int, bytes], Awaitable[None]]


def store_at(root: Path) -> FilesystemStore:
    return FilesystemStore(root, UrlSigner(b"a secret of the tests", utc_now))


async def begun(store: FilesystemStore, *bodies: bytes) -> tuple[str, list[Part]]:
    """An upload with these parts."""
    multipart_id = await store.create_multipart(KEY, content_type="image/jpeg")
    for number, body in enumerate(bodies, 1):
        request = await store.presign_part(KEY, multipart_id, number, size=len(body), expires_at=LATER)
        await store.accept(request.url.removeprefix("/objects/"), bytes_chunks(body), content_type="")
    return multipart_id, await store.list_parts(KEY, multipart_id)


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.ENOSYS, errno.EINVAL, None])
async def test_parts_are_joined_where_the_system_cannot_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int | None
) -> None:
    def cannot(*_: object) -> int:
        raise OSError(reason, "cannot copy")

    if reason is None:
        monkeypatch.delattr(os, "copy_file_range")
    else:
        monkeypatch.setattr(os, "copy_file_range", cannot)
    async with store_at(tmp_path) as store:
        bodies = (bytes([1]) * 3_000_001, bytes([2]) * 500_000, b"end")
        multipart_id, parts = await begun(store, *bodies)
        await store.complete_multipart(KEY, multipart_id, parts)
        assert await read(store, KEY) == b"".join(bodies)


async def test_a_full_disk_leaves_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    async with store_at(tmp_path) as store:
        multipart_id, parts = await begun(store, b"one", b"two")
        with monkeypatch.context() as broken:
            broken.setattr(os, "copy_file_range", full)
            with pytest.raises(Unavailable):
                await store.complete_multipart(KEY, multipart_id, parts)
        assert await keys(store) == []
        assert await store.list_parts(KEY, multipart_id) == parts
        await store.complete_multipart(KEY, multipart_id, parts)
        assert await read(store, KEY) == b"onetwo"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["_make_whole", "_publish", "forget"])
async def test_a_process_that_dies_while_joining_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Right before each step; the next process finds the parts, or the object, and never half of it."""

    def die(*_: object) -> None:
        raise Killed

    place = "imagegallery.storage.filesystem.part_files"
    target = f"{place}.{moment}" if moment == "_make_whole" else f"{place}.PartFiles.{moment}"
    async with store_at(tmp_path) as dying:
        multipart_id, parts = await begun(dying, b"one", b"two")
        with monkeypatch.context() as broken:
            broken.setattr(target, die)
            with pytest.raises(Killed):
                await dying.complete_multipart(KEY, multipart_id, parts)
        async with store_at(tmp_path) as store:
            assert await keys(store) == ([KEY] if moment == "forget" else [])
            info = await store.complete_multipart(KEY, multipart_id, parts)
            assert await store.complete_multipart(KEY, multipart_id, parts) == info
            assert await read(store, KEY) == b"onetwo"
    assert _under_way(tmp_path) == []


async def test_parts_have_no_more_together_than_was_signed(tmp_path: Path) -> None:
    async with store_at(tmp_path) as store:
        multipart_id = await store.create_multipart(KEY, content_type="image/jpeg")

        async def send(number: int, body: bytes) -> None:
            request = await store.presign_part(KEY, multipart_id, number, size=10, expires_at=LATER, total=10)
            await store.accept(request.url.removeprefix("/objects/"), bytes_chunks(body), content_type="")

        await send(1, b"123456")
        with pytest.raises(TooLarge):
            await send(2, b"78901")
        await send(1, b"12345")  # in place of the longer one
        await send(2, b"67890")
        assert [part.size for part in await store.list_parts(KEY, multipart_id)] == [5, 5]


async def test_forgotten_uploads_are_cleared_and_others_are_not(tmp_path: Path) -> None:
    clock = ManualClock(utc_now())
    async with FilesystemStore(tmp_path, UrlSigner(b"a secret of the tests", clock), clock) as store:
        forgotten = await store.create_multipart(KEY, content_type="image/jpeg")
        clock.advance(timedelta(hours=1))
        kept, parts = await begun(store, b"one")
        assert await store.clear_drafts(clock() - timedelta(minutes=1)) == 1
        assert await store.list_parts(KEY, kept) == parts
        with pytest.raises(ObjectNotFound):
            await store.list_parts(KEY, forgotten)
        assert await store.clear_drafts(clock() + timedelta(minutes=1)) == 1
    assert _under_way(tmp_path) == []


async def test_an_only_part_is_not_copied(tmp_path: Path) -> None:
    async with store_at(tmp_path) as store:
        multipart_id, parts = await begun(store, b"all of it")
        (file,) = tmp_path.glob(".scratch/parts/*/1")
        inode = file.stat().st_ino
        await store.complete_multipart(KEY, multipart_id, parts)
        assert store.local_path(KEY).stat().st_ino == inode


async def test_parts_outlive_the_process_that_took_them(tmp_path: Path) -> None:
    async with store_at(tmp_path) as store:
        multipart_id, parts = await begun(store, b"one", b"two")
    async with store_at(tmp_path) as store:
        assert await store.list_parts(KEY, multipart_id) == parts
        assert await keys(store) == []


async def test_a_part_that_was_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    async with store_at(tmp_path / "objects") as store:
        multipart_id, parts = await begun(store, b"one", b"two")
        secret = tmp_path / "secret"
        secret.write_bytes(b"two")
        (file,) = tmp_path.glob("objects/.scratch/parts/*/2")
        file.unlink()
        file.symlink_to(secret)
        with pytest.raises(PreconditionFailed):
            await store.complete_multipart(KEY, multipart_id, parts)
        assert await keys(store) == []


def _under_way(root: Path) -> list[str]:
    return [path.name for path in root.glob(".scratch/parts/*")]
