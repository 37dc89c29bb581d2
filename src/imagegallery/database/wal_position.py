"""Positions in the write-ahead log: bytes since its start, the same on a primary and its standbys."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import anyio

from imagegallery.database.connection import Connection
from imagegallery.errors import Unavailable

Connect = Callable[[], AbstractAsyncContextManager[Connection]]

# On a primary: all that is visible now was written before this position. A commit is visible once it is flushed or, if
# commits do not wait for that, once it is inserted. NULL on a standby.
COMMITTED: Final = """
SELECT CASE
    WHEN pg_is_in_recovery() THEN NULL
    WHEN current_setting('synchronous_commit') = 'off' THEN (pg_current_wal_insert_lsn() - '0/0')::bigint
    ELSE (pg_current_wal_flush_lsn() - '0/0')::bigint
END
"""

# On a standby: all that was written before this position is visible. NULL on any other server.
REPLAYED: Final = "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END"


class Position:
    """Asks a server for its position: one question at a time, whose answer all earlier callers share."""

    def __init__(self, connecting: Connect, question: str) -> None:
        self._connecting = connecting
        self._question = question
        self._turn = anyio.Lock()
        self._begun = 0
        self._answered = 0
        self._answer: int | None = None

    async def ask(self) -> int:
        """Return the position at or after this call. Raises `Unavailable` to all who shared the question."""
        mine = self._begun + 1
        async with self._turn:
            if self._answered < mine:
                self._begun += 1
                self._answer = await self._answer_or_none()
                self._answered = self._begun
            if self._answer is None:
                raise Unavailable("The database does not say how far its log has come.")
            return self._answer

    async def _answer_or_none(self) -> int | None:
        try:
            async with self._connecting() as connection:
                position: int | None = await connection.fetchval(self._question)
                return position
        except Unavailable:
            return None
