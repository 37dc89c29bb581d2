"""Deletion of rows to which other tables may refer.

An application that shares our database may have foreign keys to our tables, and triggers on them. What these refuse is
not the fault of the other rows.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from imagegallery.database.connection import Connection
from imagegallery.database.host.borrowed import BorrowedConnection
from imagegallery.errors import StillReferenced, Unavailable

# Including what an application checks at commit, where it would affect everything else.
CHECK_NOW: Final = "SET CONSTRAINTS ALL IMMEDIATE"


# For this transaction. What an application holds for longer waits for the next time.
WAIT_BRIEFLY: Final = "SET LOCAL lock_timeout = '250ms'"


class StillHeld(Unavailable):
    """Another transaction holds what this one needs."""


@asynccontextmanager
async def unless_held(connection: Connection) -> AsyncIterator[None]:
    """Do what is in the block, all or none, unless a lock has to be waited for. It runs in a transaction, which can
    continue in either case. Raises `StillHeld`."""
    try:
        async with connection.transaction():
            await connection.execute(WAIT_BRIEFLY)
            yield
    except asyncpg.LockNotAvailableError as error:
        raise StillHeld("Another transaction holds what this one needs.") from error


@asynccontextmanager
async def removing(connection: Connection) -> AsyncIterator[None]:
    """Delete rows in the block, all or none. It runs in a transaction, which can continue in either case.

    Raises `StillReferenced` if an application's foreign key or trigger refuses one of them. In the application's own
    transaction, what it defers is left to its commit.
    """
    try:
        async with connection.transaction():
            yield
            if not isinstance(connection, BorrowedConnection):
                await connection.execute(CHECK_NOW)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.RaiseError) as error:
        raise StillReferenced(
            "Other records of this application still refer to this, so it cannot be deleted.",
            table=getattr(error, "table_name", None),
            constraint=getattr(error, "constraint_name", None),
        ) from error
