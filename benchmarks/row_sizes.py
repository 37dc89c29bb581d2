"""How many bytes an image takes in the database, indexes included, table by table.

    python benchmarks/row_sizes.py --images 100000

Rows as the application writes them (keys, ids by time, EXIF, hashes) are inserted by SQL into an embedded PostgreSQL,
in the order of uploads by 1,000 owners in turn; each image has six variants and is in one gallery. After VACUUM the
server says how large each table and its indexes are. The second table is of what an upload leaves for a while: its
session and its event.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio
import click

from imagegallery.database.connection import Connection
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions

OWNERS = 1_000
BATCH = 10_000

LOAD_GALLERIES = """
CREATE TABLE benchmark_galleries AS
SELECT n, uuidv7() AS id, gen_random_uuid()::text AS owner_id FROM generate_series(0, $1::integer - 1) AS n"""

ADD_GALLERIES = """
INSERT INTO galleries (id, owner_id, name, visibility, created_at, updated_at)
SELECT id, owner_id, 'Holiday ' || n, 'private', now(), now() FROM benchmark_galleries"""

ADD_OWNERS = "INSERT INTO owners (owner_id) SELECT owner_id FROM benchmark_galleries"

ADD_IMAGES = """
CREATE TEMPORARY TABLE added AS
SELECT i.n, uuidv7() AS id, g.id AS gallery_id, g.owner_id,
       timestamptz '2026-01-01Z' + i.n * interval '1 second' AS moment
FROM generate_series($1::bigint, $2::bigint - 1) AS i (n) JOIN benchmark_galleries g ON g.n = i.n % $3::integer
ORDER BY i.n"""

INSERT_IMAGES = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    blurhash, exif_data, taken_at, latitude, longitude, processing_status, phash, created_at,
                    updated_at)
SELECT id, owner_id, 'library/images/' || id || '/',
       'library/images/' || id || '/original.jpg', 'IMG_' || 10000 + n % 90000 || '.jpg',
       'image/jpeg', 4000, 3000, 3500000, sha256(id::text::bytea), 'LEHV6nWB2yk8pyo0adR*.7kCMdnj',
       jsonb_build_object('make', 'Pixelworks', 'model', 'P-12', 'exposure_time', 0.004, 'f_number', 1.8, 'iso', 100,
                          'focal_length', 4.25, 'orientation', 1),
       moment, 38.7, -9.1, 'complete', hashtextextended(id::text, 0), moment, moment
FROM added"""

INSERT_VARIANTS = """
INSERT INTO image_variants (id, image_id, variant_type, format, key, width, height, file_size, fingerprint, created_at)
SELECT uuidv7(), id, type, format,
       'library/images/' || id || '/' || type || '-' || print || '.' || format,
       800, 600, 60000, print, moment
FROM added, (VALUES ('thumbnail', 'webp'), ('small', 'webp'), ('medium', 'webp'), ('large', 'webp'),
                    ('medium', 'avif'), ('large', 'avif')) AS variants (type, format),
     LATERAL (SELECT left(md5(id::text || type || format), 16) AS print) AS digest"""

INSERT_ANALYSES = """
INSERT INTO image_analyses (image_id, name, version, state, data, created_at)
SELECT a.id, found.name, 1, 'done', found.data, a.moment
FROM added a JOIN images i ON i.id = a.id,
     LATERAL (VALUES ('placeholder', to_jsonb(i.blurhash)), ('phash', to_jsonb(lpad(to_hex(i.phash), 16, '0'))),
                     ('metadata', i.exif_data)) AS found (name, data)"""

INSERT_MEMBERS = """
INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, image_taken_at, name_key, added_at)
SELECT gallery_id, id, n * 4294967296, moment, moment, 'img_0005' || 10000 + n % 90000 || '.jpg', moment FROM added"""

