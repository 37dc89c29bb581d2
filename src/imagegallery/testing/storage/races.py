"""The storage suite's races: several calls on one key, each of which must get a true result.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from contextlib import suppress

from imagegallery.errors import ObjectNotFound, PreconditionFailed
from imagegallery.storage.protocol import ObjectStore
from imagegallery.testing.storage.base import TYPE, StoreTests, at_once, keys, read, write

RACERS = 20


def body_of(number: int) -> bytes:
    """Bytes of one racer alone, in many chunks."""
    return bytes([number]) * 50_000


class RacePromises(StoreTests):
    turns = 10  # of each that puts and deletes at once

    async def test_of_many_first_writers_one_wins(self) -> None:
        winners: list[int] = []

        async def race(store: ObjectStore, number: int) -> None:
            with suppress(PreconditionFailed):
                await write(store, "a/b", body_of(number), if_absent=True)
                winners.append(number)

        async with self.open_store() as store:
            await at_once(RACERS, lambda number: race(store, number))
            assert len(winners) == 1
            assert await read(store, "a/b") == body_of(winners[0])
            assert await keys(store) == ["a/b"]

    async def test_readers_never_see_a_mixture(self) -> None:
        whole = {body_of(number) for number in range(RACERS)}
        writing = RACERS // 2

        async def race(store: ObjectStore, number: int) -> None:
            nonlocal writing
            if number % 2:
                await write(store, "a", body_of(number))
                writing -= 1
            while writing:
                assert await read(store, "a") in whole

        async with self.open_store() as store:
            await write(store, "a", body_of(0))
            await at_once(RACERS, lambda number: race(store, number))
            assert await read(store, "a") in whole

    async def test_all_who_promote_the_same_succeed(self) -> None:
        async with self.open_store() as store:
            source = await write(store, "in/a", body_of(1))

            async def race(_: int) -> None:
                moved = await store.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
                assert (moved.key, moved.size) == ("out/a", source.size)

            await at_once(RACERS, race)
            assert await keys(store) == ["out/a"]
            assert await read(store, "out/a") == body_of(1)

    async def test_promote_is_not_fooled_by_an_overwrite(self) -> None:
        async with self.open_store() as store:
            for attempt in range(RACERS):
                await self._promote_against_overwrite(store, f"in/{attempt}", f"out/{attempt}")

    async def _promote_against_overwrite(self, store: ObjectStore, source: str, target: str) -> None:
        checked = await write(store, source, body_of(1))

        async def race(number: int) -> None:
            if number == 0:
                await write(store, source, body_of(2))
                return
            with suppress(PreconditionFailed):
                await store.promote(source, target, etag=checked.etag, content_type=TYPE)

        await at_once(2, race)
        try:
            assert await read(store, target) == body_of(1), "moved what nobody had checked"
        except ObjectNotFound:
            assert await read(store, source) == body_of(2)

    async def test_putting_and_deleting_side_by_side(self) -> None:
        async def race(store: ObjectStore, number: int) -> None:
            for turn in range(self.turns):
                await write(store, f"shared/folder/{number}", body_of(number))
                if number % 2 or turn < self.turns - 1:
                    await store.delete(f"shared/folder/{number}")

        async with self.open_store() as store:
            await at_once(RACERS, lambda number: race(store, number))
            left = [f"shared/folder/{number}" for number in range(0, RACERS, 2)]
            assert await keys(store) == sorted(left)

    async def test_of_two_promotions_to_one_key_one_wins(self) -> None:
        async with self.open_store() as store:
            sources = [await write(store, f"in/{number}", body_of(number)) for number in range(RACERS)]
            winners: list[int] = []

            async def race(number: int) -> None:
                with suppress(PreconditionFailed):
                    await store.promote(f"in/{number}", "out", etag=sources[number].etag, content_type=TYPE)
                    winners.append(number)

            await at_once(RACERS, race)
            assert len(winners) == 1
            assert await read(store, "out") == body_of(winners[0])
            assert len(await keys(store, "in/")) == RACERS - 1
