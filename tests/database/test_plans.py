"""Every listing is an index scan: the plans of the statements as records.py holds them, on tables of some size.

A statement whose index is missing fails here, which the last test shows by dropping each of them.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from anyio.from_thread import start_blocking_portal
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.galleries import records as galleries
from imagegallery.images import records as images
from imagegallery.testing.database import DatabaseServer

Plan = Mapping[str, Any]

# Half of all is owner 0's, the rest 20 others'; gallery 0 holds 3,000 images, every other one 8 or 9.
_LOAD = """
CREATE FUNCTION id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN md5(kind || number)::uuid;

INSERT INTO galleries (id, owner_id, name, visibility, created_at, updated_at)
SELECT id('gallery', n), 'owner ' || n % 2 * n % 40, 'gallery ' || n,
       (ARRAY['public', 'unlisted', 'private'])[1 + n % 3], moment, moment
FROM generate_series(0, 1999) AS n, LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 minute' AS moment);

INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at)
SELECT id('image', n), 'owner ' || n % 2 * n % 40, 'p/' || n || '/', 'p/' || n || '/original.jpg', 'tram.jpg',
       'image/jpeg', 4000, 3000, 1000000, sha256(n::text::bytea), moment, moment, moment
FROM generate_series(0, 19999) AS n, LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 minute' AS moment);

INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, added_at)
SELECT id('gallery', CASE WHEN n < 3000 THEN 0 ELSE n % 2000 END), i.id, n * 4294967296, i.created_at, i.created_at
FROM generate_series(0, 19999) AS n JOIN images i ON i.id = id('image', n);

