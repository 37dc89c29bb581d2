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
import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from tests.support.database import DatabaseServer

from imagegallery.access import records as access
from imagegallery.contributions import records as contributions
from imagegallery.database.connection import Connection
from imagegallery.database.options import PLANNING
from imagegallery.database.statement import Statement
from imagegallery.galleries import listing_records, order_records
from imagegallery.galleries import records as galleries
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.galleries.listing_records import ListStatement
from imagegallery.galleries.shuffle import shuffle
from imagegallery.galleries.walk import SLOTS_A_PAGE
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.duplicates import records as duplicate_records
from imagegallery.images.image import original_records
from imagegallery.images.image import records as images
from imagegallery.images.image.image import LibraryOrder
from imagegallery.images.library import index_records
from imagegallery.images.library import records as library_records
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.library.filter_sql import arguments
from imagegallery.images.trash import records as trash_records
from imagegallery.images.words import records as tag_records
from imagegallery.pagination import LAST_ID
from imagegallery.sharing import received_records

Plan = Mapping[str, Any]

# Half of all is owner 0's, some of it favourite or in the trash, the rest 20 others'; gallery 0 holds 12,000 images,
# every other one 4. Ten shares reach each gallery, one each image, and one each owner's library; all are for one group,
# and each for a user.
_LOAD = """
CREATE FUNCTION id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN md5(kind || number)::uuid;

INSERT INTO galleries (id, owner_id, name, visibility, created_at, updated_at)
SELECT id('gallery', n), 'owner ' || n % 2 * n % 40, 'gallery ' || n,
       (ARRAY['public', 'unlisted', 'private'])[1 + n % 3], moment, moment
FROM generate_series(0, 1999) AS n,
     LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 minute' AS moment) AS time;

INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    taken_at, created_at, updated_at, is_favorite, deleted_at)
SELECT id('image', n), 'owner ' || n % 2 * n % 40, 'p/' || n || '/', 'p/' || n || '/original.jpg', 'tram.jpg',
       'image/jpeg', 4000, 3000, 1000000 + n, sha256(n::text::bytea), moment, moment, moment, n % 20 = 4,
       CASE WHEN n % 20 = 2 OR n % 4 = 3 THEN moment END
FROM generate_series(0, 19999) AS n,
     LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 minute' AS moment) AS time;

INSERT INTO gallery_images (
    gallery_id, image_id, position, image_created_at, image_taken_at, name_key, added_at
)
SELECT id('gallery', CASE WHEN n < 12000 THEN 0 ELSE n % 2000 END), i.id, n * 4294967296, i.created_at, i.taken_at,
       'tram' || lpad(length(n::text)::text, 4, '0') || n, i.created_at
FROM generate_series(0, 19999) AS n JOIN images i ON i.id = id('image', n);

INSERT INTO gallery_renumberings
SELECT id('gallery', n % 2000), n, 0, 100, '{10, 11}', '{30, 60}', timestamptz '2026-01-01Z'
FROM generate_series(0, 9999) AS n;

INSERT INTO image_variants (id, image_id, variant_type, format, key, width, height, file_size, fingerprint, created_at)
SELECT gen_random_uuid(), i.id, size, 'webp', i.key_prefix || size || '.webp', 800, 600, 1000, 'f', i.created_at
FROM images i, unnest(ARRAY['small', 'medium']) AS size;

UPDATE images SET phash = hashtextextended(id::text, 0), meta = jsonb_build_object('sku', md5(id::text)),
                  rating = abs(hashtext(id::text)) % 6;
INSERT INTO tags (id, owner_id, key, name, created_at)
SELECT id('tag', n), 'owner ' || n % 2, 'tag ' || n, 'Tag ' || n, now() FROM generate_series(0, 3999) AS n;
INSERT INTO image_tags (image_id, tag_id, image_created_at, image_taken_at, is_listed)
SELECT i.id, id('tag', tag), i.created_at, i.taken_at, i.deleted_at IS NULL
FROM generate_series(0, 19999) AS n JOIN images i ON i.id = id('image', n), unnest(ARRAY[n % 2, 2 + n % 3998]) AS tag;
INSERT INTO tag_counts SELECT id('tag', n), slot, 1 FROM generate_series(0, 3999) AS n, generate_series(0, 7) AS slot;
UPDATE galleries SET meta = jsonb_build_object('sku', md5(id::text));
INSERT INTO phash_buckets
SELECT owner_id, (quarter << 16) | ((phash >> (16 * quarter)) & 65535)::integer, phash
FROM images, generate_series(0, 3) AS quarter;
INSERT INTO phash_neighbours SELECT owner_id, phash, phash, 0 FROM images;
INSERT INTO lookalikes SELECT owner_id, id FROM images;
INSERT INTO dismissed_pairs
SELECT least(id('image', n), id('image', n + 1)), greatest(id('image', n), id('image', n + 1)), now()
FROM generate_series(0, 9999) AS n;

INSERT INTO shares (id, owner_id, token_hash, permissions, metadata, download, created_at, updated_at)
SELECT id('share', n), 'owner ' || n % 40, sha256(n::text::bytea), 1, 1, 0, moment, moment
FROM generate_series(0, 40039) AS n,
     LATERAL (SELECT timestamptz '2026-01-01Z' + n * interval '1 minute' AS moment) AS time;
INSERT INTO share_targets (share_id, owner_id, gallery_id, image_id)
SELECT id('share', n), 'owner ' || n % 40, CASE WHEN n < 20000 THEN id('gallery', n % 2000) END,
       CASE WHEN n BETWEEN 20000 AND 39999 THEN id('image', n - 20000) END
FROM generate_series(0, 40039) AS n;
INSERT INTO share_recipients (id, share_id, kind, name, created_at)
SELECT id(kind, n), id('share', n), kind, CASE kind WHEN 'user' THEN 'user ' || n % 1000 ELSE 'staff' END, now()
FROM generate_series(0, 40039) AS n, unnest(ARRAY['user', 'group']) AS kind;

INSERT INTO contributions (image_id, owner_id, share_id, gallery_id, added_by, size, state, arrived_at)
SELECT i.id, i.owner_id, id('share', n % 40), id('gallery', 0), 'guest:' || id('guest', n % 100), 1000,
       (ARRAY['pending', 'approved'])[1 + n / 2 % 2], i.created_at
FROM generate_series(0, 19999) AS n JOIN images i ON i.id = id('image', n);
"""


