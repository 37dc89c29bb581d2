"""Which driver a host's connection is of. None but asyncpg is imported that the host has not imported."""

import inspect
import sys
from functools import partial
from typing import Any, Final, TypeAlias

import asyncpg
from anyio import to_thread
from asyncpg.pool import PoolConnectionProxy

from imagegallery.database.host.asyncpg_driver import AsyncpgDriver
from imagegallery.database.host.driver import HostDriver
from imagegallery.errors import InvalidInput

HostConnection: TypeAlias = object
"""A connection of asyncpg (also from a pool), or of psycopg 3 (`psycopg.Connection`, `psycopg.AsyncConnection`; Django
has it as ``connection.connection``), or a connection or session of SQLAlchemy that uses one of these."""

_WRONG: Final = (
    "cannot share a transaction with the gallery: pass a connection of asyncpg or psycopg 3, or SQLAlchemy's over one."
)


async def driver_of(connection: HostConnection) -> HostDriver:
    """Raises `InvalidInput` for anything that is no `HostConnection`."""
    below = await _below_sqlalchemy(connection)
    if isinstance(below, asyncpg.Connection | PoolConnectionProxy):
        return AsyncpgDriver(below)
    if (psycopg := sys.modules.get("psycopg")) is not None:
        # Imported where it is there, as the adapters of `imagegallery.backends` are.
        from imagegallery.database.host.psycopg_driver import AsyncPsycopgDriver, PsycopgDriver

        if isinstance(below, psycopg.Connection):
            return PsycopgDriver(below)
        if isinstance(below, psycopg.AsyncConnection):
            return AsyncPsycopgDriver(below)
    raise InvalidInput(f"A {type(below).__module__}.{type(below).__qualname__} {_hint(below)}")


def _hint(connection: object) -> str:
    if hasattr(connection, "ensure_connection"):
        return "is Django's: pass its `connection.connection`, inside `transaction.atomic()`."
    if hasattr(connection, "registry"):
        return "is another session in another thread: call it, and pass the session."
    return _WRONG


async def _below_sqlalchemy(connection: Any) -> object:
    """The driver's connection of a connection or session of SQLAlchemy, whose transaction has begun. Else as it is."""
    if hasattr(connection, "get_bind") and hasattr(connection, "connection") and not hasattr(connection, "registry"):
        connection = await _called(connection.connection)
    if not hasattr(connection, "exec_driver_sql"):
        return connection
    # It begins with the first statement, and not before.
    await _called(partial(connection.exec_driver_sql, "SELECT 1"))
    asked = getattr(connection, "get_raw_connection", None)
    pooled = connection.connection if asked is None else await asked()
    return pooled.driver_connection


async def _called(function: Any) -> Any:
    """The result of a method that is awaited or, in its other face, blocks."""
    if inspect.iscoroutinefunction(getattr(function, "func", function)):
        return await function()
    return await to_thread.run_sync(function)
