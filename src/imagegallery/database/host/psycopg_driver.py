"""A host's connection of psycopg 3: the asynchronous one, and the one that blocks, which is asked in a thread."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any, Final, TypeVar

import asyncpg
import psycopg
from anyio import CancelScope, CapacityLimiter, to_thread
from attrs import field, frozen
from psycopg.adapt import AdaptersMap
from psycopg.pq import TransactionStatus
from psycopg.rows import RowMaker

from imagegallery.database.host.host_row import HostRow
from imagegallery.errors import InvalidInput, Unavailable

T = TypeVar("T")
_OPEN: Final = (TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR)
# psycopg's names of what asyncpg knows by the letters of the protocol.
_FIELDS: Final = {
    "S": "severity",
    "V": "severity_nonlocalized",
    "C": "sqlstate",
    "M": "message_primary",
    "D": "message_detail",
    "H": "message_hint",
    "s": "schema_name",
    "t": "table_name",
    "c": "column_name",
    "n": "constraint_name",
}


def _rows(cursor: "psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]") -> RowMaker[HostRow]:
    numbers = {column.name: number for number, column in enumerate(cursor.description or ())}
    return lambda values: HostRow(values, numbers)


class _Pristine:
    """What the host has registered for its own values plays no part: Django's times, for one, have no zone."""

    @property
    def adapters(self) -> AdaptersMap:
        return psycopg.adapters


class _Cursor(_Pristine, psycopg.RawCursor[HostRow]):
    pass


class _AsyncCursor(_Pristine, psycopg.AsyncRawCursor[HostRow]):
    pass


class _Connection:
    """What both kinds have in common."""

    connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]"

    @property
    def key(self) -> int:
        return id(self.connection)

    @property
    def backend(self) -> int:
        return self.connection.info.backend_pid

    def check(self) -> None:
        if self.is_closed():
            raise InvalidInput("This connection is closed.")
        if self.connection.autocommit and not self.is_in_transaction():
            raise InvalidInput("This connection is in no transaction: begin one, with `connection.transaction()`.")

    def is_closed(self) -> bool:
        return self.connection.closed

    def is_in_transaction(self) -> bool:
        return self.connection.info.transaction_status in _OPEN


@frozen(eq=False)
class PsycopgDriver(_Connection):
    """It blocks, so it is asked in a thread. The thread that lent it waits, and has let go of its lock."""

    connection: "psycopg.Connection[Any]"
    # Not of the threads that everything shares: a caller that waits for us may have one of those.
    _threads: CapacityLimiter = field(factory=lambda: CapacityLimiter(1), init=False)

    async def fetch(self, sql: str, values: Sequence[object]) -> list[HostRow]:
        def ask() -> list[HostRow]:
            with _Cursor(self.connection, row_factory=_rows) as cursor:
                return cursor.execute(sql, _plain(values), binary=True).fetchall()

        return await self._in_thread(ask)

    async def execute(self, sql: str, values: Sequence[object]) -> str:
        def ask() -> str:
            with _Cursor(self.connection, row_factory=_rows) as cursor:
                return cursor.execute(sql, _plain(values)).statusmessage or ""

        return await self._in_thread(ask)

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(ask, limiter=self._threads)
        except psycopg.Error as error:
            raise _translated(error) from error


@frozen(eq=False)
class AsyncPsycopgDriver(_Connection):
    connection: "psycopg.AsyncConnection[Any]"

    async def fetch(self, sql: str, values: Sequence[object]) -> list[HostRow]:
        async def ask() -> list[HostRow]:
            async with _AsyncCursor(self.connection, row_factory=_rows) as cursor:
                return await (await cursor.execute(sql, _plain(values), binary=True)).fetchall()

        return await _cancelled_once(ask)

    async def execute(self, sql: str, values: Sequence[object]) -> str:
        async def ask() -> str:
            async with _AsyncCursor(self.connection, row_factory=_rows) as cursor:
                return (await cursor.execute(sql, _plain(values))).statusmessage or ""

        return await _cancelled_once(ask)


async def _cancelled_once(ask: Callable[[], Coroutine[object, object, T]]) -> T:
    """What it returns. psycopg has a cancelled statement stopped, and waits for its end; anyio would cancel that, too,
    which costs the connection."""
    task = asyncio.create_task(ask())
    try:
        return await asyncio.shield(task)
    except psycopg.Error as error:
        raise _translated(error) from error
    except asyncio.CancelledError:
        task.cancel()
        with CancelScope(shield=True):
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # so that asyncio does not complain that nobody looked
        raise


def _plain(values: Sequence[object]) -> list[object]:
    """psycopg writes an enumeration by its name."""
    return [value.value if isinstance(value, Enum) else value for value in values]


def _translated(error: psycopg.Error) -> Exception:
    """The error that asyncpg has for it."""
    if error.sqlstate is None:
        return Unavailable("The database connection was lost.")
    found = {letter: getattr(error.diag, name) for letter, name in _FIELDS.items()}
    return asyncpg.PostgresError.new({**found, "C": error.sqlstate, "M": found["M"] or str(error)})
