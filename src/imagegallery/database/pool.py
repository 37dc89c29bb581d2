"""Connections to PostgreSQL 15 or newer: a pool, transactions, and notifications that survive a lost connection.

Errors are `Unavailable` (the server does not respond, is busy, or closed the connection) or `ConfigurationError` (it
never will: wrong address, credentials or version).
"""

import asyncio
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Final, cast

import anyio

from imagegallery.common.bounded import BoundedMap
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
from imagegallery.database.host.borrowed import PLACE, Whereabouts, lent
from imagegallery.database.host.choice import HostConnection, driver_of
from imagegallery.database.host.driver import HostDriver
from imagegallery.database.host.json_text import JsonText, Named
from imagegallery.database.namespace import Namespace
from imagegallery.database.notifications import Notifications, SharedListener, keep_polling
from imagegallery.database.options import NO_LIMIT, transaction_settings
from imagegallery.database.options import DatabaseOptions as DatabaseOptions
from imagegallery.database.replicas import Replica, Replicas
from imagegallery.database.wal_position import COMMITTED, Position
from imagegallery.errors import ConfigurationError
from imagegallery.principal import Principal

JUST_NOW: Final = timedelta(seconds=1)
DESCRIBED_BYTES: Final = 2_000_000


class _Home:
    """The event loop, of one process, that connections belong to."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._loop = asyncio.get_running_loop()

    def check(self) -> None:
        """Raise `RuntimeError` in another loop or process, where waiting for a connection would never end."""
        if os.getpid() != self._process:
            raise RuntimeError("This gallery was opened before the process was forked: open one in each process.")
        if asyncio.get_running_loop() is not self._loop:
            ended = ", which has ended" if self._loop.is_closed() else ""
            raise RuntimeError(
                f"This gallery was opened in another event loop{ended}. Open one in each loop, or one for all by"
                " `imagegallery.sync.open_gallery`, whose calls wait in its own."
            )


class Database:
    """A pool of connections, made by `connect` and closed with that context."""

    def __init__(self, pool: Pool, options: DatabaseOptions) -> None:
        self._pool = pool
        self._options = options
        self._settings = transaction_settings(options.statement_timeout, options.schema) if options.pooled else None
        self._home = _Home()
        self._commits = 0
        self._writers: set[int] = set()
        self._wrote_at = -math.inf
        self._replicas: Replicas | None = None
        self._for_visitors: Database | None = None
        self._after_commit: Callable[[], Awaitable[None]] | None = None
        self._listeners: dict[tuple[str, ...], SharedListener] = {}
        self._lent: dict[int, HostDriver] = {}
        self._has_lent = False
        self._ours: Whereabouts | None = None
        self._described = BoundedMap[str, JsonText](DESCRIBED_BYTES, lambda sql, text: 2 * (len(sql) + len(text.sql)))
        self.namespace = Namespace()
        self.locks = AdvisoryLocks(self.session, self.namespace)

    @classmethod
    @asynccontextmanager
    async def connect(cls, options: DatabaseOptions) -> AsyncIterator["Database"]:
        """Open ``min_size`` connections, closed at the end. Those of visitors are opened on demand.

        Raises `Unavailable` if nothing responds, and `ConfigurationError` for a wrong DSN, credentials or server
        version. Replicas need not respond.
        """
        async with AsyncExitStack() as stack:
            database = await cls._open(stack, options)
            await database._warm_up()
            database.locks = AdvisoryLocks(database.session, database.namespace)
            stack.push_async_callback(database.locks.aclose)
            database._for_visitors = await cls._open(stack, options.for_visitors())
            yield database

    @classmethod
    async def _open(cls, stack: AsyncExitStack, options: DatabaseOptions) -> "Database":
        """Make it, with pools to the primary and the replicas that are closed with ``stack``."""
        database = cls(await stack.enter_async_context(_open_pool(options.required_dsn, options)), options)
        if options.replicas:
            pools = [await stack.enter_async_context(_open_pool(dsn, options)) for dsn in options.replicas]
            database._replicas = database._make_replicas(pools)
        return database

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection, without a transaction unless a pooler requires one.

        Raises `Unavailable` if there is none within ``acquire_timeout``, or it is lost during use.
        """
        async with self._acquire() as connection:
            if self._settings is None:
                yield connection
            else:
                async with in_transaction(connection, self._settings):
                    yield connection

    @asynccontextmanager
    async def reading(
        self, principal: Principal | None = None, *, within: HostConnection | None = None
    ) -> AsyncIterator[Connection]:
        """Lend a connection for reading, of a replica that has everything committed before this call.

        It is the primary's if no replica is ready in time, and one of the visitors' if ``principal`` is one. Otherwise
        as `connection`. ``within`` is for a host's connection, as in `borrow`.
        """
        if within is not None:
            async with self.borrow(within, for_reading=True) as borrowed:
                yield borrowed
            return
        if self._has_lent and self._after_commit is not None:
            await self._after_commit()
        is_visitor = principal is not None and principal.user_id is None
        database = self._for_visitors if is_visitor and self._for_visitors is not None else self
        async with AsyncExitStack() as stack:
            connection = await database._replicas.enter(stack) if database._replicas else None
            if connection is None:
                connection = await stack.enter_async_context(database.connection())
            yield connection

    @asynccontextmanager
    async def transaction(self, *, within: HostConnection | None = None) -> AsyncIterator[Connection]:
        """Lend a connection inside one READ COMMITTED transaction: committed at the end, rolled back on any exception.

        Cancellation rolls back, too, and never interrupts a commit or a rollback. ``within`` is for a host's own
        connection, whose transaction goes on after the block: see `borrow`.
        """
        if within is not None:
            async with self.borrow(within) as connection:
                yield connection
            return
        is_to_be_committed = False
        async with self._acquire() as connection:
            self._writers.add(connection.get_server_pid())
            try:
                async with in_transaction(connection, self._settings):
                    yield connection
                    is_to_be_committed = True
            finally:
                # A transaction whose response was lost may have been committed.
                self._commits += is_to_be_committed
                self._wrote_at = anyio.current_time()
        if self._after_commit is not None:
            await self._after_commit()

    @contextmanager
    def after_commit(self, call: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """Call this after each committed `transaction`, before it returns, while the context is open.

        When hosts commit what they did on connections of their own is unknown: once one was lent, also before reading.
        """
        self._after_commit = call
        try:
            yield
        finally:
            self._after_commit = None

    @asynccontextmanager
    async def borrow(self, connection: HostConnection, *, for_reading: bool = False) -> AsyncIterator[Connection]:
        """Make a host's own connection, inside the host's own transaction, usable for our statements.

        What is done in the block is undone if it raises, and the host's transaction goes on. If not, the host commits
        it or rolls it back with the rest. The connection keeps what the host has set on it: search path, time zone,
        codecs.

        Raises `InvalidInput` for a connection that is in no transaction, or in one that cannot be shared, and
        `ConfigurationError` for one of another database.
        """
        self._home.check()
        driver = await driver_of(connection)
        with using(driver):
            async with lent(driver, self._describe, self._find_ours, for_reading=for_reading) as borrowed:
                if not for_reading:
                    self._lent[driver.key] = driver
                    self._has_lent = True
                    self._writers.add(driver.backend)
                yield cast("Connection", borrowed)  # it has what statements use of one

    @property
    def commits(self) -> int:
        """The number of this process's committed transactions, so that caches know when to look again.

        A transaction that a host has not ended yet may be committed at any moment, so it counts each time.
        """
        if self._lent:
            self._commits += 1
            self._wrote_at = anyio.current_time()
            self._lent = {key: driver for key, driver in self._lent.items() if driver.is_in_transaction()}
        return self._commits

    def is_own(self, backend: int) -> bool:
        """Whether this process has written through the server's backend of this number, as far as it can know.

        A pooler hides backends. Then: whether this process has just written at all.
        """
        if self._options.pooled:
            return anyio.current_time() - self._wrote_at < JUST_NOW.total_seconds()
        return backend in self._writers

    @property
    def has_sessions(self) -> bool:
        """Whether `session` works: not through a pooler without ``session_dsn``."""
        return self._options.dsn_for_sessions is not None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """Open a connection outside the pool, without a time limit for statements, for long work and listening.

        Raises `ConfigurationError` unless `has_sessions`.
        """
        async with _close_after(await self._open_session()) as connection:
            yield connection

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """Open a connection outside the pool for transactions without a time limit for statements.

        Nothing is kept between them, unless `has_sessions`: locks end with the transaction.
        """
        dsn = self._options.dsn_for_sessions
        if dsn is not None:
            async with self.session() as connection:
                yield connection
        else:
            opened = await open_session(self._options.required_dsn, self._options, pooled=True)
            async with _close_after(opened) as connection:
                yield connection

    @asynccontextmanager
    async def transaction_alone(self, connection: Connection) -> AsyncIterator[None]:
        """Run one transaction on a connection of `alone`."""
        async with in_transaction(connection, transaction_settings(NO_LIMIT, self._options.schema)):
            yield

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Open a connection outside the pool for one transaction in which every statement sees the database as of the
        first one, without a time limit for statements."""
        async with self.alone() as connection:
            settings = transaction_settings(NO_LIMIT, self._options.schema)
            async with in_transaction(connection, settings, "repeatable_read"):
                yield connection

    @property
    def schema(self) -> str | None:
        """The gallery's own schema, if the options name one."""
        return self._options.schema

    @asynccontextmanager
    async def listen(self, *channels: str, payload: str | None = None) -> AsyncIterator[Notifications]:
        """Listen to these channels of this gallery, or only to this payload. Lost connections are replaced while
        this is open, and shared by listeners of the same channels.

        Without sessions, waiters are woken every second to look. Only raises `Unavailable` if the first connection
        fails.
        """
        if self.has_sessions:
            own = tuple(map(self.namespace.own, channels))
            listener = self._listeners.setdefault(own, SharedListener(self._open_session, own))
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
        """Make one round trip. Raises `Unavailable`."""
        async with self.connection() as connection:
            await connection.execute("SELECT 1")

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Connection]:
        self._home.check()
        with opening():
            connection = await self._pool.acquire(timeout=self._options.acquire_timeout.total_seconds())
        try:
            with using(connection):
                yield connection
        finally:
            # The pool closes a connection that cannot be cleaned for its next user.
            with anyio.CancelScope(shield=True), suppress(*ENDINGS):
                await self._pool.release(connection, timeout=CLOSING_TIME.total_seconds())

    async def _find_ours(self, seen: str) -> Whereabouts:
        """Where our own connections lead. Looks again if a host's, which has ``seen`` its own, leads elsewhere: the
        server may have been started again."""
        if self._ours is None or self._ours.database != seen:
            async with self.connection() as connection:
                self._ours = Whereabouts.of(*await connection.fetch(PLACE))
        return self._ours

    async def _describe(self, sql: str) -> JsonText:
        """The statement without JSON in its parameters and columns."""
        known = self._described.get(sql)
        if known is None:
            async with self.connection() as connection:
                prepared = await connection.prepare(sql, name="")  # without a name the session keeps none
                columns = [Named(each.name, each.type.name) for each in prepared.get_attributes()]
                known = JsonText.of(sql, [each.name for each in prepared.get_parameters()], columns)
            self._described.put(sql, known)
        return known

    async def _open_session(self) -> Connection:
        self._home.check()
        dsn = self._options.dsn_for_sessions
        if dsn is None:
            raise ConfigurationError("Through a pooler no session is kept: set session_dsn to lead past it.")
        return await open_session(dsn, self._options)

    async def _warm_up(self) -> None:
        async with AsyncExitStack() as held:
            for _ in range(max(self._options.min_size, 1)):
                connection = await held.enter_async_context(self.connection())
                check_version(connection)
            self.namespace = await Namespace.of(connection, self._options.schema)

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
async def _close_after(connection: Connection) -> AsyncIterator[Connection]:
    """Close the connection at the end."""
    try:
        with using(connection):
            yield connection
    finally:
        await close_session(connection)