@frozen
class Case:
    """A statement, arguments from the middle of its list, and the index that it must read ``table`` by."""

    sql: str
    arguments: tuple[object, ...]
    table: str
    index: str


def named(statement: Statement, **values: object) -> tuple[str, tuple[object, ...]]:
    """A statement with its arguments."""
    return statement.sql, statement.arguments(values)


OWNER, ANOTHER_OWNER, TIDY_OWNER, LIMIT = "owner 0", "owner 1", "owner 3", 51
GALLERY, IMAGE = (UUID(hashlib.md5(name).hexdigest()) for name in (b"gallery0", b"image0"))
SHARE = UUID(hashlib.md5(b"share1").hexdigest())
GUEST = f"guest:{UUID(hashlib.md5(b'guest1').hexdigest())}"
AMONG_GALLERIES, AMONG_IMAGES = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)
AFTER_IMAGES = datetime(2026, 2, 1, tzinfo=UTC)
POSITION, WALK = 1500 * 2**32, 2**62
SLOTS = shuffle(7, 14)
FILTER = arguments(ImageFilter(is_favorite=True, mime_type="image/jpeg", taken_from=AMONG_GALLERIES))
INDEXES = {
    ImageOrder.POSITION: "gallery_images_by_position",
    ImageOrder.CREATED_AT: "gallery_images_by_created_at",
    ImageOrder.TAKEN_AT: "gallery_images_by_taken_at",
    ImageOrder.FILENAME: "gallery_images_by_name",
}


