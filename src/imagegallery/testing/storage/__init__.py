"""The promises of `imagegallery.storage.protocol`, as tests for any object store.

::

    class TestMyStore(ObjectStoreSuite): async def make_store(self):
            return MyStore(...)

Each test makes a store of its own, which must be empty, and closes it. The tests are coroutines: run them with
pytest-asyncio in its auto mode, or mark the class. Tests of capabilities that the store lacks are skipped.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from collections.abc import AsyncIterator

import pytest
from anyio import CancelScope, sleep_forever

from imagegallery.errors import InvalidInput, ObjectNotFound, PreconditionFailed, TooLarge
from imagegallery.storage.protocol import ByteRange, ObjectStore
from imagegallery.testing.storage.appending import AppendingPromises
from imagegallery.testing.storage.base import BODY, TYPE, Broken, at_once, broken_off, keys, read, write
from imagegallery.testing.storage.multipart import MultipartPromises
from imagegallery.testing.storage.races import RacePromises
from imagegallery.testing.storage.signed import SignedUrlPromises

ODD_KEYS = (
    "folder with spaces/ leading and trailing ",
    "dots/...",
    "dots/.hidden",
    "dots/trailing.",
    "emoji/📷🏔️",
    "scripts/写真/صورة",
    "signs/#?%20&=+;:@!$'()*,~[]{}|^`\"<>",
    "long/" + "x" * 255,
    "-rf",
)
BAD_KEYS = (
    "",
    "/",
    "/absolute",
    "trailing/",
    "a//b",
    ".",
    "..",
    "../outside",
    "a/../../outside",
    "a/./b",
    "nul\0byte",
    "line\nbreak",
    "back\\slash",
    "..\\outside",
    "x" * 256,
    "x/" * 600 + "x",
    "\ud800",
)
RANGES = ((0, 1), (0, len(BODY)), (1, 2), (7, 70_000), (len(BODY) - 1, len(BODY)), (5, 5), (0, 0))
RANGES_BEYOND_THE_END = ((0, len(BODY) + 1), (len(BODY) - 3, 10**12), (len(BODY), len(BODY) + 5), (10**12, 10**12 + 1))


class ObjectStoreSuite(RacePromises, SignedUrlPromises, MultipartPromises, AppendingPromises):
    """Subclass it and write ``make_store``."""

    listed_objects = 1_050  # more than a page of any listing we know

    # --- put, get, head --------------------------------------------------------------------------------------

    async def test_it_is_an_object_store(self) -> None:
        async with self.open_store() as store:
            assert isinstance(store, ObjectStore)

    @pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_001])
    async def test_get_gives_what_was_put(self, size: int) -> None:
        body = (BODY * (size // len(BODY) + 1))[:size]
        async with self.open_store() as store:
            await write(store, "a/b", body)
            assert await read(store, "a/b") == body

    async def test_put_head_get_and_list_tell_the_same(self) -> None:
        async with self.open_store() as store:
            put = await write(store, "a/b", BODY)
            assert (put.key, put.size) == ("a/b", len(BODY))
            assert put.modified_at.tzinfo is not None
            assert (await store.head("a/b")).etag == put.etag
            async with store.get("a/b") as stream:
                assert (stream.info.key, stream.info.size, stream.info.etag) == ("a/b", len(BODY), put.etag)
            assert [(info.key, info.size) async for info in store.list()] == [("a/b", len(BODY))]

    async def test_put_replaces_and_the_etag_tells(self) -> None:
        async with self.open_store() as store:
            etags = {(await write(store, "a", bytes([number]) * 100)).etag for number in range(20)}
            assert len(etags) == 20, "other bytes, same etag"
            assert await read(store, "a") == bytes([19]) * 100

    async def test_what_is_missing_is_not_found(self) -> None:
        async with self.open_store() as store:
            await write(store, "folder/object", BODY)
            for key in ("missing", "folder", "folder/missing", "folder/object/missing"):
                with pytest.raises(ObjectNotFound):
                    await store.head(key)
                with pytest.raises(ObjectNotFound):
                    await read(store, key)

    @pytest.mark.parametrize(("start", "stop"), RANGES + RANGES_BEYOND_THE_END)
    async def test_a_range_is_a_slice(self, start: int, stop: int) -> None:
        async with self.open_store() as store:
            await write(store, "a", BODY)
            async with store.get("a", ByteRange(start, stop)) as stream:
                assert stream.info.size == len(BODY), "the size is the object's, not the range's"
                assert b"".join([chunk async for chunk in stream.chunks]) == BODY[start:stop]

    async def test_reading_may_stop_half_way(self) -> None:
        async with self.open_store() as store:
            await write(store, "a", BODY * 50)
            async with store.get("a") as stream:
                await anext(stream.chunks)
            assert await read(store, "a") == BODY * 50

    async def test_an_open_object_stays_as_it_was(self) -> None:
        async with self.open_store() as store:
            await write(store, "a", BODY * 50)
            async with store.get("a") as stream:
                first = await anext(stream.chunks)
                await write(store, "a", b"new")
                assert first + b"".join([chunk async for chunk in stream.chunks]) == BODY * 50

    @pytest.mark.parametrize("key", ODD_KEYS)
    async def test_odd_names_are_names(self, key: str) -> None:
        async with self.open_store() as store:
            await write(store, key, BODY)
            assert await read(store, key) == BODY
            assert await keys(store) == [key]
            await store.delete(key)
            assert await keys(store) == []

    @pytest.mark.parametrize("key", BAD_KEYS)
    async def test_bad_keys_are_refused(self, key: str) -> None:
        async with self.open_store() as store:
            info = await write(store, "good", BODY)
            with pytest.raises(InvalidInput):
                await write(store, key, BODY)
            with pytest.raises(InvalidInput):
                await read(store, key)
            with pytest.raises(InvalidInput):
                await store.head(key)
            with pytest.raises(InvalidInput):
                await store.delete(key)
            with pytest.raises(InvalidInput):
                await store.promote("good", key, etag=info.etag, content_type=TYPE)
            with pytest.raises(InvalidInput):
                await store.promote(key, "target", etag=info.etag, content_type=TYPE)
            assert await keys(store) == ["good"]

    # --- all or nothing --------------------------------------------------------------------------------------

    async def test_if_absent_refuses_a_taken_key(self) -> None:
        async with self.open_store() as store:
            await write(store, "a", BODY, if_absent=True)
            with pytest.raises(PreconditionFailed):
                await write(store, "a", b"other", if_absent=True)
            assert await read(store, "a") == BODY

    async def test_max_size_is_the_largest_allowed(self) -> None:
        async with self.open_store() as store:
            await write(store, "a", BODY, max_size=len(BODY))
            with pytest.raises(TooLarge):
                await write(store, "a", BODY + b"!", max_size=len(BODY))
            with pytest.raises(TooLarge):
                await write(store, "b/c", BODY + b"!", max_size=len(BODY))
            assert await read(store, "a") == BODY
            assert await keys(store) == ["a"]

    async def test_too_much_is_not_read_to_its_end(self) -> None:
        taken = 0

        async def stream() -> AsyncIterator[bytes]:
            nonlocal taken
            for taken in range(1_000):  # noqa: B007 - counts what was asked for
                yield bytes(65_536)

        async with self.open_store() as store:
            with pytest.raises(TooLarge):
                await store.put("a", stream(), content_type=TYPE, max_size=100)
        assert taken < 500

    async def test_a_stream_that_breaks_off_leaves_nothing(self) -> None:
        async with self.open_store() as store:
            await write(store, "old", BODY)
            for key in ("old", "new"):
                with pytest.raises(Broken):
                    await store.put(key, broken_off(BODY * 30), content_type=TYPE)
            assert await read(store, "old") == BODY
            assert await keys(store) == ["old"]

    async def test_a_cancelled_put_leaves_nothing(self) -> None:
        scope = CancelScope()

        async def stream() -> AsyncIterator[bytes]:
            yield BODY * 30
            scope.cancel()
            await sleep_forever()

        async with self.open_store() as store:
            with scope:
                await store.put("a", stream(), content_type=TYPE)
            assert scope.cancelled_caught
            assert await keys(store) == []

    # --- delete and list -------------------------------------------------------------------------------------

    async def test_delete_removes_that_object_only(self) -> None:
        async with self.open_store() as store:
            for key in ("a/b", "a/bc", "a/d/e"):
                await write(store, key, BODY)
            await store.delete("a/b")
            assert await keys(store) == ["a/bc", "a/d/e"]
            await store.delete("a/d/e")
            await store.delete("a/bc")
            assert await keys(store) == []

    async def test_deleting_what_is_not_there_succeeds(self) -> None:
        async with self.open_store() as store:
            await write(store, "a/b", BODY)
            for key in ("missing", "a", "a/missing", "a/b/missing", "x/y/z"):
                await store.delete(key)
            assert await keys(store) == ["a/b"]

    async def test_list_answers_what_starts_with_the_prefix(self) -> None:
        all_keys = ["a", "ab/c", "ab/d/e", "abc", "b/.dot", "b/a"]
        async with self.open_store() as store:
            for key in all_keys:
                await write(store, key, b"x")
            for prefix in ("", "a", "ab", "ab/", "ab/d", "ab/d/e", "b/", "b/.", "b/a/", "c", "c/d/"):
                assert await keys(store, prefix) == [key for key in all_keys if key.startswith(prefix)], prefix

    async def test_list_answers_all_of_many(self) -> None:
        async with self.open_store() as store:
            await at_once(20, lambda lane: self._fill(store, lane))
            listed = await keys(store, "many/")
            assert len(listed) == len(set(listed)) == self.listed_objects

    async def _fill(self, store: ObjectStore, lane: int) -> None:
        for number in range(lane, self.listed_objects, 20):
            await write(store, f"many/{number}", b"x")

    # --- promote ---------------------------------------------------------------------------------------------

    async def test_promote_moves_the_object(self) -> None:
        async with self.open_store() as store:
            source = await write(store, "in/a", BODY)
            moved = await store.promote("in/a", "deep/er/a.jpg", etag=source.etag, content_type=TYPE)
            assert (moved.key, moved.size) == ("deep/er/a.jpg", len(BODY))
            assert moved.etag == (await store.head("deep/er/a.jpg")).etag
            assert await read(store, "deep/er/a.jpg") == BODY
            assert await keys(store) == ["deep/er/a.jpg"]

    async def test_promote_may_be_repeated(self) -> None:
        async with self.open_store() as store:
            source = await write(store, "in/a", BODY)
            first = await store.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
            again = await store.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
            assert (first.size, first.etag) == (again.size, again.etag)
            assert await keys(store) == ["out/a"]

    async def test_promote_refuses_what_was_not_checked(self) -> None:
        async with self.open_store() as store:
            checked = await write(store, "in/a", BODY)
            await write(store, "in/a", BODY[::-1])
            with pytest.raises(PreconditionFailed):
                await store.promote("in/a", "out/a", etag=checked.etag, content_type=TYPE)
            assert await keys(store) == ["in/a"]
            assert await read(store, "in/a") == BODY[::-1]

    async def test_promote_never_overwrites(self) -> None:
        async with self.open_store() as store:
            source = await write(store, "in/a", BODY)
            await write(store, "out/a", b"other")
            with pytest.raises(PreconditionFailed):
                await store.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
            assert (await read(store, "in/a"), await read(store, "out/a")) == (BODY, b"other")

    async def test_promote_of_nothing_is_not_found(self) -> None:
        async with self.open_store() as store:
            with pytest.raises(ObjectNotFound):
                await store.promote("in/a", "out/a", etag="x", content_type=TYPE)
            assert await keys(store) == []
