"""Upkeep looks at everything, a page at a time: no page costs more than itself."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from tests.support.database import explain

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.galleries import records as gallery_records
from imagegallery.images.image import original_records
from imagegallery.images.image import records as image_records
from imagegallery.owners import records as owner_records
from imagegallery.variants import records as variant_records

_LOAD = """
INSERT INTO galleries (id, owner_id, name, visibility, created_at, updated_at)
SELECT md5('gallery' || n)::uuid, 'owner ' || n % 40, 'gallery ' || n, 'public', now(), now()
FROM generate_series(0, 999) AS n;

INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at)
SELECT md5('image' || n)::uuid, 'owner ' || n % 40, 'p/' || n || '/', 'p/' || n || '/original.jpg', 'tram.jpg',
       'image/jpeg', 4000, 3000, 1000000, sha256(n::text::bytea), now(), now(), now()
FROM generate_series(0, 9999) AS n;

INSERT INTO image_variants (id, image_id, variant_type, format, key, width, height, file_size, fingerprint, created_at)
SELECT gen_random_uuid(), id, 'small', 'webp', key_prefix || 'small.webp', 800, 600, 1000, 'f', created_at
FROM images;

INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, image_taken_at, name_key, added_at)
SELECT md5('gallery' || n % 1000)::uuid, md5('image' || n)::uuid, n, now(), now(), 'tram', now()
FROM generate_series(0, 9999) AS n;

INSERT INTO tags (id, owner_id, key, name, created_at)
SELECT md5('tag' || n)::uuid, 'owner ' || n % 40, 'tag ' || n, 'Tag ' || n, now()
FROM generate_series(0, 3999) AS n;

INSERT INTO image_tags (image_id, tag_id, image_created_at, image_taken_at, is_listed)
SELECT md5('image' || n)::uuid, md5('tag' || n % 4000)::uuid, now(), now(), true
FROM generate_series(0, 9999) AS n;

ANALYZE
"""
AMONG = UUID(int=2**127)


@pytest.fixture
async def loaded(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection:
        await connection.execute(_LOAD)
        yield connection


async def test_every_page_is_read_by_an_index(loaded: Connection) -> None:
    keys = [f"p/{n}/original.jpg" for n in range(20)]
    for statement, arguments in (
        (image_records.LIST_ALL, (AMONG, 100)),
        (original_records.NAMED, (keys,)),
        (variant_records.WITHOUT_ROW, (keys,)),
        (gallery_records.COUNTS, (AMONG, 100)),
    ):
        assert "Seq Scan" not in await explain(loaded, statement, *arguments), statement


async def test_owners_are_found_one_by_one(loaded: Connection) -> None:
    """Adding up what an owner has may read as it likes; finding the next owner may not read all images."""
    plan = await explain(loaded, owner_records.SUMS, "owner 1", 10)
    assert "images_by_size" in plan
    assert [each.id for each in await owner_records.sums(loaded, "owner 1", 3)] == ["owner 10", "owner 11", "owner 12"]
