"""Turns of owners for a few slots, one owner after the other, however many requests each has."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from imagegallery.errors import Overloaded

RETRY_AFTER: Final = 10  # seconds


class Turns:
    """Allows ``slots`` at once. The number of waiting requests is limited, in total and by owner; owners are served
    in rotation."""

    def __init__(self, slots: int, max_waiting: int, max_waiting_per_owner: int) -> None:
        self._free = slots
        self._max_waiting = max_waiting
        self._max_waiting_per_owner = max_waiting_per_owner
        # In the order in which owners are served; each with at least one request, oldest first.
        self._waiting: dict[str, deque[anyio.Event]] = {}

    @asynccontextmanager
    async def taken(self, owner_id: str) -> AsyncIterator[None]:
        """Take a slot during the block. Raises `Overloaded` if too many wait."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(owner_id)
        try:
            yield
        finally:
            self._pass_on()

    def waiting(self) -> int:
        """The number of waiting requests."""
        return sum(map(len, self._waiting.values()))

    async def _wait(self, owner_id: str) -> None:
        if self.waiting() >= self._max_waiting or len(self._waiting.get(owner_id, ())) >= self._max_waiting_per_owner:
            raise Overloaded("Too many pictures wait to be looked at; try again later.", retry_after=RETRY_AFTER)
        turn = anyio.Event()
        self._waiting.setdefault(owner_id, deque()).append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self._pass_on()
            else:
                self._leave(owner_id, turn)
            raise

    def _pass_on(self) -> None:
        """Pass the slot to the owner who has waited for it longest, who then is the last in the rotation."""
        if not self._waiting:
            self._free += 1
            return
        owner_id, requests = next(iter(self._waiting.items()))
        requests.popleft().set()
        del self._waiting[owner_id]
        if requests:
            self._waiting[owner_id] = requests

    def _leave(self, owner_id: str, turn: anyio.Event) -> None:
        requests = self._waiting[owner_id]
        requests.remove(turn)
        if not requests:
            del self._waiting[owner_id]
