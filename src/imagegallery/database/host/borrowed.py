"""A host's connection with the methods of ours, and the context that lends it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import anyio
import asyncpg
from attrs import frozen

from imagegallery.database.failures import ENDINGS
from imagegallery.database.host.driver import HostDriver
from imagegallery.database.host.host_row import HostRow
from imagegallery.database.host.json_text import JsonText
from imagegallery.errors import ConfigurationError, ImageGalleryError, InvalidInput

ROLLBACK_TIME: Final = timedelta(seconds=3)

# A server's start tells it from every other, from its own copies as well, and needs no right.
PLACE: Final = """
SELECT extract(epoch FROM pg_postmaster_start_time())::text || ' ' ||
       (SELECT oid FROM pg_database WHERE datname = current_database())::text AS database,
       (SELECT string_agg(quote_ident(name), ', ' ORDER BY number)
        FROM unnest(current_schemas(false)) WITH ORDINALITY AS given (name, number)) AS search_path,
       current_setting('search_path') AS set_search_path, current_setting('TimeZone') AS timezone,
       current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS read_only,
       '00000000-0000-0000-0000-000000000000'::uuid AS uuid, now() AS timestamptz, '\\x00'::bytea AS bytea"""

# What statements of ours send and read as these, besides JSON.
_VALUES: Final = {"uuid": UUID, "timestamptz": datetime, "bytea": bytes}

# For this transaction.
_SET: Final = "SELECT set_config('search_path', $1, true), set_config('TimeZone', $2, true)"

Describe = Callable[[str], Awaitable[JsonText]]


@frozen
class Whereabouts:
    """Where a connection is: the ``database``, of which no two are equal, and the schemas that it looks into."""

    database: str
    search_path: str

    @classmethod
    def of(cls, row: HostRow | asyncpg.Record) -> "Whereabouts":
        """Of a row of `PLACE`."""
        return cls(row["database"], row["search_path"] or "")


class BorrowedConnection:
    """What statements use of a connection."""

    def __init__(self, driver: HostDriver, describe: Describe) -> None:
        self._driver = driver
        self._describe = describe

    def is_closed(self) -> bool:
        return self._driver.is_closed()

    async def fetch(self, query: str, *args: object) -> list[HostRow]:
        text = await self._describe(query)
        rows = await self._driver.fetch(text.sql, text.encode(args))
        if not text.columns:
            return rows
        return [_decoded(row, text) for row in rows]

    async def fetchrow(self, query: str, *args: object) -> HostRow | None:
        rows = await self.fetch(query, *args)
        return rows[0] if rows else None

    async def fetchval(self, query: str, *args: object) -> object:
        row = await self.fetchrow(query, *args)
        return None if row is None else row[0]

    async def execute(self, query: str, *args: object) -> str:
        text = await self._describe(query)
        return await self._driver.execute(text.sql, text.encode(args))

    async def executemany(self, query: str, args: Sequence[Sequence[object]]) -> None:
        for each in args:
            await self.execute(query, *each)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All or none of what is done in the block; the host's transaction goes on in either case."""
        await self._driver.execute("SAVEPOINT imagegallery", ())
        try:
            yield
            with anyio.CancelScope(shield=True):
                await self._driver.execute("RELEASE SAVEPOINT imagegallery", ())
        except BaseException:
            with anyio.move_on_after(ROLLBACK_TIME.total_seconds(), shield=True), suppress(ImageGalleryError, *ENDINGS):
                await self._driver.execute("ROLLBACK TO SAVEPOINT imagegallery", ())
                await self._driver.execute("RELEASE SAVEPOINT imagegallery", ())
            raise


@asynccontextmanager
async def lent(
    driver: HostDriver, describe: Describe, find_home: Callable[[str], Awaitable[Whereabouts]], *, for_reading: bool
) -> AsyncIterator[BorrowedConnection]:
    """The connection, looking into our schemas. It is given back as it was, by an error too.

    Raises `InvalidInput` for one that is in no transaction, or in one that cannot be shared, and `ConfigurationError`
    for one of another database than ours, which ``find_home`` finds, given this one's.
    """
    driver.check()
    connection = BorrowedConnection(driver, describe)
    try:
        (found,) = await driver.fetch(PLACE, ())
    except asyncpg.InFailedSQLTransactionError as error:
        raise InvalidInput("This connection's transaction has failed: roll it back first.") from error
    for name, kind in _VALUES.items():
        if not isinstance(found[name], kind):
            raise InvalidInput(f"This connection has a codec of its own for {name}, which the gallery cannot read.")
    theirs = Whereabouts.of(found)
    ours = await find_home(theirs.database)
    if theirs.database != ours.database:
        raise ConfigurationError("This connection leads to another database than the gallery's.")
    if not for_reading and (found["isolation"], found["read_only"]) != ("read committed", "off"):
        raise InvalidInput("Only a READ COMMITTED transaction that may write can be shared with the gallery.")
    wanted, had = (ours.search_path, "UTC"), (found["set_search_path"], found["timezone"])
    async with connection.transaction():
        if wanted != had:
            await driver.fetch(_SET, wanted)
        try:
            yield connection
        except asyncpg.InsufficientPrivilegeError as error:
            message = f"The role of this connection may not use the gallery's tables: {error}."
            raise ConfigurationError(message) from error
        if wanted != had:
            with anyio.CancelScope(shield=True):
                await driver.fetch(_SET, had)


def _decoded(row: HostRow, text: JsonText) -> HostRow:
    return HostRow([text.decode(name, value) for name, value in row.items()], row.numbers)