def members(order: ImageOrder, listing: ListStatement, **start: object) -> dict[str, Case]:
    """By cursor and by page, each with and without a filter."""
    table, index = "gallery_images", INDEXES[order]
    page, begins = listing_records.PAGES[order], {"gallery_id": GALLERY, "limit": LIMIT}
    return {
        f"images by {order}": Case(*named(listing.plain, **begins, **start), table, index),
        f"some images by {order}": Case(*named(listing.filtered, **begins, **start, **FILTER), table, index),
        f"page by {order}": Case(*named(page.plain, **begins, offset=500), table, index),
        f"page of some by {order}": Case(*named(page.filtered, **begins, offset=500, **FILTER), table, index),
    }


def in_library(statement: Statement, index: str, **given: object) -> Case:
    page = {"owner_id": OWNER, "moment": AMONG_IMAGES, "image_id": IMAGE, "limit": LIMIT}
    where = {**FILTER, "is_favorite": None, **given}
    return Case(*named(statement, **{**page, **where}, examined=library_records.EXAMINED), "images", index)


BY_TAG = {"one_tag": "tag 0", "mime_type": None, "taken_from": None}
STARS = {"lowest": 3, "highest": 5, "mime_type": None}
LISTS = {
    **{
        f"own images by tag and {order}": attrs.evolve(
            in_library(library_records.TAGGED[order], index, **BY_TAG), table="image_tags"
        )
        for order, index in (
            (LibraryOrder.CREATED_AT, "image_tags_created"),
            (LibraryOrder.TAKEN_AT, "image_tags_taken"),
        )
    },
    **{
        f"own images by rating and {order}": in_library(library_records.RATED[order], index, **STARS)
        for order, index in (
            (LibraryOrder.CREATED_AT, "images_rated_created"),
            (LibraryOrder.TAKEN_AT, "images_rated_taken"),
        )
    },
    "own trash of a filter": in_library(
        trash_records.TRASHED, "images_in_trash", owner_id=TIDY_OWNER, moment=AFTER_IMAGES
    ),
    "own tags": Case(tag_records.LIST_TAGS, (OWNER, "tag", "tag 1", LIMIT), "tags", "tags_owner_id_key_key"),
    "own galleries": Case(
        galleries.LIST_OWNED, (OWNER, AMONG_GALLERIES, GALLERY, LIMIT), "galleries", "galleries_by_owner"
    ),
    "public galleries": Case(galleries.LIST_PUBLIC, (AMONG_GALLERIES, GALLERY, LIMIT), "galleries", "galleries_public"),
    "own images by created_at": in_library(library_records.LISTS[LibraryOrder.CREATED_AT], "images_by_owner"),
    "own images by taken_at": in_library(library_records.LISTS[LibraryOrder.TAKEN_AT], "images_by_taken_at"),
    "own unattached images": Case(
        *named(
            library_records.UNATTACHED,
            owner_id=OWNER,
            before=AFTER_IMAGES,
            moment=AMONG_IMAGES,
            image_id=IMAGE,
            limit=LIMIT,
            examined=library_records.EXAMINED_UNATTACHED,
        ),
        "images",
        "images_by_owner",
    ),
    **{
        f"shared images by {order}": Case(
            *named(
                library_records.SHARED[order],
                owner_id=OWNER,
                moment=AMONG_IMAGES,
                image_id=IMAGE,
                limit=LIMIT,
                examined=library_records.EXAMINED,
                since=AMONG_GALLERIES,
                **{**FILTER, "is_favorite": None},
            ),
            "images",
            index,
        )
        for order, index in (
            (LibraryOrder.CREATED_AT, "images_by_owner"),
            (LibraryOrder.TAKEN_AT, "images_by_taken_at"),
        )
    },
    "inbox": Case(
        contributions.LIST_OF_OWNER,
        (ANOTHER_OWNER, "pending", AFTER_IMAGES, LAST_ID, 11),
        "contributions",
        "contributions_by_owner",
    ),
    "inbox of a share": Case(
        contributions.LIST_OF_SHARE,
        (ANOTHER_OWNER, "pending", AFTER_IMAGES, LAST_ID, 11, SHARE),
        "contributions",
        "contributions_by_share",
    ),
    "what a guest added": Case(
        contributions.LIST_OF_CONTRIBUTOR,
        (GUEST, AFTER_IMAGES, LAST_ID, 11),
        "contributions",
        "contributions_by_contributor",
    ),
    "own trash": Case(trash_records.LIST_TRASHED, (TIDY_OWNER, AFTER_IMAGES, IMAGE, 11), "images", "images_in_trash"),
    "expired trash": Case(
        trash_records.EXPIRED,
        (AFTER_IMAGES, AMONG_IMAGES, IMAGE, LIMIT, AFTER_IMAGES),
        "images",
        "images_by_deleted_at",
    ),
    **members(ImageOrder.POSITION, listing_records.LIST_BY_POSITION, walk=WALK, after=POSITION),
    **members(ImageOrder.CREATED_AT, listing_records.LIST_BY_CREATED_AT, after=AMONG_IMAGES, after_id=IMAGE),
    **members(ImageOrder.TAKEN_AT, listing_records.LIST_BY_TAKEN_AT, walk=WALK, after=AMONG_IMAGES, after_id=IMAGE),
    **members(ImageOrder.FILENAME, listing_records.LIST_BY_FILENAME, walk=WALK, after="tram00041500", after_id=IMAGE),
    "neighbours before": Case(
        order_records.NEIGHBOURS_BEFORE,
        (GALLERY, POSITION, [IMAGE], LIMIT),
        "gallery_images",
        "gallery_images_by_position",
    ),
    "neighbours after": Case(
        order_records.NEIGHBOURS_AFTER,
        (GALLERY, POSITION, [IMAGE], LIMIT),
        "gallery_images",
        "gallery_images_by_position",
    ),
}


