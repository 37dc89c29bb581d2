"""The SHA-256 is taken as the bytes stream in: what came whole and in order is not read again to hash it."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest
from attrs import evolve
from tests.support.uploads import Uploading
from tests.uploads.resumable.client import begun

from imagegallery.errors import ChecksumMismatch
from imagegallery.imaging.signature import HEAD_SIZE
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ByteRange, ObjectStream
from imagegallery.storage.streams import bytes_chunks

ANYTHING = bytes(32)


@pytest.fixture
def photo(encode: Callable[..., bytes]) -> bytes:
    data = encode("JPEG", (400, 300))
    assert len(data) > 10 * HEAD_SIZE
    return data


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read of the store gave, from now on."""
    sizes: list[int] = []
    get = FilesystemStore.get

    @asynccontextmanager
    async def counted(
        store: FilesystemStore, key: str, byte_range: ByteRange | None = None
    ) -> AsyncIterator[ObjectStream]:
        async with get(store, key, byte_range) as stream:
            index = len(sizes)
            sizes.append(0)

            async def chunks() -> AsyncIterator[bytes]:
                async for chunk in stream.chunks:
                    sizes[index] += len(chunk)
                    yield chunk

            yield evolve(stream, chunks=chunks())

    def patched(
        store: FilesystemStore, key: str, byte_range: ByteRange | None = None
    ) -> AbstractAsyncContextManager[ObjectStream]:
        return counted(store, key, byte_range)

    monkeypatch.setattr(FilesystemStore, "get", patched)
    return sizes


async def test_what_comes_in_one_call(uploading: Uploading, photo: bytes, read: list[int]) -> None:
    image = await uploading.service.add(uploading.me, photo, filename="a.jpg")
    assert read == [HEAD_SIZE]
    assert image.sha256 == hashlib.sha256(photo).digest()


async def test_what_is_completed_by_another_request(uploading: Uploading, photo: bytes, read: list[int]) -> None:
    remote = uploading.without_files().service
    session = await remote.create(uploading.me, filename="a.jpg", content_type="image/jpeg", size=len(photo))
    await remote.server.receive(uploading.me, session.id, bytes_chunks(photo, 1000))
    image = await uploading.service.complete(uploading.me, session.id)
    assert read == [HEAD_SIZE]
    assert image.sha256 == hashlib.sha256(photo).digest()


async def test_a_store_that_is_elsewhere_is_read_once_to_decode(
    uploading: Uploading, photo: bytes, read: list[int]
) -> None:
    image = await uploading.without_files().service.add(uploading.me, photo, filename="a.jpg")
    assert read == [len(photo)]
    assert image.sha256 == hashlib.sha256(photo).digest()


@pytest.mark.parametrize("requests", [1, 3])
async def test_a_resumable_upload(uploading: Uploading, photo: bytes, read: list[int], requests: int) -> None:
    client = await begun(uploading, len(photo))
    step = -(-len(photo) // requests)
    for offset in range(0, len(photo), step):
        done = await client.send(photo[offset : offset + step], offset)
    assert done.image_id is not None
    # Each request sees its own bytes; of several, none has seen them all.
    assert read == ([HEAD_SIZE] if requests == 1 else [len(photo)])
    image = await uploading.library.images.get(uploading.me, done.image_id)
    assert image.sha256 == hashlib.sha256(photo).digest()


async def test_a_resumable_upload_whose_last_request_only_says_that_this_was_all(
    uploading: Uploading, photo: bytes, read: list[int]
) -> None:
    client = await begun(uploading, len(photo), completes_itself=False)
    await client.send(photo, 0)
    done = await client.send(b"", len(photo), completes=True, announced=0)
    assert done.image_id is not None
    assert read == [HEAD_SIZE]
    image = await uploading.library.images.get(uploading.me, done.image_id)
    assert image.sha256 == hashlib.sha256(photo).digest()


async def test_what_came_before_a_known_size_is_not_taken_for_all(
    uploading: Uploading, photo: bytes, read: list[int]
) -> None:
    client = await begun(uploading, None, completes_itself=False)
    await client.send(photo[:-5], 0)
    await client.send(b"", len(photo) - 5)
    done = await client.send(photo[-5:], len(photo) - 5, completes=True)
    assert done.image_id is not None
    image = await uploading.library.images.get(uploading.me, done.image_id)
    assert image.sha256 == hashlib.sha256(photo).digest()


async def test_what_goes_to_the_store_itself_is_read(uploading: Uploading, photo: bytes, read: list[int]) -> None:
    session = await uploading.uploaded(photo)
    image = await uploading.service.complete(uploading.me, session.id)
    assert read == [len(photo)]
    assert image.sha256 == hashlib.sha256(photo).digest()


async def test_a_declared_one_is_compared_with_it(uploading: Uploading, photo: bytes, read: list[int]) -> None:
    remote = uploading.without_files().service
    declared = partial(remote.create, uploading.me, filename="a.jpg", content_type="image/jpeg", size=len(photo))
    session = await declared(sha256=ANYTHING)
    await remote.server.receive(uploading.me, session.id, bytes_chunks(photo))
    with pytest.raises(ChecksumMismatch):
        await uploading.service.complete(uploading.me, session.id)
    assert read == [HEAD_SIZE]
