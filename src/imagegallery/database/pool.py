"""Connections to PostgreSQL 15 or newer: a pool, transactions, and notifications that survive a lost connection.

What fails in here fails as `Unavailable` (the server does not answer, is busy, or ended the connection) or as
`ConfigurationError` (it never will: wrong address, credentials or version).
"""

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import anyio

from imagegallery.common.task_groups import surrounding_tasks
from imagegallery.database.advisory import AdvisoryLocks
from imagegallery.database.connection import Connection
from imagegallery.database.connections import (
    CLOSING_TIME,
    Pool,
    check_version,
    close_pool,
    close_session,
    in_transaction,
    make_pool,
    open_session,
)
from imagegallery.database.failures import ENDINGS, opening, using
from imagegallery.database.notifications import Notifications, SharedListener, keep_polling
from imagegallery.database.options import DatabaseOptions as DatabaseOptions
from imagegallery.database.replicas import Replica, Replicas
from imagegallery.database.wal_position import COMMITTED, Position
from imagegallery.errors import ConfigurationError
from imagegallery.principal import Principal

JUST_NOW: Final = timedelta(seconds=1)


class Database:
    """A pool of connections. `connect` makes one; it is closed when that context ends."""

    def __init__(self, pool: Pool, options: DatabaseOptions) -> None:
        self._pool = pool
        self._options = options
        self._commits = 0
        self._writers: set[int] = set()
        self._wrote_at = -math.inf
        self._replicas: Replicas | None = None
        self._for_visitors: Database | None = None
        self._listeners: dict[tuple[str, ...], SharedListener] = {}
        self.locks = AdvisoryLocks(self.session)

    @classmethod
    @asynccontextmanager
    async def connect(cls, options: DatabaseOptions) -> AsyncIterator["Database"]:
        """Open ``min_size`` connections, and close all at the end; those of visitors are opened when one comes.

        Raises `Unavailable` when nothing answers and `ConfigurationError` when the DSN, the credentials or the
        server's version cannot work. Replicas need not answer, now or ever.
        """
        async with AsyncExitStack() as stack:
            database = await cls._opened(stack, options)
            stack.push_async_callback(database.locks.aclose)
            await database._warm_up()
            database._for_visitors = await cls._opened(stack, options.for_visitors())
            yield database

    @classmethod
    async def _opened(cls, stack: AsyncExitStack, options: DatabaseOptions) -> "Database":
        """With pools that are closed when ``stack`` is, to the primary and to the replicas."""
        database = cls(await stack.enter_async_context(_open_pool(options.required_dsn, options)), options)
        if options.replicas:
            pools = [await stack.enter_async_context(_open_pool(dsn, options)) for dsn in options.replicas]
            database._replicas = database._make_replicas(pools)
        return database

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for a while, with no transaction around what it does, unless a pooler needs one.

        Raises `Unavailable` when none can be had within ``acquire_timeout``, or when the one in use is lost.
        """
        async with self._acquired() as connection:
            if self._options.pooled:
                async with in_transaction(connection, self._options.statement_timeout):
                    yield connection
            else:
                yield connection

    @asynccontextmanager
    async def reading(self, principal: Principal | None = None) -> AsyncIterator[Connection]:
        """A connection to read from: a replica's that has all that was committed before this call, by anybody.

        The primary's, if none has in time; for a ``principal`` who is a visitor, one of the visitors'. Otherwise as
        `connection`.
        """
        is_visitor = principal is not None and principal.user_id is None
        database = self._for_visitors if is_visitor and self._for_visitors is not None else self
        async with AsyncExitStack() as stack:
            connection = await database._replicas.enter(stack) if database._replicas else None
            if connection is None:
                connection = await stack.enter_async_context(database.connection())
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one READ COMMITTED transaction: committed at the end, rolled back on any exception.

        Cancellation rolls back too; it never interrupts a commit or a rollback half-way.
        """
        limit = self._options.statement_timeout if self._options.pooled else None
        is_to_be_committed = False
        async with self._acquired() as connection:
            self._writers.add(connection.get_server_pid())
            try:
                async with in_transaction(connection, limit):
                    yield connection
                    is_to_be_committed = True
            finally:
                # One whose answer was lost may have been carried out.
                self._commits += is_to_be_committed
                self._wrote_at = anyio.current_time()

    @property
    def commits(self) -> int:
        """How many transactions of this process have been committed: whoever keeps copies knows when to look again."""
        return self._commits

    def is_own(self, backend: int) -> bool:
        """Whether this process has written through the server's backend of this number, as far as it can know.

        A pooler tells nobody their backend. Then: whether this process has written at all, just now.
        """
        if self._options.pooled:
            return anyio.current_time() - self._wrote_at < JUST_NOW.total_seconds()
        return backend in self._writers

    @property
    def has_sessions(self) -> bool:
        """Whether `session` works: not if a pooler is in the way, and no ``session_dsn`` leads past it."""
        return self._options.dsn_for_sessions is not None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """A connection of its own outside the pool, with no time limit on statements: for long work and listening.

        Raises `ConfigurationError` unless `has_sessions`.
        """
        async with _closing(await self._open_session()) as connection:
            yield connection

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """A connection of its own outside the pool, for transactions, with no time limit on their statements.

        Between two of them nothing is kept, unless `has_sessions`: locks end with the transaction.
        """
        dsn = self._options.dsn_for_sessions
        if dsn is not None:
            async with self.session() as connection:
                yield connection
        else:
            opened = await open_session(self._options.required_dsn, self._options, pooled=True)
            async with _closing(opened) as connection:
                yield connection

    @asynccontextmanager
    async def listen(self, *channels: str, payload: str | None = None) -> AsyncIterator[Notifications]:
        """Hear NOTIFY on these channels, or only of this payload. A lost connection is replaced for as long as this is
        open; all who listen to the same have one.

        Without sessions whoever waits is woken every second, to look. Raises `Unavailable` only if the first
        connection fails.
        """
        if self.has_sessions:
            listener = self._listeners.setdefault(channels, SharedListener(self._open_session, channels))
            async with listener.join(payload) as notifications:
                yield notifications
            return
        notifications = Notifications()
        async with surrounding_tasks() as tasks:
            try:
                tasks.start_soon(keep_polling, notifications)
                yield notifications
            finally:
                tasks.cancel_scope.cancel()

    async def ping(self) -> None:
        """One round trip. Raises `Unavailable`."""
        async with self.connection() as connection:
            await connection.execute("SELECT 1")

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Connection]:
        with opening():
            connection = await self._pool.acquire(timeout=self._options.acquire_timeout.total_seconds())
        try:
            with using(connection):
                yield connection
        finally:
            # One that cannot be cleaned for its next user is closed by the pool.
            with anyio.CancelScope(shield=True), suppress(*ENDINGS):
                await self._pool.release(connection, timeout=CLOSING_TIME.total_seconds())

    async def _open_session(self) -> Connection:
        dsn = self._options.dsn_for_sessions
        if dsn is None:
            raise ConfigurationError("Through a pooler no session is kept: set session_dsn to lead past it.")
        return await open_session(dsn, self._options)

    async def _warm_up(self) -> None:
        async with AsyncExitStack() as held:
            for _ in range(max(self._options.min_size, 1)):
                check_version(await held.enter_async_context(self.connection()))

    def _make_replicas(self, pools: Sequence[Pool]) -> Replicas:
        standbys = [Database(pool, self._options) for pool in pools]
        replicas = [Replica(number, each.connection) for number, each in enumerate(standbys, start=1)]
        return Replicas(replicas, Position(self.connection, COMMITTED), self._options.replica_patience)


@asynccontextmanager
async def _open_pool(dsn: str, options: DatabaseOptions) -> AsyncIterator[Pool]:
    pool = await make_pool(dsn, options)
    try:
        yield pool
    finally:
        await close_pool(pool)


@asynccontextmanager
async def _closing(connection: Connection) -> AsyncIterator[Connection]:
    """A connection of its own, while it is in use."""
    try:
        with using(connection):
            yield connection
    finally:
        await close_session(connection)
