"""What the migration to sort keys makes of galleries from before it: the same keys as adding an image makes today."""

import anyio.to_thread
import asyncpg
import pytest
from tests.support.database import DatabaseServer

from imagegallery.database.migrate import migrate, packaged_migrations
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.images.image.filename import natural_key

NAMES = ["img2.jpg", "IMG010 (3).JPG", "007", "0", "000", "tram", "a" + "1b" * 120, "9" * 200, "x-1.5.10_ 2"]

_GALLERY = """
INSERT INTO galleries (id, owner_id, name, visibility, image_count, created_at, updated_at)
VALUES (gen_random_uuid(), 'ana', 'Lisbon', 'private', 0, now(), now())"""
_IMAGES = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at)
SELECT gen_random_uuid(), 'ana', n || '/', n || '/o.jpg', name, 'image/jpeg', 4, 3, 1, sha256(n::text::bytea),
       timestamptz '2020-01-01Z' + n * interval '1 day', now(), now()
FROM unnest($1::text[]) WITH ORDINALITY AS given (name, n)"""
_MEMBERS = """
INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, added_at)
SELECT g.id, i.id, row_number() OVER (ORDER BY i.taken_at), i.created_at, now() FROM galleries g, images i"""
_KEYS = """
SELECT i.filename, m.name_key, m.image_taken_at = i.taken_at AS is_right, m.random_key, m.placed, m.named, m.dated
FROM gallery_images m JOIN images i ON i.id = m.image_id"""


@pytest.mark.parametrize("names", [NAMES, []], ids=["some", "none"])
async def test_old_rows_get_their_keys(database_server: DatabaseServer, names: list[str]) -> None:
    migrations = await anyio.to_thread.run_sync(packaged_migrations)
    async with database_server.empty() as dsn, Database.connect(DatabaseOptions(dsn=dsn)) as database:
        await migrate(database, [each for each in migrations if each.version < 3])
        connection = await asyncpg.connect(dsn)
        await connection.execute(_GALLERY)
        await connection.execute(_IMAGES, names)
        await connection.execute(_MEMBERS)
        await migrate(database, migrations)
        rows = await connection.fetch(_KEYS)
        await connection.close()

    assert {row["filename"]: row["name_key"] for row in rows} == {name: natural_key(name) for name in names}
    assert all(row["is_right"] and 0 <= row["random_key"] < 2**48 for row in rows)
    assert len({row["random_key"] for row in rows}) == len(names)
    assert all((row["placed"], row["named"], row["dated"]) == (0, 0, 0) for row in rows)
