import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.errors import TooLarge
from imagegallery.storage.streams import (
    HASH_IN_THREAD,
    HashingStream,
    at_most,
    bytes_chunks,
    coalesce,
    copy_to_file,
    file_chunks,
    peek,
    read_chunks,
)

CHUNKS = st.lists(st.binary(max_size=20), max_size=20)


async def stream(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def collected(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]


@given(data=st.binary(max_size=50), size=st.integers(1, 10))
async def test_bytes_come_in_chunks_of_the_size(data: bytes, size: int) -> None:
    chunks = await collected(bytes_chunks(data, size))
    assert b"".join(chunks) == data
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(chunks)


@given(chunks=CHUNKS, size=st.integers(1, 60))
async def test_batches_hold_the_same_bytes_and_are_large_enough(chunks: list[bytes], size: int) -> None:
    batches = await collected(coalesce(stream(chunks), size))
    assert b"".join(batches) == b"".join(chunks)
    assert all(len(batch) >= size for batch in batches[:-1])
    assert all(batches)


@given(chunks=CHUNKS, size=st.integers(0, 60))
async def test_peek_shows_the_beginning_and_loses_nothing(chunks: list[bytes], size: int) -> None:
    head, rest = await peek(stream(chunks), size)
    assert head == b"".join(chunks)[:size]
    assert b"".join(await collected(rest)) == b"".join(chunks)


@given(chunks=CHUNKS, size=st.integers(0, 200))
async def test_at_most_that_many_bytes_pass(chunks: list[bytes], size: int) -> None:
    passed = b""
    whole = b"".join(chunks)
    with pytest.raises(TooLarge) if len(whole) > size else nullcontext():
        async for chunk in at_most(stream(chunks), size):
            passed += chunk
    assert len(passed) <= size
    assert whole.startswith(passed)
    assert len(whole) > size or passed == whole


@pytest.mark.parametrize("size", [10, HASH_IN_THREAD - 1, HASH_IN_THREAD, 3 * HASH_IN_THREAD])
async def test_digesting_measures_what_passes(size: int) -> None:
    data = bytes(range(256)) * 4096
    hashed = HashingStream(bytes_chunks(data, size) if size > 10 else bytes_chunks(data[:55], size))
    passed = b"".join([chunk async for chunk in hashed])
    assert hashed.size == len(passed)
    assert hashed.sha256() == hashlib.sha256(passed).digest()


async def test_digesting_counts_only_what_was_taken() -> None:
    hashed = HashingStream(stream([b"a", b"b"]))
    async for _ in hashed:
        break
    assert (hashed.size, hashed.sha256()) == (1, hashlib.sha256(b"a").digest())


async def test_a_file_is_copied_through_chunks(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(data)
    assert await copy_to_file(file_chunks(tmp_path / "a", 70_000), tmp_path / "b") == len(data)
    assert (tmp_path / "b").read_bytes() == data


async def test_copying_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        await copy_to_file(bytes_chunks(b"new"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"old"


async def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await collected(file_chunks(tmp_path / "missing"))


async def test_what_is_left_of_an_open_file_is_read_and_it_stays_open() -> None:
    file = io.BytesIO(b"a photograph")
    file.read(2)
    assert [chunk async for chunk in read_chunks(file, 6)] == [b"photog", b"raph"]
    assert not file.closed
