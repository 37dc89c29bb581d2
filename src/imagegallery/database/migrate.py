"""The schema, as numbered plain-SQL files: ``migrations/NNNN_name.sql``, applied in order, once, and never edited,
except for files that a supported server refuses (`SUPERSEDED`).

Each file runs in a transaction of its own together with its row in ``schema_migrations``, under an advisory lock of
that transaction, so that one process migrates while the others wait. Nothing is kept between transactions, so a pooler
may be used.

Tables are changed under locks, and everybody behind a migration that waits for a lock waits, too. So it only waits for
a while, and then names the blockers.
"""

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from importlib.resources import files
from typing import Final

import anyio.to_thread
import asyncpg
from attrs import frozen

from imagegallery.common.task_groups import surrounding_tasks
from imagegallery.database.blockers import Blocker, until_blocked
from imagegallery.database.connection import Connection
from imagegallery.database.failures import GONE
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, Unavailable

logger = logging.getLogger(__name__)

LOCK_TIMEOUT: Final = timedelta(seconds=10)
OWN_SCHEMA: Final = "Give this gallery a schema of its own: set database.schema, to imagegallery for example."

# Any constant works, as long as nobody else in this database uses it ("imagegal" in ASCII).
LOCK = 0x696D61676567616C

# Held until the transaction ends, by one process at a time that migrates this gallery. $2: the suffix of its names.
TAKE_LOCK = "SELECT pg_advisory_xact_lock($1::bigint + CASE $2::text WHEN '' THEN 0 ELSE hashtext($2) END)"

SCHEMA_EXISTS = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"

GALLERY_IN_PUBLIC = "SELECT to_regclass('public.upload_sessions') IS NOT NULL"

CREATE_VERSION_TABLE = """
    CREATE TABLE schema_migrations (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""

BACKEND = "SELECT pg_backend_pid()"

# None without the table.
VERSION_COLUMNS = """
    SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = to_regclass('schema_migrations') AND attnum > 0 AND NOT attisdropped
"""

APPLIED = "SELECT version, name, checksum FROM schema_migrations ORDER BY version"

# What the table has at least, if it is ours. Other programs have one of this name, too.
OUR_COLUMNS: Final = frozenset(("version", "name", "checksum"))

RECORD = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)"

# Of files that had to be edited, the checksums of their earlier texts, by version. The result is the same on the
# servers that accepted the earlier text.
SUPERSEDED: Mapping[int, frozenset[str]] = {
    # A subquery without an alias, which PostgreSQL 15 refused.
    3: frozenset({"88aab501671d4b4e988ea32134e597baaa1b50c2364a2090dfdcfd389dc76848"}),
}

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@frozen
class Migration:
    """One file. ``checksum`` is the SHA-256, in hex, of its text with ``\\n`` line ends."""

    version: int
    name: str
    sql: str

    @classmethod
    def from_file(cls, file_name: str, text: str) -> "Migration":
        """Make it from a file. Raises `ValueError` for a name that is not ``NNNN_name.sql``."""
        match = _FILE_NAME.fullmatch(file_name)
        if match is None:
            raise ValueError(f"a migration's name is NNNN_name.sql, not {file_name!r}")
        return cls(int(match[1]), file_name.removesuffix(".sql"), text.replace("\r\n", "\n"))

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def packaged_migrations() -> tuple[Migration, ...]:
    """The migrations of this release, in order. Reads files: not for the event loop."""
    folder = files("imagegallery.database").joinpath("migrations")
    found = (
        Migration.from_file(entry.name, entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    )
    return tuple(sorted(found, key=lambda migration: migration.version))


def digest(migrations: Iterable[Migration]) -> str:
    """The name of the schema that these migrations make: 12 hex digits."""
    named = "".join(f"{migration.version} {migration.checksum} " for migration in migrations)
    return hashlib.sha256(named.encode()).hexdigest()[:12]


def left_to_apply(migrations: Sequence[Migration], applied: Mapping[int, tuple[str, str]]) -> tuple[Migration, ...]:
    """The ``migrations`` missing from a database that has ``applied`` (version: name and checksum).

    Raises `ConfigurationError` for a file that was edited after it was applied, and for a database migrated by newer
    code.
    """
    known = {migration.version: migration for migration in migrations}
    for version, (name, checksum) in applied.items():
        if version not in known:
            raise ConfigurationError(
                f"The database is newer than this program: it has migration {name}, which is unknown here."
            )
        if checksum != known[version].checksum and checksum not in SUPERSEDED.get(version, ()):
            raise ConfigurationError(
                f"Migration {known[version].name}.sql was changed after it had been applied to this database."
            )
    return tuple(migration for migration in migrations if migration.version not in applied)


@frozen
class LockWait:
    """Limits how long the server's process ``backend`` may wait for locks, observed from another connection."""

    database: Database
    patience: timedelta

    def said(self, backend: int) -> AbstractAsyncContextManager[None]:
        """Log once which sessions the block waits for, if it waits long."""

        async def say() -> None:
            logger.warning("waiting for another process that migrates: %s", _list(await self._blockers(backend)))

        return _beside(say)

    def bounded(self, backend: int, what: str) -> AbstractAsyncContextManager[None]:
        """End the block with `Unavailable` if it waits too long."""

        async def give_up() -> None:
            blockers = _list(await self._blockers(backend))
            raise Unavailable(
                f"{what} has waited {self.patience.total_seconds():g} s for a lock and gave up; it has left nothing "
                f"behind. In the way: {blockers}. Let that end, or end it (pg_terminate_backend), and try again."
            )

        return _beside(give_up)

    async def _blockers(self, backend: int) -> list[Blocker]:
        return await until_blocked(self.database, backend, self.patience)


