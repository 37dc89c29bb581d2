"""A schema as it was when it had just been migrated, in milliseconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from imagegallery.database.connection import Connection
from imagegallery.database.connections import close_session, open_session
from imagegallery.database.options import DatabaseOptions

# The rows of these came with the migrations.
_KEPT: Final = ("schema_migrations", "event_log", "event_cursors")
_FIRST_CURSOR: Final = "webhooks"
PATIENCE: Final = "5s"

_TABLES = """
SELECT quote_ident(relname) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> ALL ($1)"""


_RESET = f"""
DELETE FROM event_cursors WHERE consumer <> '{_FIRST_CURSOR}';
UPDATE event_cursors SET position = 0;
UPDATE event_log SET last_position = 0, pruned_through = 0"""


_REMOVE_AUDIT = "SET LOCAL imagegallery.removes_audit = 'on'"


class NotEmptied(Exception):
    """Something of the test before is in the way."""


class Cleaner:
    """Empties a schema, on a connection of its own, which is opened again if it is lost. Made by `connected`.

    All rows go in one statement, after which foreign keys are checked. To delete the few rows of a test is faster than
    to truncate the tables, or to make others; and the application's own foreign keys are kept and obeyed.
    """

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options
        self._connection: Connection | None = None
        self._deletion = ""

    @classmethod
    @asynccontextmanager
    async def connected(cls, options: DatabaseOptions) -> AsyncIterator["Cleaner"]:
        """Open it for the schema of ``options``, whose tables are all there."""
        cleaner = cls(options)
        try:
            yield cleaner
        finally:
            if cleaner._connection is not None:
                await close_session(cleaner._connection)

    async def empty(self) -> None:
        """Delete what tests have put there.

        Raises:
            NotEmptied: If a transaction that was left open, or rows of the application, do not allow it.
        """
        connection = await self._open()
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                await connection.execute(_REMOVE_AUDIT)
                await connection.fetch(self._deletion)
                await connection.execute(_RESET)
        except asyncpg.LockNotAvailableError as error:
            raise NotEmptied(
                "Another connection holds rows of the gallery: an earlier test has left a transaction open."
            ) from error
        except asyncpg.ForeignKeyViolationError as error:
            raise NotEmptied(
                f"Rows of the application still refer to images of an earlier test ({error.constraint_name}): delete"
                " them first, or let the foreign key say ON DELETE SET NULL or CASCADE."
            ) from error

    async def _open(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await open_session(self._options.required_dsn, self._options)
            tables = [row[0] for row in await self._connection.fetch(_TABLES, _KEPT)]
            deleted = ", ".join(f"d{number} AS (DELETE FROM {table})" for number, table in enumerate(tables))
            self._deletion = f"WITH {deleted} SELECT"
        return self._connection
