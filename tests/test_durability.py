"""What is promised outlives a power failure at any moment: bytes and names are synced before they count.

A story writes, and yields what it was promised, each time that it was: a check of what a failure may have left. It has
to hold until the next one, so it says what may become of it meanwhile.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from anyio import to_thread
from tests.support.clock import ManualClock
from tests.support.disk import Disk

from imagegallery.client.statefile import FileKey, RememberedUpload, StateFile
from imagegallery.common import folders
from imagegallery.database.embedded.cluster import _put_in_place
from imagegallery.errors import ObjectNotFound, PreconditionFailed
from imagegallery.settings import Settings
from imagegallery.storage.filesystem.appends import GrowingFile
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, read, write

Check = Callable[[Path], Awaitable[None]]
Story = Callable[[Path, Disk], AsyncIterator[Check]]

KEY = "library/images/a/original.jpg"
INCOMING = "incoming/a"
LATER = datetime(2100, 1, 1, tzinfo=UTC)
CLOCK = ManualClock()
LINE = FileKey("/photos/tram.jpg", 1, 1, "here")


def store_at(root: Path) -> FilesystemStore:
    return FilesystemStore(root / "data" / "objects", UrlSigner(b"a secret of the tests", CLOCK), CLOCK)


def holding(contents: Collection[bytes], *keys: str) -> Check:
    """One of these contents is under one of these keys."""

    async def check(root: Path) -> None:
        async with store_at(root) as store:
            assert [found for key in keys if (found := await _read(store, key)) in contents], "it is gone"

    return check


async def _read(store: FilesystemStore, key: str) -> bytes | None:
    try:
        return await read(store, key)
    except ObjectNotFound:
        return None


async def put(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        await write(store, KEY, b"first")
        yield holding({b"first", b"second"}, KEY)
        await write(store, KEY, b"second")
        yield holding({b"second"}, KEY)


async def put_where_another_is_just_putting(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:

        async def overtaken() -> AsyncIterator[bytes]:
            yield b"second"
            with disk.before_folders_are_synced():
                await write(store, KEY, b"first")

        with pytest.raises(PreconditionFailed):
            await store.put(KEY, overtaken(), content_type=TYPE, if_absent=True)
        yield holding({b"first"}, KEY)


async def put_beside_what_another_is_just_putting(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        with disk.before_folders_are_synced():
            await write(store, "library/images/a/medium.webp", b"other")
        await write(store, KEY, b"first")
        yield holding({b"first"}, KEY)


async def signed_upload_that_comes_twice(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        request = await store.presign_upload(INCOMING, content_type=TYPE, size=5, sha256=None, expires_at=LATER)
        token = request.url.removeprefix("/objects/")
        with disk.before_folders_are_synced():
            await store.accept(token, bytes_chunks(b"first"), content_type=TYPE)
        await store.accept(token, bytes_chunks(b"first"), content_type=TYPE)
        yield holding({b"first"}, INCOMING)


async def promotion(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        info = await write(store, INCOMING, b"first")
        yield holding({b"first"}, INCOMING, KEY)
        await store.promote(INCOMING, KEY, etag=info.etag, content_type=TYPE)
        yield holding({b"first"}, KEY)


async def promotion_that_another_is_at(root: Path, disk: Disk) -> AsyncIterator[Check]:
    """The other has given it its new name, and not yet taken the old one."""
    async with store_at(root) as store:
        info = await write(store, INCOMING, b"first")
        yield holding({b"first"}, INCOMING, KEY)
        with disk.before_folders_are_synced():
            source, target = store.local_path(INCOMING), store.local_path(KEY)
            target.parent.mkdir(parents=True)
            target.hardlink_to(source)
        await store.promote(INCOMING, KEY, etag=info.etag, content_type=TYPE)
        yield holding({b"first"}, KEY)


async def promotion_while_the_source_is_put_again(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        info = await write(store, INCOMING, b"first")
        await write(store, "incoming/b", b"second")
        place = store._tree._place_claim

        def placed_and_put_again(scratch: Scratch, claim: str, target: str, status: os.stat_result) -> None:
            place(scratch, claim, target, status)
            store.local_path("incoming/b").replace(store.local_path(INCOMING))
            folders.sync(store.local_path(INCOMING).parent)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store._tree, "_place_claim", placed_and_put_again)
            await store.promote(INCOMING, KEY, etag=info.etag, content_type=TYPE)
        yield holding({b"second"}, INCOMING)


async def parts(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        multipart_id = await store.create_multipart(INCOMING, content_type=TYPE)

        def taking(*bodies: bytes) -> Check:
            """The upload goes on, with these parts, or it has become the object."""

            async def check(root: Path) -> None:
                async with store_at(root) as store:
                    if await _read(store, INCOMING) != b"onetwo":
                        sizes = [part.size for part in await store.list_parts(INCOMING, multipart_id)]
                        assert sizes[: len(bodies)] == [len(body) for body in bodies]

            return check

        bodies: list[bytes] = []
        yield taking()
        for number, body in enumerate((b"one", b"two"), 1):
            request = await store.presign_part(INCOMING, multipart_id, number, size=len(body), expires_at=LATER)
            await store.accept(request.url.removeprefix("/objects/"), bytes_chunks(body), content_type="")
            bodies.append(body)
            yield taking(*bodies)
        await store.complete_multipart(INCOMING, multipart_id, await store.list_parts(INCOMING, multipart_id))
        yield holding({b"onetwo"}, INCOMING)


async def appending(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        append_id = await store.begin_append(INCOMING, content_type=TYPE)

        def going_on_from(content: bytes) -> Check:
            async def check(root: Path) -> None:
                async with store_at(root) as store:
                    if await _read(store, INCOMING) != b"onetwothree":
                        assert await store.appended(INCOMING, append_id) >= len(content)
                        grown = b"".join([each async for each in store.read_appended(INCOMING, append_id)])
                        assert grown.startswith(content)

            return check

        yield going_on_from(b"")
        offset = await store.append(INCOMING, append_id, bytes_chunks(b"one"), offset=0)
        yield going_on_from(b"one")
        await to_thread.run_sync(_write_unsynced, store, b"two")
        offset = await store.appended(INCOMING, append_id)
        yield going_on_from(b"onetwo"[:offset])
        await to_thread.run_sync(_write_unsynced, store, b"three")
        await store.finish_append(INCOMING, append_id)
        yield holding({b"onetwothree"}, INCOMING)


def _write_unsynced(store: FilesystemStore, data: bytes) -> None:
    """As a request does that is still coming, or whose process has died."""
    with store._folder() as folder:
        (name,) = os.listdir(folder)  # noqa: PTH208 - pathlib knows no descriptors
    file = GrowingFile(store._open_growing(name, os.O_RDWR))
    file.write(data)
    file.close()


async def appending_where_another_begins_at_the_same_time(root: Path, disk: Disk) -> AsyncIterator[Check]:
    async with store_at(root) as store:
        with disk.before_folders_are_synced():
            await store.begin_append("incoming/b", content_type=TYPE)
        append_id = await store.begin_append(INCOMING, content_type=TYPE)

        async def check(root: Path) -> None:
            async with store_at(root) as store:
                assert await store.appended(INCOMING, append_id) == 0

        yield check


async def client_state(root: Path, disk: Disk) -> AsyncIterator[Check]:
    def remembering(*some: RememberedUpload) -> Check:
        async def check(root: Path) -> None:
            assert (await StateFile.open(root / "state")).get(LINE) in some

        return check

    state = await StateFile.open(root / "state")
    begun, remember_image = RememberedUpload("key"), RememberedUpload(image_id=UUID(int=1))
    await state.remember_key(LINE, "key")
    yield remembering(begun, remember_image)
    await state.remember_image(LINE, UUID(int=1))
    yield remembering(remember_image)


async def secret_in(root: Path) -> bytes:
    (secret,) = await to_thread.run_sync(Settings(data_dir=root / "data").load_secrets)
    return secret


def having_secret(secret: bytes) -> Check:
    async def check(root: Path) -> None:
        assert await secret_in(root) == secret

    return check


async def secret(root: Path, disk: Disk) -> AsyncIterator[Check]:
    made = await secret_in(root)
    yield having_secret(made)


async def secret_that_another_is_just_making(root: Path, disk: Disk) -> AsyncIterator[Check]:
    with disk.before_folders_are_synced():
        await secret_in(root)
    made = await secret_in(root)
    yield having_secret(made)


def having_folder(name: str) -> Check:
    async def check(root: Path) -> None:
        assert (root / name).is_dir()

    return check


async def folder(root: Path, disk: Disk) -> AsyncIterator[Check]:
    with disk.before_folders_are_synced():
        await to_thread.run_sync(folders.make, root / "one")
    await to_thread.run_sync(folders.make, root / "one/two/three")
    yield having_folder("one/two/three")


async def database_cluster(root: Path, disk: Disk) -> AsyncIterator[Check]:
    (root / "new").mkdir()
    await to_thread.run_sync(_put_in_place, root / "new", root / "cluster", None)
    yield having_folder("cluster")


@pytest.mark.parametrize(
    "story",
    [
        put,
        put_where_another_is_just_putting,
        put_beside_what_another_is_just_putting,
        signed_upload_that_comes_twice,
        promotion,
        promotion_that_another_is_at,
        promotion_while_the_source_is_put_again,
        parts,
        appending,
        appending_where_another_begins_at_the_same_time,
        client_state,
        secret,
        secret_that_another_is_just_making,
        folder,
        database_cluster,
    ],
    ids=lambda story: story.__name__,
)
async def test_what_was_promised_outlives_a_power_failure(story: Story, tmp_path: Path) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    disk, checks = Disk(root, passing_over="process-"), list[Check]()
    with disk.watching():
        async for check in story(root, disk):
            checks.append(check)
            disk.promise()
    for leftover, promised in disk.leftovers().items():
        if promised:
            await checks[promised - 1](leftover.put_in(tmp_path / "left"))
            shutil.rmtree(tmp_path / "left")
