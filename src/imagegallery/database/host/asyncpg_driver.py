"""A host's connection of asyncpg, from a pool or not."""

import asyncio
from collections.abc import Sequence

import asyncpg
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.host.host_row import HostRow
from imagegallery.errors import InvalidInput


@frozen(eq=False)
class AsyncpgDriver:
    connection: Connection

    @property
    def key(self) -> int:
        return id(self.connection)

    @property
    def backend(self) -> int:
        return self.connection.get_server_pid()

    def check(self) -> None:
        if self.is_closed():
            raise InvalidInput("This connection is closed.")
        if getattr(self.connection, "_loop", None) is not asyncio.get_running_loop():
            raise InvalidInput("This connection belongs to another event loop than the gallery.")
        if not self.is_in_transaction():
            raise InvalidInput("This connection is in no transaction: begin one, with `connection.transaction()`.")

    def is_closed(self) -> bool:
        try:
            return self.connection.is_closed()
        except asyncpg.InterfaceError:  # it was given back to its pool
            return True

    def is_in_transaction(self) -> bool:
        return not self.is_closed() and self.connection.is_in_transaction()

    async def fetch(self, sql: str, values: Sequence[object]) -> list[HostRow]:
        # Not the host's own kind of record, whose names may be attributes only.
        rows = await self.connection.fetch(sql, *values, record_class=asyncpg.Record)
        return [HostRow(tuple(row.values()), {name: number for number, name in enumerate(row.keys())}) for row in rows]

    async def execute(self, sql: str, values: Sequence[object]) -> str:
        return await self.connection.execute(sql, *values)