INSERT INTO image_variants (id, image_id, variant_type, format, key, width, height, file_size, fingerprint, created_at)
SELECT gen_random_uuid(), i.id, size, 'webp', i.key_prefix || size || '.webp', 800, 600, 1000, 'f', i.created_at
FROM images i, unnest(ARRAY['small', 'medium']) AS size;
"""


@frozen
class Case:
    """A statement, arguments from the middle of its list, and the index that it must read ``table`` by."""

    sql: str
    arguments: tuple[object, ...]
    table: str
    index: str


OWNER, LIMIT = "owner 0", 51
GALLERY, IMAGE = (UUID(hashlib.md5(name).hexdigest()) for name in (b"gallery0", b"image0"))
AMONG_GALLERIES, AMONG_IMAGES = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)
POSITION = 1500 * 2**32

LISTS = {
    "own galleries": Case(
        galleries.LIST_OWNED, (OWNER, AMONG_GALLERIES, GALLERY, LIMIT), "galleries", "galleries_by_owner"
    ),
    "public galleries": Case(galleries.LIST_PUBLIC, (AMONG_GALLERIES, GALLERY, LIMIT), "galleries", "galleries_public"),
    "own images": Case(images.LIST_OWNED, (OWNER, AMONG_IMAGES, IMAGE, LIMIT), "images", "images_by_owner"),
    "images by position": Case(
        galleries.LIST_BY_POSITION, (GALLERY, POSITION, LIMIT), "gallery_images", "gallery_images_by_position"
    ),
    "images by created_at": Case(
        galleries.LIST_BY_CREATED_AT,
        (GALLERY, AMONG_IMAGES, IMAGE, LIMIT),
        "gallery_images",
        "gallery_images_by_created_at",
    ),
    "page by position": Case(
        galleries.PAGE_BY_POSITION, (GALLERY, 500, LIMIT), "gallery_images", "gallery_images_by_position"
    ),
    "page by created_at": Case(
        galleries.PAGE_BY_CREATED_AT, (GALLERY, 500, LIMIT), "gallery_images", "gallery_images_by_created_at"
    ),
}
LOOKUPS = {
    "gallery": Case(galleries.GET, (GALLERY,), "galleries", "galleries_pkey"),
    "gallery by name": Case(galleries.FIND_BY_NAME, (OWNER, "gallery 40"), "galleries", "galleries_by_name"),
    "image": Case(images.GET, (IMAGE,), "gallery_images", "gallery_images_by_image"),
    "image by content in a gallery": Case(
        images.FIND_BY_CONTENT, (OWNER, b"x" * 32, GALLERY), "images", "images_by_content"
    ),
    "image by content": Case(images.FIND_BY_CONTENT, (OWNER, b"x" * 32, None), "images", "images_by_content"),
    "public variant": Case(images.FIND_OPEN_VARIANT, ("p/1/small.webp",), "image_variants", "image_variants_key_key"),
}
CASES = LISTS | LOOKUPS


@pytest.fixture(scope="module")
def loaded_dsn(database_server: DatabaseServer) -> Iterator[str]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_loaded(database_server)) as dsn:
        yield dsn


@asynccontextmanager
async def _loaded(server: DatabaseServer) -> AsyncIterator[str]:
    async with server.clone() as dsn:
        connection = await asyncpg.connect(dsn)
        await connection.execute(_LOAD)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        yield dsn


@pytest.fixture
async def loaded(loaded_dsn: str) -> AsyncIterator[Connection]:
    """A connection inside a transaction that is rolled back."""
    connection = await asyncpg.connect(loaded_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def plan_for_values(connection: Connection, case: Case) -> Plan:
    return _root(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {case.sql}", *case.arguments))


async def plan_for_any_values(connection: Connection, case: Case) -> Plan:
    """The generic plan, which PostgreSQL may settle on for a statement that it has run often."""
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE statement AS {case.sql}")
    nulls = ", ".join("NULL" for _ in case.arguments)
    plan = _root(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE statement ({nulls})"))
    await connection.execute("DEALLOCATE statement")
    return plan


def _root(answer: str) -> Plan:
    root: Plan = json.loads(answer)[0]["Plan"]
    return root


def with_ancestors(node: Plan, above: tuple[Plan, ...] = ()) -> Iterator[tuple[Plan, tuple[Plan, ...]]]:
    yield node, above
    for child in node.get("Plans", ()):
        yield from with_ancestors(child, (*above, node))


def faults(plan: Plan, case: Case, *, paged: bool) -> list[str]:
    """What is wrong with the plan: it reads a whole table, another index, or more rows than the page has."""
    nodes = list(with_ancestors(plan))
    found = [f"reads all of {node['Relation Name']}" for node, _ in nodes if node["Node Type"] == "Seq Scan"]
    scans = [(node, above) for node, above in nodes if node.get("Index Name") == case.index]
    if not scans:
        return [*found, f"does not use {case.index}"]
    if paged:
        found += [fault for _, above in scans for fault in _page_faults(above)]
    return found


def _page_faults(above: tuple[Plan, ...]) -> Iterator[str]:
    """Between the scan and the LIMIT that ends it nothing may need all the rows."""
    for node in reversed(above):
        if node["Node Type"] == "Limit":
            return
        if node["Node Type"] in ("Sort", "Incremental Sort", "Hash Join", "Merge Join", "Hash", "Aggregate"):
            yield f"needs every row for a {node['Node Type']}"
    yield "reads on to the end"


@pytest.mark.parametrize("name", CASES)
async def test_each_statement_reads_by_its_index(loaded: Connection, name: str) -> None:
    for plan in (await plan_for_values(loaded, CASES[name]), await plan_for_any_values(loaded, CASES[name])):
        assert faults(plan, CASES[name], paged=name in LISTS) == []


@pytest.mark.parametrize("name", CASES)
async def test_the_check_fails_without_the_index(loaded: Connection, name: str) -> None:
    case = CASES[name]
    await _drop(loaded, case)

    assert faults(await plan_for_values(loaded, case), case, paged=name in LISTS) != []


async def _drop(connection: Connection, case: Case) -> None:
    is_constraint = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = $1)", case.index
    )
    if is_constraint:
        await connection.execute(f"ALTER TABLE {case.table} DROP CONSTRAINT {case.index} CASCADE")
    else:
        await connection.execute(f"DROP INDEX {case.index}")
