"""The storage suite's tests of growing objects, for stores that are `AppendsObjects`.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from anyio import CancelScope, Event, create_task_group, sleep_forever

from imagegallery.errors import ObjectNotFound, PreconditionFailed, TooLarge
from imagegallery.storage.protocol import AppendsObjects, ObjectStore
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import BODY, TYPE, Broken, StoreTests, broken_off, keys, read

KEY = "in/grows"


class GrowingObject:
    """A growing object under `KEY`."""

    def __init__(self, store: AppendsObjects, append_id: str) -> None:
        self.store = store
        self.id = append_id

    async def append(self, body: bytes, offset: int, *, max_size: int | None = None, chunk: int = 10_000) -> int:
        """Append ``body`` in small chunks."""
        return await self.store.append(KEY, self.id, bytes_chunks(body, chunk), offset=offset, max_size=max_size)

    async def size(self) -> int:
        return await self.store.appended(KEY, self.id)

    async def body(self) -> bytes:
        return b"".join([chunk async for chunk in self.store.read_appended(KEY, self.id)])


class AppendingPromises(StoreTests):
    @asynccontextmanager
    async def growing(self) -> AsyncIterator[tuple[ObjectStore, GrowingObject]]:
        """Make a store, and a growing object in it."""
        async with self.open_store() as store:
            if not isinstance(store, AppendsObjects):
                pytest.skip("the store lets no object grow")
            yield store, GrowingObject(store, await store.begin_append(KEY, content_type=TYPE))

    async def test_what_is_appended_becomes_an_object(self) -> None:
        async with self.growing() as (store, growing):
            assert await growing.append(BODY[:30_000], 0) == 30_000
            assert await growing.append(BODY[30_000:], 30_000) == len(BODY)
            info = await growing.store.finish_append(KEY, growing.id)
            assert (info.key, info.size) == (KEY, len(BODY))
            assert info.etag == (await store.head(KEY)).etag
            assert await read(store, KEY) == BODY

    async def test_large_appends_arrive_whole(self) -> None:
        body = BODY * 150  # 11.5 MB: more than a buffer, or a part, of any known store
        async with self.growing() as (store, growing):
            half = len(body) // 2 + 1
            await growing.append(body[:half], 0, chunk=100_000)
            await growing.append(body[half:], half, chunk=3_000_000)
            assert await growing.body() == body
            await growing.store.finish_append(KEY, growing.id)
            assert await read(store, KEY) == body

    async def test_nothing_is_an_object_before_the_end(self) -> None:
        async with self.growing() as (store, growing):
            await growing.append(BODY, 0)
            assert await keys(store) == []
            with pytest.raises(ObjectNotFound):
                await store.head(KEY)
            with pytest.raises(ObjectNotFound):
                await read(store, KEY)

    async def test_the_size_so_far_is_told_and_read(self) -> None:
        async with self.growing() as (_, growing):
            assert (await growing.size(), await growing.body()) == (0, b"")
            await growing.append(BODY[:100], 0)
            assert (await growing.size(), await growing.body()) == (100, BODY[:100])
            assert await growing.append(b"", 100) == 100

    async def test_appending_elsewhere_than_at_the_end_is_refused(self) -> None:
        async with self.growing() as (_, growing):
            await growing.append(BODY[:100], 0)
            for offset in (0, 99, 101):
                with pytest.raises(PreconditionFailed):
                    await growing.append(b"x", offset)
            assert await growing.body() == BODY[:100]

    async def test_bytes_before_a_break_are_kept_in_order(self) -> None:
        async with self.growing() as (store, growing):
            with pytest.raises(Broken):
                await growing.store.append(KEY, growing.id, broken_off(BODY), offset=0)
            kept = await growing.size()
            assert await growing.body() == BODY[:kept]
            await growing.append(BODY[kept:], kept)
            await growing.store.finish_append(KEY, growing.id)
            assert await read(store, KEY) == BODY

    async def test_a_cancelled_append_can_be_taken_up(self) -> None:
        async with self.growing() as (store, growing):
            async with create_task_group() as tasks:
                came = Event()

                async def stalling() -> AsyncIterator[bytes]:
                    yield BODY[:50_000]
                    came.set()
                    await sleep_forever()

                async def append() -> None:
                    await growing.store.append(KEY, growing.id, stalling(), offset=0)

                tasks.start_soon(append)
                await came.wait()
                tasks.cancel_scope.cancel()
            kept = await growing.size()
            assert await growing.body() == BODY[:kept]
            await growing.append(BODY[kept:], kept)
            await growing.store.finish_append(KEY, growing.id)
            assert await read(store, KEY) == BODY

    async def test_of_too_much_nothing_is_kept(self) -> None:
        async with self.growing() as (_, growing):
            await growing.append(BODY[:100], 0)
            with pytest.raises(TooLarge):
                await growing.append(BODY[:50_000], 100, max_size=50_099)
            assert (await growing.size(), await growing.body()) == (100, BODY[:100])
            assert await growing.append(BODY[:50_000], 100, max_size=50_100) == 50_100

    async def test_too_much_appended_is_not_read_to_its_end(self) -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield BODY

        async with self.growing() as (_, growing):
            with pytest.raises(TooLarge):
                await growing.store.append(KEY, growing.id, endless(), offset=0, max_size=200_000)

    async def test_finishing_may_be_repeated(self) -> None:
        async with self.growing() as (store, growing):
            await growing.append(BODY, 0)
            first = await growing.store.finish_append(KEY, growing.id)
            again = await growing.store.finish_append(KEY, growing.id)
            assert (first.key, first.size, first.etag) == (again.key, again.size, again.etag)
            assert await read(store, KEY) == BODY

    async def test_what_is_finished_grows_no_more(self) -> None:
        async with self.growing() as (store, growing):
            await growing.append(BODY, 0)
            await growing.store.finish_append(KEY, growing.id)
            await self._nothing_grows(growing)
            await growing.store.abort_append(KEY, growing.id)
            assert await read(store, KEY) == BODY

    async def test_what_is_aborted_is_gone(self) -> None:
        async with self.growing() as (store, growing):
            await growing.append(BODY, 0)
            await growing.store.abort_append(KEY, growing.id)
            await growing.store.abort_append(KEY, growing.id)
            await self._nothing_grows(growing)
            with pytest.raises(ObjectNotFound):
                await growing.store.finish_append(KEY, growing.id)
            assert await keys(store) == []

    async def _nothing_grows(self, growing: GrowingObject) -> None:
        uses: list[Callable[[], Awaitable[object]]] = [growing.size, growing.body, lambda: growing.append(b"x", 0)]
        for use in uses:
            with pytest.raises(ObjectNotFound):
                await use()

    async def test_another_id_or_key_leads_nowhere(self) -> None:
        async with self.growing() as (_, growing):
            await growing.append(BODY, 0)
            for key, append_id in (("in/other", growing.id), (KEY, "../" + growing.id), (KEY, "")):
                with pytest.raises(ObjectNotFound):
                    await growing.store.appended(key, append_id)

    async def test_two_that_grow_under_one_key_are_two(self) -> None:
        async with self.growing() as (store, first):
            second = GrowingObject(first.store, await first.store.begin_append(KEY, content_type=TYPE))
            await first.append(b"first", 0)
            await second.append(b"second", 0)
            await second.store.finish_append(KEY, second.id)
            assert await first.body() == b"first"
            assert await read(store, KEY) == b"second"

    async def test_cancelled_at_once_nothing_breaks(self) -> None:
        async with self.growing() as (_, growing):
            with CancelScope() as scope:
                scope.cancel()
                with suppress(ObjectNotFound):
                    await growing.append(BODY, 0)
            kept = await growing.size()
            assert await growing.body() == BODY[:kept]
