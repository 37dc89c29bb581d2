"""The SQL of indexes by keys of ``meta``, which an operator asks for (`MetaOptions.indexed`) and ``migrate`` makes.

They are made beside the work of others (CONCURRENTLY), so outside of transactions; what breaks off leaves an index that
is not valid, and the next run makes it anew. A key is a word (`imagegallery.access.disclosure`) that can stand in SQL.
"""

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from imagegallery.access.condition import LISTED_GALLERY
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.images.library.filter_sql import meta_hash

_PREFIXES: Final = {"images": "images_meta_", "galleries": "galleries_meta_"}

# All that there are.
_INDEXES = r"""
SELECT c.relname AS name, i.indisvalid AS is_valid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid IN ('images'::regclass, 'galleries'::regclass) AND c.relname ~ '^(images|galleries)_meta_'"""


@frozen
class MetaIndexes:
    """What was made, and what was dropped since no setting names it any more."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def definitions(key: str) -> dict[str, str]:
    """The indexes by this key: an owner's images, newest upload first, and everybody's public galleries."""
    images, galleries = (f'"{prefix}{key}"' for prefix in _PREFIXES.values())
    hashed = meta_hash("", key)
    return {
        images.strip('"'): f"""
CREATE INDEX CONCURRENTLY {images} ON images (owner_id, ({hashed}), created_at DESC, id DESC)
WHERE meta ? '{key}' AND deleted_at IS NULL""",
        galleries.strip('"'): f"""
CREATE INDEX CONCURRENTLY {galleries} ON galleries (({hashed}), created_at DESC, id DESC)
WHERE meta ? '{key}' AND {LISTED_GALLERY.removeprefix("g.")}""",
    }


async def index_meta(database: Database, keys: Iterable[str], *, dry_run: bool = False) -> MetaIndexes:
    """Make the indexes by these keys that are missing, and drop those by other keys."""
    wanted = {name: sql for key in keys for name, sql in definitions(key).items()}
    async with database.alone() as connection:
        present = {row["name"]: row["is_valid"] for row in await connection.fetch(_INDEXES)}
        unwanted = [name for name, is_valid in present.items() if name not in wanted or not is_valid]
        missing = [name for name in wanted if not present.get(name)]
        if not dry_run:
            await _change(connection, unwanted, [wanted[name] for name in missing])
    return MetaIndexes(tuple(missing), tuple(sorted(set(unwanted) - wanted.keys())))


async def _change(connection: Connection, unwanted: Iterable[str], missing: Iterable[str]) -> None:
    for name in unwanted:
        await connection.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
    for sql in missing:
        await connection.execute(sql)
