"""The SQL of exports."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding
from imagegallery.images.image.image import Image
from imagegallery.images.image.records import IMAGE_COLUMNS, image_from
from imagegallery.privacy.export import Export, ExportFile, ExportState, ReadPart
from imagegallery.privacy.zip_format import ZipFile

HELD: Final = (
    Holding("exports"),
    Holding(
        "export_files",
        "t.export_id IN (SELECT id FROM exports WHERE owner_id = :owner_id)",
        "t.export_id",
        is_told=False,
    ),
)
PAGE: Final = 500

_COLUMNS = """id, owner_id, state, files, bytes, bytes_read, size, created_at, snapshot_at, ready_at, expires_at,
    directory_place, directory_size"""
_FILE_COLUMNS = "number, name, key, start, size, crc32, bytes_read, modified_at, image_id, place, entry_place"

_INSERT = """
INSERT INTO exports (id, owner_id, state, created_at, expires_at) VALUES ($1, $2, 'waiting', $3, $4)
ON CONFLICT (owner_id) WHERE state IN ('waiting', 'reading', 'ready') DO NOTHING"""

_COUNT_SINCE = "SELECT count(*), min(created_at) FROM exports WHERE owner_id = $1 AND created_at > $2"

_GET = f"SELECT {_COLUMNS} FROM exports WHERE id = $1"

_GET_OPEN = f"""
SELECT {_COLUMNS} FROM exports WHERE owner_id = $1 AND state IN ('waiting', 'reading', 'ready')"""

_LIST = f"SELECT {_COLUMNS} FROM exports WHERE owner_id = $1 ORDER BY created_at DESC, id DESC"

# Those whose time is over, or whose rows need not be kept any more to count them.
EXPIRED = f"""
SELECT {_COLUMNS} FROM exports
WHERE expires_at <= $1 AND (state <> 'ended' OR created_at <= $2)
ORDER BY expires_at
LIMIT 100"""

# All of an owner's images, the oldest first, with the names of the galleries that each is in, the trash included.
IMAGES = f"""
SELECT {IMAGE_COLUMNS}, ARRAY(
    SELECT g.name FROM gallery_images m JOIN galleries g ON g.id = m.gallery_id WHERE m.image_id = i.id ORDER BY g.id
) AS gallery_names
FROM images i
WHERE i.owner_id = $1
ORDER BY i.id"""

_INSERT_FILE = """
INSERT INTO export_files (export_id, number, name, key, start, size, crc32, bytes_read, modified_at, image_id, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""

_SNAPSHOT_TAKEN = """
UPDATE exports
SET state = 'reading', snapshot_at = $2,
    files = found.files, bytes = found.bytes, bytes_read = found.bytes_read
FROM (
    SELECT count(*) AS files, sum(size) AS bytes, sum(bytes_read) AS bytes_read FROM export_files WHERE export_id = $1
) AS found
WHERE id = $1 AND state = 'waiting'"""

_NEXT_IN_STATE = f"""
SELECT {_FILE_COLUMNS} FROM export_files
WHERE export_id = $1 AND state = $2
ORDER BY number
LIMIT $3"""

_SET_FILE_STATE = "UPDATE export_files SET state = $3 WHERE export_id = $1 AND number = ANY($2)"

_NOTE_READ = """
WITH parts AS (
    SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS part (number, crc32, bytes_read)
), files AS (
    UPDATE export_files f
    SET crc32 = parts.crc32, bytes_read = parts.bytes_read,
        state = CASE WHEN parts.bytes_read = f.size THEN 'read' ELSE f.state END
    FROM parts
    WHERE f.export_id = $1 AND f.number = parts.number
)
UPDATE exports SET bytes_read = bytes_read + $5 WHERE id = $1"""

_LOST = "SELECT name, image_id FROM export_files WHERE export_id = $1 AND state = 'lost' ORDER BY number"

_LAST_NUMBER = "SELECT max(number) FROM export_files WHERE export_id = $1"

_READ_AFTER = f"""
SELECT {_FILE_COLUMNS} FROM export_files
WHERE export_id = $1 AND state = 'read' AND number > $2
ORDER BY number
LIMIT $3"""

_PLACE = "UPDATE export_files SET place = $3, entry_place = $4 WHERE export_id = $1 AND number = $2"

_READY = """
UPDATE exports
SET state = 'ready', files = $2, bytes = $3, bytes_read = $3, directory_place = $4, directory_size = $5, size = $6,
    ready_at = $7, expires_at = $8
WHERE id = $1 AND state = 'reading'"""

# The file at this place of the archive, and some that follow it.
FROM_PLACE = f"""
SELECT {_FILE_COLUMNS} FROM export_files
WHERE export_id = $1
  AND place >= (SELECT place FROM export_files WHERE export_id = $1 AND place <= $2 ORDER BY place DESC LIMIT 1)
ORDER BY place
LIMIT $3"""

# The file whose entry is at this place of the directory, and some that follow it.
FROM_ENTRY = f"""
SELECT {_FILE_COLUMNS} FROM export_files
WHERE export_id = $1 AND entry_place >= (
    SELECT entry_place FROM export_files WHERE export_id = $1 AND entry_place <= $2 ORDER BY entry_place DESC LIMIT 1
)
ORDER BY entry_place
LIMIT $3"""

_END = "UPDATE exports SET state = $2 WHERE id = $1 AND state IN ('waiting', 'reading', 'ready')"

# Some of the originals that it needed, and that no image has any more; they go with the export.
_SOME_ORIGINALS = """
SELECT number, key, image_id FROM export_files
WHERE export_id = $1 AND image_id IS NOT NULL AND number > $2
ORDER BY number
LIMIT $3"""

_DELETE_FILES = "DELETE FROM export_files WHERE export_id = $1"

_DELETE = "DELETE FROM exports WHERE id = $1"

# Those of these keys that an export needs.
NEEDED = """
SELECT DISTINCT f.key FROM export_files f
WHERE f.key = ANY($1) AND f.image_id IS NOT NULL AND f.state IN ('held', 'read')"""

# Those of these exports that are open.
_OPEN = "SELECT id FROM exports WHERE id = ANY($1) AND state IN ('waiting', 'reading', 'ready')"


async def insert(
    connection: Connection, export_id: UUID, owner_id: str, *, now: datetime, expires_at: datetime
) -> bool:
    """Insert it; false if the owner has an open one."""
    return await connection.execute(_INSERT, export_id, owner_id, now, expires_at) == "INSERT 0 1"


async def get_open(connection: Connection, owner_id: str) -> Export | None:
    row = await connection.fetchrow(_GET_OPEN, owner_id)
    return None if row is None else _export(row)


async def count_since(connection: Connection, owner_id: str, since: datetime) -> tuple[int, datetime | None]:
    """How many the owner has asked for since then, and when for the first of them."""
    (row,) = await connection.fetch(_COUNT_SINCE, owner_id, since)
    return row[0], row[1]


async def get(connection: Connection, export_id: UUID) -> Export | None:
    row = await connection.fetchrow(_GET, export_id)
    return None if row is None else _export(row)


async def list_owned(connection: Connection, owner_id: str) -> Sequence[Export]:
    return [_export(row) for row in await connection.fetch(_LIST, owner_id)]


async def list_expired(connection: Connection, *, now: datetime, counted_since: datetime) -> Sequence[Export]:
    return [_export(row) for row in await connection.fetch(EXPIRED, now, counted_since)]


@frozen
class ListedImage:
    """An image, and the names of the galleries that it is in."""

    image: Image
    galleries: tuple[str, ...]


async def images(connection: Connection, owner_id: str) -> AsyncIterator[ListedImage]:
    """Yield all of the owner's images. In a transaction."""
    async for row in connection.cursor(IMAGES, owner_id, prefetch=PAGE):
        yield ListedImage(image_from(row), tuple(row["gallery_names"]))


async def insert_files(connection: Connection, export_id: UUID, files: Iterable[ExportFile]) -> None:
    """Originals are only found, until they are held and read; what was made for the export is complete."""
    await connection.executemany(_INSERT_FILE, [
        (
            export_id,
            each.number,
            each.zipped.name,
            each.key,
            each.start,
            each.zipped.size,
            each.zipped.crc32,
            each.bytes_read,
            each.zipped.modified_at,
            each.image_id,
            "read" if each.image_id is None else "found",
        )
        for each in files
    ])  # fmt: skip


async def snapshot_taken(connection: Connection, export_id: UUID, *, now: datetime) -> bool:
    """Record it; false if the export is not waiting for it any more."""
    return await connection.execute(_SNAPSHOT_TAKEN, export_id, now) == "UPDATE 1"


async def next_found(connection: Connection, export_id: UUID, limit: int) -> Sequence[ExportFile]:
    """Originals that are not held yet."""
    return [_file(row) for row in await connection.fetch(_NEXT_IN_STATE, export_id, "found", limit)]


async def next_held(connection: Connection, export_id: UUID, limit: int) -> Sequence[ExportFile]:
    """Originals that are held and not read yet."""
    return [_file(row) for row in await connection.fetch(_NEXT_IN_STATE, export_id, "held", limit)]


async def set_held(connection: Connection, export_id: UUID, numbers: Collection[int]) -> None:
    await connection.execute(_SET_FILE_STATE, export_id, list(numbers), "held")


async def set_lost(connection: Connection, export_id: UUID, numbers: Collection[int]) -> None:
    await connection.execute(_SET_FILE_STATE, export_id, list(numbers), "lost")


async def note_read(connection: Connection, export_id: UUID, parts: Sequence[ReadPart]) -> None:
    """Record how far files were read; each is named once."""
    numbers = [each.number for each in parts]
    checksums, read = [each.crc32 for each in parts], [each.bytes_read for each in parts]
    await connection.execute(_NOTE_READ, export_id, numbers, checksums, read, sum(each.more for each in parts))


async def lost(connection: Connection, export_id: UUID) -> Sequence[tuple[str, UUID]]:
    """The names and images of originals that could not be had."""
    return [(row["name"], row["image_id"]) for row in await connection.fetch(_LOST, export_id)]


async def last_number(connection: Connection, export_id: UUID) -> int:
    number: int | None = await connection.fetchval(_LAST_NUMBER, export_id)
    return number or 0


async def read_after(connection: Connection, export_id: UUID, number: int, limit: int) -> Sequence[ExportFile]:
    """Files of the archive, in its order."""
    return [_file(row) for row in await connection.fetch(_READ_AFTER, export_id, number, limit)]


async def place(connection: Connection, export_id: UUID, places: Iterable[tuple[int, int, int]]) -> None:
    await connection.executemany(_PLACE, [(export_id, *each) for each in places])


async def ready(
    connection: Connection,
    export_id: UUID,
    *,
    files: int,
    bytes_: int,
    directory: tuple[int, int],
    size: int,
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Record it; false if the export has ended."""
    tag = await connection.execute(_READY, export_id, files, bytes_, *directory, size, now, expires_at)
    return tag == "UPDATE 1"


async def from_place(connection: Connection, export_id: UUID, at: int, limit: int) -> Sequence[ExportFile]:
    return [_file(row) for row in await connection.fetch(FROM_PLACE, export_id, at, limit)]


async def from_entry(connection: Connection, export_id: UUID, at: int, limit: int) -> Sequence[ExportFile]:
    return [_file(row) for row in await connection.fetch(FROM_ENTRY, export_id, at, limit)]


async def end(connection: Connection, export_id: UUID, state: ExportState) -> bool:
    """End an open one; false if it has ended."""
    return await connection.execute(_END, export_id, state.value) == "UPDATE 1"


async def originals_after(
    connection: Connection, export_id: UUID, number: int, limit: int
) -> Sequence[tuple[int, str]]:
    """Numbers and keys of originals."""
    rows = await connection.fetch(_SOME_ORIGINALS, export_id, number, limit)
    return [(row["number"], row["key"]) for row in rows]


async def delete_files(connection: Connection, export_id: UUID) -> None:
    await connection.execute(_DELETE_FILES, export_id)


async def delete(connection: Connection, export_id: UUID) -> None:
    await connection.execute(_DELETE, export_id)


async def not_needed(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The ``keys`` that no export needs."""
    needed = {row["key"] for row in await connection.fetch(NEEDED, list(keys))} if keys else set()
    return [key for key in keys if key not in needed]


async def open_among(connection: Connection, export_ids: Collection[UUID]) -> set[UUID]:
    return {row["id"] for row in await connection.fetch(_OPEN, list(export_ids))}


def _export(row: Record) -> Export:
    return Export(**{**row, "state": ExportState(row["state"])})


def _file(row: Record) -> ExportFile:
    zipped = ZipFile(row["name"], row["size"], row["crc32"], row["modified_at"])
    places = row["place"] or 0, row["entry_place"] or 0
    return ExportFile(row["number"], row["key"], row["start"], zipped, row["bytes_read"], row["image_id"], *places)
