"""Read from hot standbys, as if from the primary.

A reader asks the primary for its log position, then waits until a standby has replayed up to it. So a read sees
everything committed before it began, by any process: a client's own writes, and every change that a cache knows of. The
question is cheap, and concurrent readers share it: a process asks once a round trip.

A standby that does not respond, or does not catch up in time, is avoided for a pause, which grows each time, and the
primary is read instead. After the pause one reader tries it again, while the others stay with the primary.
"""

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

import anyio

from imagegallery.common.backoff import Backoff
from imagegallery.database.connection import Connection
from imagegallery.database.wal_position import REPLAYED, Connect, Position
from imagegallery.errors import ConfigurationError, Unavailable

logger = logging.getLogger(__name__)

LEFT_ALONE: Final = Backoff(timedelta(seconds=1), timedelta(seconds=30))
# How long a standby that does not respond may keep one reader waiting.
ANSWER_TIME: Final = timedelta(seconds=1)
# Between two questions to a standby that is behind.
POLL: Final = timedelta(milliseconds=1)


class Replica:
    """One standby: its last known position, and whether it is avoided."""

    def __init__(self, number: int, connecting: Connect) -> None:
        self._number = number
        self._connecting = connecting
        self._position = Position(connecting, REPLAYED)
        self._replayed = 0
        self._failures = 0
        self._left_alone_until = 0.0

    @property
    def is_left_alone(self) -> bool:
        return anyio.current_time() < self._left_alone_until

    async def enter(self, stack: AsyncExitStack, needed: int, patience: timedelta) -> Connection | None:
        """Return a connection once it has reached ``needed``, or ``None`` if that takes too long."""
        is_trial = self._failures > 0
        if is_trial:
            # Meanwhile nobody else tries.
            self._leave_alone()
        try:
            with anyio.fail_after(ANSWER_TIME.total_seconds()):
                await self._reach(needed, patience)
                connection = await stack.enter_async_context(self._connecting())
        except (Unavailable, ConfigurationError, TimeoutError) as error:
            self._fail(error, is_trial=is_trial)
            return None
        self._succeed()
        return connection

    async def _reach(self, needed: int, patience: timedelta) -> None:
        give_up_at = anyio.current_time() + patience.total_seconds()
        while self._replayed < needed:
            self._replayed = await self._position.ask()
            if self._replayed < needed:
                if anyio.current_time() >= give_up_at:
                    raise Unavailable("It is behind the primary.")
                await anyio.sleep(POLL.total_seconds())

    def _fail(self, error: Exception, *, is_trial: bool) -> None:
        # A later connection may be to another server.
        self._replayed = 0
        if self._failures and not is_trial:
            return  # one of those that had begun before the first of them failed
        if not is_trial:
            logger.warning("replica %d is not read from for now: %s", self._number, error)
        self._failures += 1
        self._leave_alone()

    def _succeed(self) -> None:
        if self._failures:
            logger.info("replica %d is read from again", self._number)
        self._failures = 0
        self._left_alone_until = 0.0

    def _leave_alone(self) -> None:
        self._left_alone_until = anyio.current_time() + LEFT_ALONE.after(self._failures).total_seconds()


class Replicas:
    """The standbys of one primary, in turn."""

    def __init__(self, replicas: Sequence[Replica], primary: Position, patience: timedelta) -> None:
        self._replicas = list(replicas)
        self._primary = primary
        self._patience = patience

    async def enter(self, stack: AsyncExitStack) -> Connection | None:
        """Return a connection to one that has everything committed by now, or ``None`` to read from the primary.

        Raises `Unavailable` if the primary does not respond: then nobody knows what is committed.
        """
        replica = self._next()
        if replica is None:
            return None
        return await replica.enter(stack, await self._primary.ask(), self._patience)

    def _next(self) -> Replica | None:
        for _ in self._replicas:
            replica = self._replicas.pop(0)
            self._replicas.append(replica)
            if not replica.is_left_alone:
                return replica
        return None
