"""Who is served when: owners in rotation, and nobody waits without bound."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from imagegallery.errors import Overloaded
from imagegallery.imaging.sandbox.turns import Turns


class Counter:
    """Requests that hold a slot until they are told to `leave`, in the order in which they were served."""

    def __init__(self, turns: Turns, tasks: TaskGroup) -> None:
        self.turns = turns
        self.tasks = tasks
        self.served: list[str] = []
        self._leaving: list[anyio.Event] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, turns: Turns) -> AsyncIterator["Counter"]:
        async with anyio.create_task_group() as tasks:
            yield cls(turns, tasks)
            tasks.cancel_scope.cancel()

    async def come(self, owner_id: str, scope: anyio.CancelScope | None = None) -> None:
        """Returns when the request is served, or waits."""
        self.tasks.start_soon(self._request, owner_id, scope or anyio.CancelScope())
        await settle()

    async def leave(self) -> None:
        """The one that was served first, of those that are."""
        self._leaving.pop(0).set()
        await settle()

    async def _request(self, owner_id: str, scope: anyio.CancelScope) -> None:
        leaving = anyio.Event()
        with scope:
            async with self.turns.taken(owner_id):
                self.served.append(owner_id)
                self._leaving.append(leaving)
                await leaving.wait()


async def settle() -> None:
    for _ in range(5):
        await checkpoint()


async def test_one_who_has_much_to_do_does_not_keep_others_waiting() -> None:
    async with Counter.open(Turns(1, max_waiting=100, max_waiting_per_owner=10)) as counter:
        for owner in ("hog", *["hog"] * 5, "ana", "ana", "ben"):
            await counter.come(owner)
        for _ in range(8):
            await counter.leave()
        assert counter.served == ["hog", "hog", "ana", "ben", "hog", "ana", "hog", "hog", "hog"]


async def test_as_many_at_once_as_there_are_slots() -> None:
    async with Counter.open(Turns(2, max_waiting=100, max_waiting_per_owner=10)) as counter:
        for _ in range(5):
            await counter.come("ana")
        assert len(counter.served) == 2
        for served in (3, 4, 5, 5, 5):
            await counter.leave()
            assert len(counter.served) == served
        await counter.come("ana")
        await counter.come("ana")
        await counter.come("ana")
        assert len(counter.served) == 7, "the slots are free again"


async def test_who_would_wait_too_long_is_told_so() -> None:
    async with Counter.open(turns := Turns(1, max_waiting=3, max_waiting_per_owner=2)) as counter:
        for owner in ("hog", "hog", "hog"):
            await counter.come(owner)
        with pytest.raises(Overloaded) as caught:
            async with turns.taken("hog"):
                pass
        assert caught.value.retry_after > 0
        await counter.come("ana")
        with pytest.raises(Overloaded):
            async with turns.taken("ben"):
                pass
        await counter.leave()
        await counter.come("ben")
        assert turns.waiting() == 3


async def test_who_gives_up_leaves_the_slot_to_others() -> None:
    async with Counter.open(turns := Turns(1, max_waiting=10, max_waiting_per_owner=10)) as counter:
        waits, served = anyio.CancelScope(), anyio.CancelScope()
        await counter.come("ana")
        await counter.come("ben", waits)
        await counter.come("cem", served)
        await counter.come("dan")
        waits.cancel()
        await settle()
        assert turns.waiting() == 2
        # Cancelled in the moment in which it is its turn: the slot goes on.
        counter._leaving[0].set()
        served.cancel()
        await settle()
        assert counter.served[-1] == "dan"
