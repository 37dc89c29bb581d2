"""Every statement says whose data it is about, so that sharding by owner needs no scatter; those that do not are known.

A statement is routed by what it compares with a parameter: the owner, a gallery, an image, another row's id, or an
object's key. Galleries, images and all that hangs on them belong to one owner, so any of these leads to one shard:
docs/explanation/scale.md says how.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import attrs
import pytest

import imagegallery
from imagegallery.database.migrate import packaged_migrations

# In the order in which they are looked for: the owner leads to the shard at once, the others by a lookup.
_VALUE = r"\s*=\s*(?:ANY\s*\(\s*)?\$\d"
_INSERTED = r"INSERT INTO \w+(?: AS \w+)?\s*\([^)]*\b"
_ROUTES: Final = {
    "owner": rf"\bowner_id{_VALUE}|\$\d::text AS owner_id|{_INSERTED}owner_id\b",
    "gallery": rf"\bgallery_id{_VALUE}|{_INSERTED}gallery_id\b",
    "image": rf"\bimage_id{_VALUE}|{_INSERTED}image_id\b",
    "export": rf"\bexport_id{_VALUE}|{_INSERTED}export_id\b",
    "share": rf"\bshare_id{_VALUE}|{_INSERTED}share_id\b",
    "tag": rf"\btag_id{_VALUE}",
    "id": rf"\bid{_VALUE}|unnest\(\$\d::uuid\[\]",
    "key": rf"\b(?:incoming_|original_)?key(?:{_VALUE}| = given\.key)",
}
_STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")
_TABLE = re.compile(r"\bCREATE TABLE (\w+)")
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")

_SWEEPERS = "a worker looks for what is due, in batches: shard by shard"
_OPERATORS = "an operator's command, which goes through everything: shard by shard"
_QUEUE = "the queue serves all owners; with SQS only dispatching is left, and jobs can be sharded by id"
_LOG = "the log of events has one order for all owners: the first table that must be split"
_POLICY = "what administrators say is of no owner: on one shard"

# The statements that may have to ask every shard, with the reason why they may.
SCATTER: Final[Mapping[str, str]] = {
    "audit.records._PRUNE": _SWEEPERS,
    "contributions.records.LIST_OF_CONTRIBUTOR": "what one user added to galleries of any owners: from each shard",
    "events.records._NUMBER": _LOG,
    "events.records._BETWEEN": _LOG,
    "events.records._GET": _LOG,
    "events.records._ADD_CURSOR": _LOG,
    "events.records._NEXT": _LOG,
    "events.records._MOVE_CURSOR": _LOG,
    "galleries.records.LIST_PUBLIC": "everybody's public galleries: a list of its own, or a search engine",
    "images.image.records.LIST_ALL": _OPERATORS,
    "owners.records.LIST": _OPERATORS,
    "images.image.records._COUNT_ALL": _OPERATORS,
    "images.trash.records.EXPIRED": _SWEEPERS,
    "images.trash.records._LIST_REFUSED": _OPERATORS,
    "images.trash.records._COUNT_REFUSED": _OPERATORS,
    **{f"policies.records.{name}": _POLICY for name in ("CURRENT", "_GET", "LIST", "_INSERT")},
    "queue.dispatch.records.NEXT_FRESH": _QUEUE,
    "sharing.received_records.RECEIVED.sql": "what everybody shares with one user: a list of recipients of its own",
    "queue.dispatch.records.RESERVE": _QUEUE,
    **{f"administration.storage_records.{name}": _OPERATORS for name in ("IMAGES", "INCOMING", "LARGEST")},
    **{f"administration.storage_records.{name}": _OPERATORS for name in ("OWNERS", "VARIANTS")},
    "queue.records.BACKLOG": _OPERATORS,
    **{f"queue.records.{name}": _OPERATORS for name in ("COUNTS", "RUNNING")},
    **{f"queue.records.{name}.sql": _OPERATORS for name in ("DEAD_OF_KIND", "DEAD_PAGE")},
    **{f"queue.records.{name}.sql": _OPERATORS for name in ("TAKE_DEAD", "TAKE_DEAD_OF_KIND")},
    "queue.records.CLAIM": _QUEUE,
    "queue.records.DEAD": _OPERATORS,
    "queue.records.NEXT_DUE": _QUEUE,
    "queue.records.STATS": _OPERATORS,
    "queue.records.BEGIN_PERIODIC": "a row for each task, of no owner: on one shard",
    "galleries.records.COUNTS": _OPERATORS,
    "variants.records._WITH_JOB": _OPERATORS,
    "owners.records.SUMS": _OPERATORS,
    "uploads.session.records._NOT_AWAITED": _OPERATORS,
    "sharing.records._FIND": "a link names no owner: a directory of links by hash and by name, on one shard",
    "sharing.records._PRUNE_ACCESSES": _SWEEPERS,
    "testing.records._RESET": "a test empties the gallery that is its own",
    "galleries.records._COUNT_GALLERIES": _OPERATORS,
    "images.words.records.COUNTS": _OPERATORS,
    "variants.records._HAS_IMAGES": _OPERATORS,
    "privacy.export_records.EXPIRED": _SWEEPERS,
    "privacy.erasure_records.LIST": _OPERATORS,
    "access.file_records.RULED": _OPERATORS,
    "privacy.erasure_records._FORGET_ADDRESSES": "shares of any owner may name an address: shard by shard",
    "uploads.session.records.EXPIRE": _SWEEPERS,
    "uploads.session.records.SELECT_OLD": _SWEEPERS,
    "uploads.session.records.WITHOUT_OPEN_SESSION": _SWEEPERS,
    "uploads.session.records.LIST_INTERRUPTED": _SWEEPERS,
}


@cache
def statements() -> Mapping[str, str]:
    """All SQL there is, by ``package.module.CONSTANT``."""
    modules = pkgutil.walk_packages(imagegallery.__path__, "imagegallery.")
    names = sorted(each.name for each in modules if each.name.endswith("records"))
    return {name: sql for module in names for name, sql in _of_module(module)}


def _of_module(module: str) -> Iterator[tuple[str, str]]:
    place = module.removeprefix("imagegallery.")
    for name, value in vars(importlib.import_module(module)).items():
        if _CONSTANT.fullmatch(name):
            for suffix, text in _texts(value):
                if _STATEMENT.match(text):
                    yield f"{place}.{name}{suffix}", text


def _texts(value: object) -> Iterator[tuple[str, str]]:
    """What is text in a constant, which may be a mapping or a value object of texts."""
    match value:
        case str():
            yield "", value
        case dict():
            for key, each in value.items():
                yield from ((f"[{key}]{suffix}", text) for suffix, text in _texts(each))
        case _ if attrs.has(type(value)):
            for field in attrs.fields(type(value)):  # type: ignore[arg-type]
                yield from ((f".{field.name}{suffix}", text) for suffix, text in _texts(getattr(value, field.name)))


@cache
def tables() -> frozenset[str]:
    return frozenset(name for migration in packaged_migrations() for name in _TABLE.findall(migration.sql))


def reads_or_writes(sql: str) -> bool:
    """Whether it is about any table at all: locks, notifications and clocks are not."""
    return any(re.search(rf"\b(?:FROM|JOIN|INTO|UPDATE)\s+{table}\b", sql) for table in tables())


def route(sql: str) -> str | None:
    """What leads this statement to its shard."""
    return next((name for name, pattern in _ROUTES.items() if re.search(pattern, sql)), None)


def test_only_what_is_listed_may_ask_every_shard() -> None:
    scattered = {name for name, sql in statements().items() if reads_or_writes(sql) and route(sql) is None}
    assert scattered - set(SCATTER) == set(), "give it the owner or a gallery, or say above why it has neither"
    assert set(SCATTER) - scattered == set(), "these are routed, or gone: take them off the list"


def test_the_statements_are_found_wherever_they_are_kept() -> None:
    found = statements()
    assert {"galleries.records.GET", "queue.records.CLAIM", "images.library.records.LISTS[taken_at].sql"} <= set(found)
    assert "galleries.listing_records.LIST_BY_POSITION.filtered.sql" in found
    assert "uploads.session.records._COLUMNS" not in found, "a part of statements is none"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT id FROM images WHERE owner_id = $1 AND id = $2", "owner"),
        ("INSERT INTO galleries (id, owner_id) VALUES ($1, $2)", "owner"),
        ("SELECT image_id FROM gallery_images m WHERE m.gallery_id = ANY ($1)", "gallery"),
        ("DELETE FROM image_variants WHERE image_id = $1", "image"),
        ("SELECT id FROM images WHERE id = ANY($1)", "id"),
        ("SELECT i.id FROM image_variants v JOIN images i ON i.id = v.image_id WHERE v.key = $1", "key"),
        ("SELECT id FROM images i JOIN galleries g ON g.owner_id = i.owner_id WHERE i.created_at > $1", None),
        ("SELECT id FROM images WHERE id > $1 ORDER BY id", None),
    ],
)
def test_a_statement_is_routed_by_what_it_compares_with_a_parameter(sql: str, expected: str | None) -> None:
    assert reads_or_writes(sql)
    assert route(sql) == expected
