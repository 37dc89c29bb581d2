"""Connections to PostgreSQL 15 or newer: a pool, transactions, and notifications that survive a lost connection.

What fails in here fails as `Unavailable` (the server does not answer, is busy, or ended the connection) or as
`ConfigurationError` (it never will: wrong address, credentials or version).
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import anyio
import asyncpg
from asyncpg.transaction import Transaction
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.notifications import Notifications, keep_listening
from imagegallery.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    PooledConnection: TypeAlias = PoolConnectionProxy[asyncpg.Record]

OLDEST_SERVER = 15
APPLICATION_NAME = "imagegallery"
# How long the end of a pool waits for what is still in use before it closes those connections too.
CLOSING_TIME = timedelta(seconds=10)
# How long a rollback may take; it waits for the end of a statement that was cancelled.
ROLLBACK_TIME = timedelta(seconds=3)
# The client's own limit is a little longer than the server's: it only speaks when the network went silent.
NETWORK_MARGIN = timedelta(seconds=5)


@frozen
class DatabaseOptions:
    """Where the database is and how much of it to use.

    ``dsn`` is a PostgreSQL URL (``postgresql://user@host/name``); without one the embedded server is meant, which
    `ImageGallery.open` starts. ``min_size`` and ``max_size`` count connections of one process.
    """

    dsn: str | None = None
    min_size: int = 1
    max_size: int = 10
    statement_timeout: timedelta = timedelta(seconds=30)
    connect_timeout: timedelta = timedelta(seconds=10)
    acquire_timeout: timedelta = timedelta(seconds=10)


# How statements are planned. Every one is short: compiling it would take longer than running it. And a page is read
# in its index's order: a bitmap scan reads and sorts all the rows that follow, which looks cheap in a plan that was
# made for galleries of any size and is not in a large one.
PLANNING: Final = {"jit": "off", "enable_bitmapscan": "off"}

# What the server says, or the driver in its place, when a connection cannot be had or is gone. A cancelled
# statement (57014) took longer than ``statement_timeout``; 57P01 to 57P03 are a server going down or coming up.
GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
# What can happen while letting go of a connection that is already broken.
_ENDINGS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_WRONG_SETTINGS = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.exceptions.ClientConfigurationError,
    ValueError,
)


class Database:
    """A pool of connections. `connect` makes one; it is closed when that context ends."""

    def __init__(self, pool: "Pool", options: DatabaseOptions) -> None:
        self._pool = pool
        self._options = options
        self._commits = 0

    @classmethod
    @asynccontextmanager
    async def connect(cls, options: DatabaseOptions) -> AsyncIterator["Database"]:
        """Open ``min_size`` connections, and close all at the end.

        Raises `Unavailable` when nothing answers and `ConfigurationError` when the DSN, the credentials or the
        server's version cannot work.
        """
        database = cls(await _make_pool(options), options)
        try:
            await database._warm_up()
            yield database
        finally:
            await _close_pool(database._pool)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for a while, with no transaction around what it does.

        Raises `Unavailable` when none can be had within ``acquire_timeout``, or when the one in use is lost.
        """
        connection = await self._acquire()
        try:
            with _using(connection):
                yield connection
        finally:
            # One that cannot be cleaned for its next user is closed by the pool.
            with anyio.CancelScope(shield=True), suppress(*_ENDINGS):
                await self._pool.release(connection, timeout=CLOSING_TIME.total_seconds())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one READ COMMITTED transaction: committed at the end, rolled back on any exception.

        Cancellation rolls back too; it never interrupts a commit or a rollback half-way.
        """
        async with self.connection() as connection:
            transaction = connection.transaction(isolation="read_committed")
            await transaction.start()
            try:
                yield connection
            except BaseException:
                await _roll_back(connection, transaction)
                raise
            with anyio.CancelScope(shield=True):
                try:
                    await transaction.commit()
                finally:
                    # One whose answer was lost may have been carried out.
                    self._commits += 1

    @property
    def commits(self) -> int:
        """How many transactions of this process have been committed: whoever keeps copies knows when to look again."""
        return self._commits

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """A connection of its own outside the pool, with no time limit on statements: for long work and listening."""
        with _opening():
            connection = await _open_session(self._options)
        try:
            with _using(connection):
                yield connection
        finally:
            await close_session(connection)

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[Notifications]:
        """Hear NOTIFY on these channels. A lost connection is replaced for as long as this is open.

        Raises `Unavailable` only if the first connection fails.
        """
        with _opening():
            connection = await _open_session(self._options)
        notifications = Notifications()
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            try:
                with _opening():
                    await tasks.start(keep_listening, connection, self._reopen, channels, notifications)
                yield notifications
            except Exception as error:
                # Taken out of the task group, which would wrap it.
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def ping(self) -> None:
        """One round trip. Raises `Unavailable`."""
        async with self.connection() as connection:
            await connection.execute("SELECT 1")

    async def _acquire(self) -> "PooledConnection":
        with _opening():
            return await self._pool.acquire(timeout=self._options.acquire_timeout.total_seconds())

    async def _reopen(self) -> Connection:
        with _opening():
            return await _open_session(self._options)

    async def _warm_up(self) -> None:
        async with AsyncExitStack() as held:
            for _ in range(max(self._options.min_size, 1)):
                _check_version(await held.enter_async_context(self.connection()))


async def close_session(connection: Connection) -> None:
    """Say goodbye to the server, or drop the connection if it does not listen. Never raises."""
    with anyio.CancelScope(shield=True):
        try:
            await connection.close(timeout=CLOSING_TIME.total_seconds())
        except _ENDINGS:
            connection.terminate()


async def _roll_back(connection: Connection, transaction: Transaction) -> None:
    """Never raises. A connection that does not come to rest is closed, which rolls back, too.

    That happens when a statement was cancelled before the server had begun it: the server ignores such a request.
    """
    with suppress(*_ENDINGS):
        with anyio.move_on_after(ROLLBACK_TIME.total_seconds(), shield=True):
            await transaction.rollback()
            return
        connection.terminate()


def _required_dsn(options: DatabaseOptions) -> str:
    if options.dsn is None:
        raise ConfigurationError("No database address is set, and no embedded server was started in its place.")
    return options.dsn


async def _make_pool(options: DatabaseOptions) -> "Pool":
    """A pool that holds no connection yet: it cannot fail half-way, with some of them open."""
    with _opening():
        pool: Pool = asyncpg.create_pool(
            _required_dsn(options),
            min_size=0,
            max_size=options.max_size,
            init=_prepare,
            timeout=options.connect_timeout.total_seconds(),
            command_timeout=(options.statement_timeout + NETWORK_MARGIN).total_seconds(),
            server_settings=_server_settings(options.statement_timeout),
        )
        return await pool


async def _close_pool(pool: "Pool") -> None:
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(CLOSING_TIME.total_seconds()):
            await pool.close()
            return
        pool.terminate()


async def _open_session(options: DatabaseOptions) -> Connection:
    connection = await asyncpg.connect(
        _required_dsn(options),
        timeout=options.connect_timeout.total_seconds(),
        server_settings=_server_settings(timedelta(0)),
    )
    await _prepare(connection)
    return connection


def _check_version(connection: Connection) -> None:
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise ConfigurationError(
            f"This PostgreSQL server is version {version.major}; version {OLDEST_SERVER} or newer is needed."
        )


def _server_settings(statement_timeout: timedelta) -> dict[str, str]:
    return {
        "application_name": APPLICATION_NAME,
        "timezone": "UTC",
        "statement_timeout": str(round(statement_timeout.total_seconds() * 1000)),  # milliseconds, 0: none
        **PLANNING,
    }


async def _prepare(connection: Connection) -> None:
    """jsonb travels as Python values."""
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@contextmanager
def _opening() -> Iterator[None]:
    """Name the failures of getting a connection. Nothing else may happen in its body: it catches broadly."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("No database connection could be had in time.") from error
    except _WRONG_SETTINGS as error:
        raise ConfigurationError(f"The database settings do not work: {error}") from error
    except (*GONE, OSError, asyncpg.InterfaceError) as error:
        raise Unavailable("The database does not answer.") from error


@contextmanager
def _using(connection: Connection) -> Iterator[None]:
    """Name the loss of a connection that was in use."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("The database took too long to answer.") from error
    except GONE as error:
        raise Unavailable("The database connection was lost.") from error
    except asyncpg.InterfaceError as error:
        if _is_lost(connection):
            raise Unavailable("The database connection was lost.") from error
        raise


def _is_lost(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has already taken the closed connection away from us.
        return True