def _list(blockers: Iterable[Blocker]) -> str:
    return ", ".join(map(str, blockers))


@asynccontextmanager
async def _beside(task: Callable[[], Coroutine[object, object, None]]) -> AsyncIterator[None]:
    """Run it during the block. Its error ends the block."""
    async with surrounding_tasks() as tasks:
        tasks.start_soon(task)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()


async def migrate(
    database: Database, migrations: Sequence[Migration] | None = None, *, lock_timeout: timedelta = LOCK_TIMEOUT
) -> list[str]:
    """Bring the database's schema up to date. Returns the names of applied migrations, in order.

    May be called from many processes at once: one works, the others wait and find nothing to do. By default, the
    migrations are this release's. Makes the schema that the options name. Raises `ConfigurationError` (see
    `left_to_apply`), also if the server refuses a file, which then changes nothing, or the table ``schema_migrations``
    is another program's, and `Unavailable`, with the blockers, if one has waited for a lock for ``lock_timeout``.
    """
    wanted = await _choose(migrations)
    applied: list[str] = []
    if not await pending(database, wanted):
        return applied
    async with database.alone() as connection:
        while migration := await _apply_next(connection, wanted, LockWait(database, lock_timeout)):
            applied.append(migration.name)
    return applied


async def pending(database: Database, migrations: Sequence[Migration] | None = None) -> list[str]:
    """The names of the migrations that `migrate` would apply. Changes nothing; raises as `migrate` does."""
    wanted = await _choose(migrations)
    async with database.connection() as connection:
        applied = await _read_applied(connection) if await _has_table(database, connection) else {}
    return [migration.name for migration in left_to_apply(wanted, applied)]


async def _choose(migrations: Sequence[Migration] | None) -> Sequence[Migration]:
    return await anyio.to_thread.run_sync(packaged_migrations) if migrations is None else migrations


async def _apply_next(connection: Connection, wanted: Sequence[Migration], waiting: LockWait) -> Migration | None:
    """Apply the first missing one."""
    database = waiting.database
    async with database.transaction_alone(connection):
        backend = await connection.fetchval(BACKEND)
        async with waiting.said(backend):
            await connection.execute(TAKE_LOCK, LOCK, database.namespace.suffix)
        async with waiting.bounded(backend, "The table of migrations"):
            await _make_place(database, connection)
            missing = left_to_apply(wanted, await _read_applied(connection))
        if missing:
            async with waiting.bounded(backend, f"Migration {missing[0].name}.sql"):
                await _apply(connection, missing[0])
    return missing[0] if missing else None


async def _make_place(database: Database, connection: Connection) -> None:
    """Make the schema, if it has a name, and its table of migrations. What is there needs no right to make it."""
    schema = database.schema
    if schema is not None and not await connection.fetchval(SCHEMA_EXISTS, schema):
        with _name_step(f"The schema {schema} cannot be made"):
            await connection.execute(f'CREATE SCHEMA "{schema}"')
        if await connection.fetchval(GALLERY_IN_PUBLIC):
            logger.warning(
                "the gallery in the new schema %s is empty: to return to that in public, set database.schema to public",
                schema,
            )
    if not await _has_table(database, connection):
        with _name_step("The table of migrations cannot be made"):
            await connection.execute(CREATE_VERSION_TABLE)


async def _has_table(database: Database, connection: Connection) -> bool:
    """Raise `ConfigurationError` if it is another program's."""
    columns = await connection.fetchval(VERSION_COLUMNS)
    if columns is not None and not OUR_COLUMNS.issubset(columns):
        raise ConfigurationError(
            f"The table {database.namespace.schema}.schema_migrations is another program's: its columns are"
            f" {', '.join(columns)}. Nothing was changed. {OWN_SCHEMA}"
        )
    return columns is not None


async def _read_applied(connection: Connection) -> dict[int, tuple[str, str]]:
    return {row["version"]: (row["name"], row["checksum"]) for row in await connection.fetch(APPLIED)}


async def _apply(connection: Connection, migration: Migration) -> None:
    with _name_step(f"Migration {migration.name}.sql failed"):
        await connection.execute(migration.sql)
        await connection.execute(RECORD, migration.version, migration.name, migration.checksum)


@contextmanager
def _name_step(what: str) -> Iterator[None]:
    """Name the step that the server refused, and the remedy. `Database.alone` handles temporary errors."""
    try:
        yield
    except (*GONE, asyncpg.DeadlockDetectedError):
        raise
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"{what}: {error}.{_remedy(error)}") from error


def _remedy(error: asyncpg.PostgresError) -> str:
    match error:
        case asyncpg.InsufficientPrivilegeError() | asyncpg.InvalidSchemaNameError():
            return (
                " Whoever owns the database can make the schema for this role (CREATE SCHEMA … AUTHORIZATION …), or"
                " grant it the right to (GRANT CREATE ON DATABASE …; for a schema that exists, GRANT USAGE, CREATE ON"
                " SCHEMA …)."
            )
        case asyncpg.DuplicateTableError() | asyncpg.DuplicateObjectError() | asyncpg.DuplicateFunctionError():
            return f" Another program has something of this name there. {OWN_SCHEMA}"
        case _:
            return ""
