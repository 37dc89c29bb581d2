"""Opening and closing connections, one by one and in pools, and ending transactions.

What belongs to a session is done on a session of its own. On a connection of a pool nothing is set, locked or listened
to for longer than a transaction: when it is given back there is nothing to clean up, which would be a round trip more.
Through a pooler in transaction mode, where each transaction may run in another session of the server, nothing is
prepared either.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypedDict

import anyio
import asyncpg
from asyncpg import connect_utils
from asyncpg.transaction import Transaction

from imagegallery.database.connection import Connection
from imagegallery.database.failures import ENDINGS, opening
from imagegallery.database.options import (
    NO_LIMIT,
    DatabaseOptions,
    pooled_settings,
    session_settings,
)
from imagegallery.errors import ConfigurationError

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    Pool = asyncpg.Pool
Isolation = Literal["read_committed", "repeatable_read"]

OLDEST_SERVER: Final = 15
# How long closing a pool waits for connections in use before closing them.
CLOSING_TIME: Final = timedelta(seconds=10)
# How long a rollback may take; it waits for the end of a cancelled statement.
ROLLBACK_TIME: Final = timedelta(seconds=3)
# The client's own limit is a little longer than the server's: it is only for a network that went silent.
NETWORK_MARGIN: Final = timedelta(seconds=5)


class _Upgrade(connect_utils.TLSUpgradeProto):
    """asyncpg's first message to a server over TCP. If it is cancelled before sending, nobody retrieves the result, and
    asyncio would
    complain on stderr.
    """

    def __init__(self, *arguments: Any) -> None:  # asyncpg's own
        super().__init__(*arguments)
        self.on_data.add_done_callback(_look_at)


def _look_at(future: "asyncio.Future[bool]") -> None:
    if not future.cancelled():
        future.exception()


connect_utils.TLSUpgradeProto = _Upgrade  # type: ignore[assignment,misc]  # it is asyncpg's own


class _Manner(TypedDict):
    """asyncpg's options that depend on a pooler. The default of the cache is asyncpg's own."""

    server_settings: dict[str, str]
    statement_cache_size: int


async def make_pool(dsn: str, options: DatabaseOptions) -> Pool:
    """Make a pool without connections, so that it cannot fail with some of them open."""
    with opening():
        pool: Pool = asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=options.max_size,
            init=_prepare_pooled if options.pooled else _prepare,
            reset=_leave_as_it_is,
            timeout=options.connect_timeout.total_seconds(),
            command_timeout=_own_limit(options.statement_timeout),
            **_manner(options.statement_timeout, options.schema, pooled=options.pooled),
        )
        return await pool


async def close_pool(pool: Pool) -> None:
    """Close the pool after a while for connections in use. Never raises, whatever happened to the server."""
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(CLOSING_TIME.total_seconds()), suppress(*ENDINGS):
            await pool.close()
            return
        pool.terminate()


async def open_session(dsn: str, options: DatabaseOptions, *, pooled: bool = False) -> Connection:
    """Open a connection without a time limit for statements."""
    with opening():
        connection = await asyncpg.connect(
            dsn, timeout=options.connect_timeout.total_seconds(), **_manner(NO_LIMIT, options.schema, pooled=pooled)
        )
        await _prepare(connection)
        return connection


async def close_session(connection: Connection) -> None:
    """Close the connection, or drop it if the server does not respond. Never raises."""
    with anyio.CancelScope(shield=True):
        try:
            await connection.close(timeout=CLOSING_TIME.total_seconds())
        except ENDINGS:
            connection.terminate()


@asynccontextmanager
async def in_transaction(
    connection: Connection, settings: str | None = None, isolation: Isolation = "read_committed"
) -> AsyncIterator[None]:
    """Run one transaction: committed at the end, rolled back on any exception.

    ``settings``, see `transaction_settings`, are for a connection through a pooler, whose session cannot keep them.
    """
    transaction = connection.transaction(isolation=isolation)
    try:
        await transaction.start()
        if settings is not None:
            await connection.execute(settings)
        yield
    except BaseException:
        await _roll_back(connection, transaction)
        raise
    with anyio.CancelScope(shield=True):
        await transaction.commit()


async def _roll_back(connection: Connection, transaction: Transaction) -> None:
    """Roll back. Never raises. A connection that stays busy is closed, which rolls back, too.

    That happens if a statement was cancelled before the server had begun it, since the server ignores such a request.
    It also happens if that statement begins the transaction, when its result is unknown.
    """
    with anyio.move_on_after(ROLLBACK_TIME.total_seconds(), shield=True), suppress(*ENDINGS):
        await transaction.rollback()
        return
    with suppress(*ENDINGS):
        connection.terminate()


def check_version(connection: Connection) -> None:
    """Raise `ConfigurationError` for a server that is too old."""
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise ConfigurationError(
            f"This PostgreSQL server is version {version.major}; version {OLDEST_SERVER} or newer is needed."
        )


def _own_limit(limit: timedelta) -> float | None:
    """How long a statement may take by the client's clock, in seconds, if the server allows ``limit``."""
    return None if limit == NO_LIMIT else (limit + NETWORK_MARGIN).total_seconds()


def _manner(limit: timedelta, schema: str | None, *, pooled: bool) -> _Manner:
    if pooled:
        return {"server_settings": pooled_settings(), "statement_cache_size": 0}
    return {"server_settings": session_settings(limit, schema), "statement_cache_size": 100}


async def _prepare(connection: Connection) -> None:
    """Make jsonb Python values, without asking the server."""
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _prepare_pooled(connection: Connection) -> None:
    await _prepare(connection)
    # Before it looks up a type, asyncpg switches JIT off for the session, unless the server has none.
    capabilities = connection._server_caps  # type: ignore[union-attr]  # the stubs know a pool's proxy, too
    connection._server_caps = capabilities._replace(jit=False)  # type: ignore[union-attr]  # as above


async def _leave_as_it_is(_connection: Connection) -> None:
    """asyncpg has ended its transaction already, if one was open."""
