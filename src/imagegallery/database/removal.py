"""Deletion of rows to which other tables may refer.

An application that shares our database may have foreign keys to our tables, and triggers on them. What these refuse is
not the fault of the other rows.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from imagegallery.database.connection import Connection
from imagegallery.errors import Conflict

# Including what an application checks at commit, where it would affect everything else.
CHECK_NOW: Final = "SET CONSTRAINTS ALL IMMEDIATE"


@asynccontextmanager
async def removing(connection: Connection) -> AsyncIterator[None]:
    """Delete rows in the block, all or none. It runs in a transaction, which can continue in either case.

    Raises `Conflict` if an application's foreign key or trigger refuses one of them.
    """
    try:
        async with connection.transaction():
            yield
            await connection.execute(CHECK_NOW)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.RaiseError) as error:
        raise Conflict("Other records of this application still refer to this, so it cannot be deleted.") from error
