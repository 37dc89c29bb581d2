"""A real, migrated database for each test: cloned from a template on an embedded server that all workers share.

For a ``conftest.py`` (with pytest-asyncio or anyio's plugin)::

    @pytest.fixture(scope="session")
    def database_server():
        with DatabaseServer.shared() as server:
            yield server

    @pytest.fixture
    async def database(database_server):
        async with database_server.clone() as dsn, Database.connect(DatabaseOptions(dsn=dsn)) as database:
            yield database

It needs the extra ``embedded``. The server is as fast as it can be, and keeps nothing over a power failure: its files
are in memory where the system has a file system for that with room to spare, unless ``TMPDIR`` says where to put them.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import anyio
import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal

from imagegallery.database.connection import Connection
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.migrate import digest, migrate, packaged_migrations
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import ConfigurationError
from imagegallery.testing.fast_server import FAST, fastest_place

# One process makes the template, the others wait; on the program's own database, which no test uses.
TAKE_LOCK = "SELECT pg_advisory_lock(1)"
DATABASE_EXISTS = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"


class DatabaseServer:
    """One server, and a template with this release's schema on it. Made by `shared`."""

    def __init__(self, dsn: str, template: str, administrator: "_Administrator") -> None:
        self.dsn = dsn
        self.template = template
        self._administrator = administrator

    @classmethod
    @contextmanager
    def shared(cls, directory: Path | None = None, installed: Path | None = None) -> Iterator["DatabaseServer"]:
        """The server of this directory, by default one for each user of this machine.

        ``installed`` is the folder of a PostgreSQL's programs (``/usr/lib/postgresql/15/bin``), for a server of another
        version than the wheel's.

        Workers and test runs that overlap share it. The last of them deletes it; after one that was killed, the
        next finds it, and deletes it in the end. Works in any test runner: its own life is in a thread.
        """
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(
                cls._running(directory or _own_directory(installed), installed, portal)
            ) as server,
        ):
            yield server

    @classmethod
    @asynccontextmanager
    async def _running(
        cls, directory: Path, installed: Path | None, portal: BlockingPortal
    ) -> AsyncIterator["DatabaseServer"]:
        async with (
            EmbeddedPostgres.running(directory, settings=FAST, temporary=True, installed=installed) as dsn,
            _Administrator.connected(dsn, await _template(dsn), portal) as administrator,
        ):
            yield cls(dsn, administrator.template, administrator)

    @asynccontextmanager
    async def clone(self) -> AsyncIterator[str]:
        """The DSN of a fresh database with the whole schema; it is dropped afterwards, whoever still uses it."""
        async with self._dropped(await self._administrator.clone()) as dsn:
            yield dsn

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """The DSN of a fresh database without a schema; dropped afterwards."""
        async with self._dropped(await self._administrator.create()) as dsn:
            yield dsn

    @asynccontextmanager
    async def _dropped(self, name: str) -> AsyncIterator[str]:
        try:
            yield with_database(self.dsn, name)
        finally:
            self._administrator.drop(name)


class _Administrator:
    """One connection to the program's own database, for whichever event loop asks. Made by `connected`.

    It makes the next clone and drops the last one while a test runs on the one between.
    """

    def __init__(self, template: str, connection: Connection, portal: BlockingPortal) -> None:
        self.template = template
        self._connection = connection
        self._portal = portal
        self._turn = anyio.Lock()
        self._next: Future[str] | None = None
        self._drops: list[Future[None]] = []

    @classmethod
    @asynccontextmanager
    async def connected(cls, dsn: str, template: str, portal: BlockingPortal) -> AsyncIterator["_Administrator"]:
        """To be used in the event loop of ``portal``, where the connection lives."""
        connection = await asyncpg.connect(dsn)
        administrator = cls(template, connection, portal)
        try:
            yield administrator
        finally:
            await asyncio.gather(*map(asyncio.wrap_future, administrator._drops))
            if administrator._next is not None:
                await administrator._drop(await asyncio.wrap_future(administrator._next))
            await connection.close()

    async def clone(self) -> str:
        """The name of a copy of the template."""
        ready, self._next = self._next, self._begin_clone()
        return await asyncio.wrap_future(ready or self._begin_clone())

    async def create(self) -> str:
        """The name of an empty database."""
        return await asyncio.wrap_future(self._portal.start_task_soon(self._create, ""))

    def drop(self, name: str) -> None:
        """Drop it, whoever still uses it, without waiting for that."""
        self._drops = [drop for drop in self._drops if not drop.done() or drop.exception()]
        self._drops.append(self._portal.start_task_soon(self._drop, name))

    def _begin_clone(self) -> "Future[str]":
        return self._portal.start_task_soon(self._create, f"TEMPLATE {self.template} STRATEGY FILE_COPY")

    async def _create(self, how: str) -> str:
        name = f"test_{uuid4().hex}"
        await self._execute(f"CREATE DATABASE {name} {how}")
        return name

    async def _drop(self, name: str) -> None:
        await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        async with self._turn:
            await self._connection.execute(statement)


def with_database(dsn: str, name: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def explain(connection: Connection, sql: str, *arguments: object) -> str:
    """The plan PostgreSQL chooses for this statement, as indented JSON: look for an index's name or a node's type.

    Insert enough rows and run ``ANALYZE`` first: for a small table a scan of it all is the right plan.
    """
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
    return json.dumps(json.loads(plan), indent=1)


async def _template(dsn: str) -> str:
    migrations = packaged_migrations()
    name = f"template_{digest(migrations)}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(TAKE_LOCK)
        if not await connection.fetchval(DATABASE_EXISTS, name):
            await _make_template(connection, dsn, name)
    finally:
        await connection.close()
    return name


async def _make_template(connection: Connection, dsn: str, name: str) -> None:
    """Under another name first: an interrupted one must not look finished."""
    draft = f"{name}_draft"
    await connection.execute(f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {draft}")
    async with Database.connect(DatabaseOptions(dsn=with_database(dsn, draft))) as database:
        await migrate(database)
    await connection.execute(f"ALTER DATABASE {draft} RENAME TO {name}")


def _own_directory(installed: Path | None = None) -> Path:
    of_programs = "" if installed is None else f"-{hashlib.sha256(os.fsencode(installed)).hexdigest()[:8]}"
    directory = Path(fastest_place(), f"imagegallery-tests-{os.geteuid()}{of_programs}")
    if directory.exists() and directory.lstat().st_uid != os.geteuid():
        raise ConfigurationError(f"{directory} belongs to somebody else: remove it, or set TMPDIR.")
    return directory