def at_random(step: int, steps: int, *, offset: int = 0, most: int = 2**40) -> dict[str, object]:
    slots = {"starts": SLOTS.starts(step, steps), "width": SLOTS.slot_width, "mask": SLOTS.mask, "most": most}
    return {"gallery_id": GALLERY, **slots, "after": 0, "after_id": IMAGE, "limit": LIMIT, "offset": offset}


AT_RANDOM = at_random(500, LIMIT)
BY_META = {"meta_written": '{"sku": "A-1"}'}
BY_NAME = {"kinds": ["user", "group"], "names": ["user 7", "staff"], "now": AMONG_GALLERIES}
BY_LINK = {"share_id": UUID(hashlib.md5(b"share0").hexdigest()), "now": AMONG_GALLERIES}
USERS_ON_GALLERY = named(access.ON_GALLERIES.by_name, ids=[GALLERY], **BY_NAME)
LINK_ON_GALLERY = named(access.ON_GALLERIES.by_link, ids=[GALLERY], **BY_LINK)
USERS_ON_IMAGE = named(access.ON_IMAGES.by_name, ids=[IMAGE], **BY_NAME)
LINK_ON_IMAGE = named(access.ON_IMAGES.by_link, ids=[IMAGE], **BY_LINK)
SHARED_GALLERIES = named(
    galleries.LIST_SHARED,
    **BY_NAME,
    user_id="user 7",
    ids=None,
    moment=AFTER_IMAGES,
    gallery_id=LAST_ID,
    examined=galleries.EXAMINED_SHARES,
    limit=LIMIT,
)
RECEIVED_SHARES = named(
    received_records.RECEIVED, **BY_NAME, share_id=LAST_ID, examined=received_records.EXAMINED, limit=LIMIT
)
IN_GALLERIES = {"moment": AMONG_GALLERIES, "gallery_id": GALLERY, "limit": LIMIT, "examined": galleries.EXAMINED}
IN_PARTS = {"owner_id": ANOTHER_OWNER, "is_archived": False, "part_size": 100}
OF_FILTER = {**FILTER, "owner_id": ANOTHER_OWNER, "is_archived": False}
IN_MONTH = {
    "owner_id": ANOTHER_OWNER,
    "is_archived": False,
    "start_at": AMONG_IMAGES,
    "start_id": IMAGE,
    "end_at": AMONG_GALLERIES,
    "end_id": LAST_ID,
}
LOOKUPS = {
    "own images by meta": in_library(
        library_records.by_meta(LibraryOrder.CREATED_AT, "sku"), "images_meta_sku", **BY_META
    ),
    "public galleries by meta": Case(
        *named(galleries.public_by_meta("sku"), **IN_GALLERIES, ids=None, meta_parts=None, **BY_META),
        "galleries",
        "galleries_meta_sku",
    ),
    "chosen images of the library": in_library(
        library_records.CHOSEN[LibraryOrder.CREATED_AT], "images_pkey", ids=[IMAGE]
    ),
    "chosen images of a shared library": in_library(
        library_records.SHARED_CHOSEN[LibraryOrder.CREATED_AT], "images_pkey", ids=[IMAGE], since=AMONG_GALLERIES
    ),
    "chosen images": Case(images.GET_MANY, ([IMAGE],), "images", "images_pkey"),
    "chosen galleries": Case(galleries.GET_MANY, ([GALLERY],), "galleries", "galleries_pkey"),
    # So few, as PostgreSQL sees it, that sorting them is as good as reading them in order.
    "own favourites by created_at": in_library(
        library_records.FAVORITES[LibraryOrder.CREATED_AT], "images_favorites_by_created_at"
    ),
    "own favourites by taken_at": in_library(
        library_records.FAVORITES[LibraryOrder.TAKEN_AT], "images_favorites_by_taken_at"
    ),
    "months": Case(library_records.TIMELINE.months.sql, (ANOTHER_OWNER, False), "images", "images_by_taken_at"),
    "months in parts": Case(*named(library_records.TIMELINE.parts, **IN_PARTS), "images", "images_by_taken_at"),
    "month in columns": Case(
        *named(library_records.TIMELINE.columns, **IN_MONTH),
        "images",
        "images_by_taken_at",
    ),
    "months of a filter": Case(
        *named(library_records.FILTERED_TIMELINE.months, **{**OF_FILTER, "is_favorite": None, "mime_type": None}),
        "images",
        "images_by_taken_at",
    ),
    "months of favourites": Case(
        *named(library_records.FAVORITE_TIMELINE.months, **OF_FILTER),
        "images",
        "images_favorites_by_taken_at",
    ),
    "month of favourites in columns": Case(
        *named(library_records.FAVORITE_TIMELINE.columns, **{**IN_MONTH, **OF_FILTER}),
        "images",
        "images_favorites_by_taken_at",
    ),
    "images at random": Case(
        *named(listing_records.LIST_AT_RANDOM.plain, **AT_RANDOM), "gallery_images", "gallery_images_by_random"
    ),
    "some images at random": Case(
        *named(listing_records.LIST_AT_RANDOM.filtered, **AT_RANDOM, **FILTER),
        "gallery_images",
        "gallery_images_by_random",
    ),
    "what a filter lets through": Case(
        *named(listing_records.COUNT, gallery_id=GALLERY, **FILTER), "images", "images_pkey"
    ),
    "renumberings": Case(order_records.RENUMBERINGS, (GALLERY, 0), "gallery_renumberings", "gallery_renumberings_pkey"),
    "gallery": Case(galleries.GET, (GALLERY,), "galleries", "galleries_pkey"),
    "gallery by name": Case(galleries.FIND_BY_NAME, (OWNER, "gallery 40"), "galleries", "galleries_by_name"),
    "tags of an image": Case(images.GET, (IMAGE,), "image_tags", "image_tags_pkey"),
    "image": Case(images.GET, (IMAGE,), "gallery_images", "gallery_images_by_image"),
    "image by content in a gallery": Case(
        images.FIND_BY_CONTENT, (OWNER, b"x" * 32, GALLERY), "images", "images_by_content"
    ),
    "image by content": Case(images.FIND_BY_CONTENT, (OWNER, b"x" * 32, None), "images", "images_by_content"),
    "known files": Case(duplicate_records.KNOWN, (OWNER, [b"x" * 32]), "images", "images_by_content"),
    "original of a content": Case(
        original_records.FIND_ORIGINAL, (OWNER, 1, b"x" * 32, []), "images", "images_by_content"
    ),
    "original of a size": Case(original_records.FIND_ORIGINAL, (OWNER, 1, None, []), "images", "images_by_size"),
    "image of a content, held": Case(original_records.HOLD_IMAGE, (OWNER, b"x" * 32), "images", "images_by_content"),
    "originals by key": Case(original_records.NAMED, (["p/1/original.jpg"],), "images", "images_by_original"),
    "look-alikes": Case(duplicate_records.PAIRS, (OWNER, LAST_ID, 11), "images", "images_by_phash"),
    "neighbours of look-alikes": Case(
        duplicate_records.PAIRS, (OWNER, LAST_ID, 11), "phash_neighbours", "phash_neighbours_pkey"
    ),
    "end of the walk": Case(duplicate_records.END_OF_WALK, (OWNER, LAST_ID), "lookalikes", "lookalikes_pkey"),
    "near hashes": Case(
        lookalike_records.SEARCH,
        (OWNER, *lookalike_records.search_for(2**40 + 7)),
        "phash_buckets",
        "phash_buckets_pkey",
    ),
    **{
        f"grants on a gallery to {who}, by {table}": Case(*statement, table, index)
        for who, statement, table, index in (
            ("users", USERS_ON_GALLERY, "share_targets", "share_targets_of_gallery"),
            ("users", USERS_ON_GALLERY, "shares", "shares_pkey"),
            ("users", USERS_ON_GALLERY, "share_recipients", "share_recipients_once"),
            ("links", LINK_ON_GALLERY, "share_targets", "share_targets_once"),
            ("links", LINK_ON_GALLERY, "shares", "shares_pkey"),
        )
    },
    **{
        f"grants on an image to {who}, by {index}": Case(*statement, table, index)
        for who, statement, table, index in (
            ("users", USERS_ON_IMAGE, "share_targets", "share_targets_of_image"),
            ("users", USERS_ON_IMAGE, "share_targets", "share_targets_of_gallery"),
            ("users", USERS_ON_IMAGE, "share_targets", "share_targets_of_library"),
            ("users", USERS_ON_IMAGE, "gallery_images", "gallery_images_by_image"),
            ("users", USERS_ON_IMAGE, "share_recipients", "share_recipients_once"),
            ("links", LINK_ON_IMAGE, "share_targets", "share_targets_once"),
            ("links", LINK_ON_IMAGE, "shares", "shares_pkey"),
        )
    },
    **{
        f"{what} shared with somebody, by {index}": Case(*statement, table, index)
        for what, statement, table, index in (
            ("galleries", SHARED_GALLERIES, "share_recipients", "share_recipients_received"),
            ("galleries", SHARED_GALLERIES, "shares", "shares_pkey"),
            ("galleries", SHARED_GALLERIES, "share_targets", "share_targets_once"),
            ("galleries", SHARED_GALLERIES, "galleries", "galleries_pkey"),
            ("all", RECEIVED_SHARES, "share_recipients", "share_recipients_received"),
            ("all", RECEIVED_SHARES, "shares", "shares_pkey"),
            ("all", RECEIVED_SHARES, "share_targets", "share_targets_once"),
        )
    },
    "months shared": Case(
        library_records.SHARED_TIMELINE.months.sql, (ANOTHER_OWNER, False, AMONG_GALLERIES), "images", "images_by_owner"
    ),
    "months in parts shared": Case(
        *named(library_records.SHARED_TIMELINE.parts, **IN_PARTS, since=AMONG_GALLERIES), "images", "images_by_owner"
    ),
    "month shared": Case(
        *named(library_records.SHARED_TIMELINE.columns, **IN_MONTH, since=AMONG_GALLERIES),
        "images",
        "images_by_taken_at",
    ),
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
        # VACUUM can only mark as visible to all what is known to be written.
        await connection.execute("SET synchronous_commit = on")
        await connection.execute(_LOAD)
        for sql in index_records.definitions("sku").values():
            await connection.execute(sql)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        yield dsn


@pytest.fixture
async def loaded(loaded_dsn: str) -> AsyncIterator[Connection]:
    """A connection inside a transaction that is rolled back."""
    connection = await asyncpg.connect(loaded_dsn, server_settings=PLANNING)
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


# --- what strangers may ask for ----------------------------------------------------------------------------

NOTHING_FITS = arguments(ImageFilter(mime_type="image/gif"))
DEEPEST = 2_000  # of numbered pages in random order


def walk_of(listing: ListStatement, **start: object) -> tuple[str, tuple[object, ...]]:
    return named(listing.filtered, gallery_id=GALLERY, limit=LIMIT, **start, **NOTHING_FITS)


SHUFFLED = listing_records.LIST_AT_RANDOM
EXPENSIVE = {
    "walk by position": walk_of(listing_records.LIST_BY_POSITION, walk=WALK, after=-1),
    "walk by created_at": walk_of(listing_records.LIST_BY_CREATED_AT, after=AFTER_IMAGES, after_id=LAST_ID),
    "walk by taken_at": walk_of(listing_records.LIST_BY_TAKEN_AT, walk=WALK, after=AFTER_IMAGES, after_id=LAST_ID),
    "walk by filename": walk_of(listing_records.LIST_BY_FILENAME, walk=WALK, after="", after_id=IMAGE),
    "walk at random": named(SHUFFLED.filtered, **at_random(0, SLOTS_A_PAGE), **NOTHING_FITS),
    **{f"page by {order}": walk_of(page, offset=0) for order, page in listing_records.PAGES.items()},
    "page at random": named(SHUFFLED.plain, **at_random(0, 3 * DEEPEST, offset=DEEPEST)),
    "crowded slots": named(SHUFFLED.plain, **at_random(0, SLOTS.steps, most=0)),
}


# Rows that scans of tables and of indexes have read in this transaction.
_READ = """
SELECT sum(pg_stat_get_xact_tuples_returned(oid))::bigint
FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"""


async def rows_read(connection: Connection, sql: str, arguments: tuple[object, ...]) -> int:
    before = await connection.fetchval(_READ)
    await connection.fetch(sql, *arguments)
    return await connection.fetchval(_READ) - before  # type: ignore[no-any-return]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", EXPENSIVE)
async def test_no_page_looks_at_more_images_than_it_may(loaded: Connection, name: str, mode: str) -> None:
    """Gallery 0 has over twice as many, and none of them fits."""
    await loaded.execute("UPDATE galleries SET image_count = 12000 WHERE id = $1", GALLERY)
    await loaded.execute(f"SET LOCAL plan_cache_mode = {mode}")
    # Each once in its order and once by its id, and some to be shown.
    assert await rows_read(loaded, *EXPENSIVE[name]) <= 2 * listing_records.EXAMINED + 1_000


async def test_that_would_show_a_page_that_looks_at_all(loaded: Connection) -> None:
    assert await rows_read(loaded, *named(listing_records.COUNT, gallery_id=GALLERY, **NOTHING_FITS)) >= 24_000


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("number", [1, 100])
async def test_what_shares_grant_costs_by_what_is_asked_about(loaded: Connection, mode: str, number: int) -> None:
    """However many shares there are: of the 40,000, as many are for the one who asks as for a group of all."""
    await loaded.execute(f"SET LOCAL plan_cache_mode = {mode}")
    images = [UUID(hashlib.md5(b"image%d" % each).hexdigest()) for each in range(number)]
    # Of each image: its share, the ten of its gallery, and of its owner's library, each with two recipients at most.
    assert await rows_read(loaded, *named(access.ON_IMAGES.by_name, ids=images, **BY_NAME)) <= 120 * number
    assert await rows_read(loaded, *named(access.ON_IMAGES.by_link, ids=images, **BY_LINK)) <= 30 * number + 100
    galleries = [UUID(hashlib.md5(b"gallery%d" % each).hexdigest()) for each in range(number)]
    assert await rows_read(loaded, *named(access.ON_GALLERIES.by_name, ids=galleries, **BY_NAME)) <= 100 * number
    assert await rows_read(loaded, *named(access.ON_GALLERIES.by_link, ids=galleries, **BY_LINK)) <= 30 * number + 100
