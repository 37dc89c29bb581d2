"""SQL whose parameters have names: put together from pieces, none of which knows how many others there are."""

import re
from collections.abc import Mapping

from asyncpg import Record
from attrs import frozen

from imagegallery.database.connection import Connection

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


@frozen
class Statement:
    """A statement as PostgreSQL takes it, with numbers, which stand for ``names`` in this order."""

    sql: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Statement":
        """``text`` names its parameters: ``WHERE id = :image_id``, as often as need be."""
        names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
        return cls(_PARAMETER.sub(lambda name: f"${names.index(name[1]) + 1}", text), names)

    def arguments(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """The values in the order of the numbers. Raises `TypeError` unless each name has one, and none is left."""
        if values.keys() != set(self.names):
            raise TypeError(f"The statement takes {', '.join(self.names)}, not {', '.join(values)}.")
        return tuple(values[name] for name in self.names)

    async def fetch(self, connection: Connection, **values: object) -> list[Record]:
        """The rows."""
        rows: list[Record] = await connection.fetch(self.sql, *self.arguments(values))
        return rows

    async def execute(self, connection: Connection, **values: object) -> None:
        """What it changes is not told."""
        await connection.execute(self.sql, *self.arguments(values))
