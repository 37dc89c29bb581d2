"""What keeps galleries in one database apart where PostgreSQL knows no schemas: channels and advisory locks.

Both belong to a whole database. Those of a gallery are named for its schema, too: SQL asks for the current one, which
is the connection's. In ``public`` they have no addition, which is how they were before galleries had schemas.
"""

from typing import Final

from attrs import frozen

from imagegallery.database.connection import Connection

PUBLIC: Final = "public"


def _suffix(schema: str) -> str:
    return f"CASE {schema} WHEN '{PUBLIC}' THEN '' ELSE '_' || hashtextextended({schema}, 0) END"


# What the name of a channel ends in.
SUFFIX: Final = _suffix("current_schema()")

# The second argument of ``hashtextextended``, whose result is the number of a lock.
SEED: Final = f"CASE current_schema() WHEN '{PUBLIC}' THEN 0 ELSE hashtextextended(current_schema(), 0) END"

_NAMESPACE = f"""
SELECT name, {_suffix("name")} AS suffix
FROM (SELECT coalesce($1, current_schema(), '{PUBLIC}')::text AS name) AS chosen"""


@frozen
class Namespace:
    """The schema of a gallery, and what the names of its channels and locks end in."""

    schema: str = PUBLIC
    suffix: str = ""

    @classmethod
    async def of(cls, connection: Connection, schema: str | None) -> "Namespace":
        """That of ``schema``, which need not exist yet; by default, of the connection's."""
        [row] = await connection.fetch(_NAMESPACE, schema)
        return cls(row["name"], row["suffix"])

    def own(self, name: str) -> str:
        """The name of this gallery's channel, or lock."""
        return f"{name}{self.suffix}"
