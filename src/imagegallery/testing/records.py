"""A schema as it was when it had just been migrated, in milliseconds."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from imagegallery.database.connection import Connection

# The rows of these came with the migrations.
_KEPT: Final = ("schema_migrations", "event_log", "event_cursors")
_FIRST_CURSOR: Final = "webhooks"
PATIENCE: Final = "5s"

_TABLES = """
SELECT quote_ident(relname) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> ALL ($1)"""


class NotEmptied(Exception):
    """Something of the test before is in the way."""


async def empty(connection: Connection) -> None:
    """Empty the schema of this connection.

    All rows go in one statement, after which foreign keys are checked. To delete the few rows of a test is faster than
    to truncate the tables, or to make others; and the application's own foreign keys are kept and obeyed.

    Raises:
        NotEmptied: If a transaction that was left open, or rows of the application, do not allow it.
    """
    tables = [row[0] for row in await connection.fetch(_TABLES, _KEPT)]
    try:
        async with connection.transaction():
            await connection.execute(_deletion(tables))
    except asyncpg.LockNotAvailableError as error:
        raise NotEmptied(
            "Another connection holds rows of the gallery: an earlier test has left a transaction open."
        ) from error
    except asyncpg.ForeignKeyViolationError as error:
        raise NotEmptied(
            f"Rows of the application still refer to images of an earlier test ({error.constraint_name}): delete them"
            " first, or let the foreign key say ON DELETE SET NULL or CASCADE."
        ) from error


def _deletion(tables: Sequence[str]) -> str:
    deleted = ", ".join(f"d{number} AS (DELETE FROM {table})" for number, table in enumerate(tables))
    return f"""
        SET LOCAL lock_timeout = '{PATIENCE}';
        WITH {deleted} SELECT;
        DELETE FROM event_cursors WHERE consumer <> '{_FIRST_CURSOR}';
        UPDATE event_cursors SET position = 0;
        UPDATE event_log SET last_position = 0, pruned_through = 0"""