# Hashes of how images look, all of them different and none near another.
INSERT_BUCKETS = """
INSERT INTO phash_buckets (owner_id, bucket, phash)
SELECT a.owner_id, quarter * 65536 + (i.phash >> 16 * quarter & 65535)::integer, i.phash
FROM added a JOIN images i ON i.id = a.id, generate_series(0, 3) AS quarter
ON CONFLICT DO NOTHING"""

INSERT_NEIGHBOURS = """
INSERT INTO phash_neighbours (owner_id, phash, near_phash, distance)
SELECT a.owner_id, i.phash, i.phash, 0 FROM added a JOIN images i ON i.id = a.id
ON CONFLICT DO NOTHING"""

INSERT_SESSIONS = """
INSERT INTO upload_sessions (id, owner_id, gallery_id, transport, state, incoming_key, key_prefix, filename,
                             content_type, declared_size, image_id, created_at, updated_at, expires_at)
SELECT session, owner_id, gallery_id, 'simple', 'completed', 'incoming/' || session,
       'library/images/' || id || '/', 'IMG_' || 10000 + n % 90000 || '.jpg', 'image/jpeg',
       3500000, id, moment, moment, moment + interval '1 hour'
FROM added, LATERAL (SELECT uuidv7() AS session WHERE added.n IS NOT NULL) AS made"""

INSERT_EVENTS = """
INSERT INTO events (owner_id, type, data, occurred_at, position)
SELECT owner_id, type, jsonb_build_object('owner_id', owner_id, 'image_id', id, 'gallery_id', gallery_id), moment,
       2 * n + place
FROM added, (VALUES ('image.uploaded', 0), ('image.processed', 1)) AS types (type, place)"""

SIZES = """
SELECT relname AS name, pg_table_size(oid) AS rows, pg_indexes_size(oid) AS indexes
FROM pg_class WHERE relname = ANY ($1) ORDER BY relname"""

INSERTS = (
    INSERT_IMAGES,
    INSERT_VARIANTS,
    INSERT_ANALYSES,
    INSERT_MEMBERS,
    INSERT_BUCKETS,
    INSERT_NEIGHBOURS,
    INSERT_SESSIONS,
    INSERT_EVENTS,
)
KEPT = ("images", "image_variants", "image_analyses", "gallery_images", "phash_buckets", "phash_neighbours")
KEPT_FOR_A_WHILE = ("upload_sessions", "events")


async def load(connection: Connection, first: int, end: int) -> None:
    async with connection.transaction():
        await connection.execute("DROP TABLE IF EXISTS added")
        await connection.execute(ADD_IMAGES, first, end, OWNERS)
        for statement in INSERTS:
            await connection.execute(statement)


async def report(connection: Connection, tables: Sequence[str], images: int) -> None:
    total = 0.0
    for name, rows, indexes in await connection.fetch(SIZES, list(tables)):
        total += (rows + indexes) / images
        print(f"{name:18} {rows / images:8.0f} {indexes / images:8.0f} {(rows + indexes) / images:8.0f}")
    print(f"{'together':18} {'':8} {'':8} {total:8.0f}")


async def measure(connection: Connection, images: int) -> None:
    await connection.execute(LOAD_GALLERIES, OWNERS)
    for statement in (ADD_GALLERIES, ADD_OWNERS):
        await connection.execute(statement)
    for first in range(0, images, BATCH):
        await load(connection, first, min(first + BATCH, images))
    await connection.execute("VACUUM ANALYZE")
    print(f"{images:,} images of {OWNERS:,} owners, bytes per image:")
    print(f"{'table':18} {'rows':>8} {'indexes':>8} {'both':>8}")
    await report(connection, KEPT, images)
    print("for a while:")
    await report(connection, KEPT_FOR_A_WHILE, images)


async def run(images: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres.running(Path(folder, "postgres"), settings={"fsync": "off"})
        async with server as dsn, Database.connect(DatabaseOptions(dsn=dsn)) as database:
            await migrate(database)
            async with database.session() as connection:
                await measure(connection, images)


@click.command()
@click.option("--images", default=100_000, show_default=True)
def main(images: int) -> None:
    anyio.run(run, images)


if __name__ == "__main__":
    main()
