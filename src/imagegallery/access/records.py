"""The SQL of the facts about a gallery, and of what live shares grant a principal on galleries and images.

A gallery is reached by shares of itself; an image by those of itself, of a gallery that it is in, and of its owner's
library, the latter from a moment on. What is shared is looked up first, by what is asked about, and then whether the
share is the principal's: a thing has few shares, but a group of the host may have many. Each step is an OFFSET 0, which
keeps it by itself: a plan for any number of things, shares and names would rather read all there are.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import evolve, frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts, is_looked_up
from imagegallery.access.explanation import AccessReport, HeldGrant, HolderKind, ReachedBy, explain
from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.database.connection import Connection
from imagegallery.database.statement import Statement
from imagegallery.principal import Principal

GET = """
SELECT owner_id, visibility, EXISTS (SELECT FROM share_targets WHERE gallery_id = $1) AS is_shared
FROM galleries WHERE id = $1"""

# Whether a share `s` has not ended.
OPEN_SHARE: Final = "s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > :now)"

# Whether a share `s`, which reaches what is asked about as `reached` says, has not ended, and has begun for that.
_LIVE = f"""{OPEN_SHARE}
          AND (reached.since IS NULL OR s.starts_at IS NULL OR reached.since >= s.starts_at)"""


def _to_galleries(by: str) -> str:
    """What shares reach the gallery `asked`; ``by`` says more of the shares."""
    return f"""
    SELECT t.share_id, t.gallery_id, NULL::timestamptz AS since
    FROM share_targets t
    WHERE t.gallery_id = asked.id {by}
    OFFSET 0"""


def _to_images(by: str) -> str:
    """What shares reach the image `asked`, with the moment that a library's share is asked about."""
    return f"""
    SELECT t.share_id, t.gallery_id, NULL::timestamptz AS since
    FROM share_targets t
    WHERE t.image_id = asked.id {by}
    UNION ALL
    SELECT t.share_id, m.gallery_id, NULL
    FROM gallery_images m
    CROSS JOIN LATERAL (SELECT t.share_id FROM share_targets t WHERE t.gallery_id = m.gallery_id {by} OFFSET 0) t
    WHERE m.image_id = asked.id
    UNION ALL
    SELECT t.share_id, NULL, i.created_at
    FROM images i
    CROSS JOIN LATERAL (
        SELECT t.share_id FROM share_targets t
        WHERE t.owner_id = i.owner_id AND t.gallery_id IS NULL AND t.image_id IS NULL {by}
        OFFSET 0
    ) t
    WHERE i.id = asked.id
    OFFSET 0"""


def _by_link(reached: str) -> str:
    """What the share's link grants by which the principal came: what the share says."""
    return f"""
SELECT asked.id, s.id AS share_id, s.permissions, s.metadata, s.download, s.expires_at
FROM unnest(:ids::uuid[]) AS asked (id)
CROSS JOIN LATERAL ({reached}) reached
CROSS JOIN LATERAL (
    SELECT s.* FROM shares s WHERE s.id = reached.share_id AND s.token_hash IS NOT NULL AND {_LIVE} OFFSET 0
) s"""


def _by_name(reached: str) -> str:
    """What shares grant that are for the principal, by any of their names."""
    return f"""
SELECT asked.id, s.id AS share_id, coalesce(r.permissions, s.permissions) AS permissions,
       coalesce(r.metadata, s.metadata) AS metadata, coalesce(r.download, s.download) AS download, s.expires_at
FROM unnest(:ids::uuid[]) AS asked (id)
CROSS JOIN LATERAL ({reached}) reached
CROSS JOIN LATERAL (SELECT s.* FROM shares s WHERE s.id = reached.share_id AND {_LIVE} OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT r.permissions, r.metadata, r.download
    FROM unnest(:kinds::text[], :names::text[]) AS own (kind, name)
    JOIN share_recipients r ON r.share_id = s.id AND r.kind = own.kind AND r.name = own.name
    OFFSET 0
) r"""


def _by_anybody(reached: str) -> str:
    """What shares grant to everybody whom they name, and to who comes by their links, in the order of holders."""
    return f"""
SELECT reached.gallery_id, reached.since, s.id AS share_id, s.expires_at, holder.*
FROM unnest(:ids::uuid[]) AS asked (id)
CROSS JOIN LATERAL ({reached}) reached
CROSS JOIN LATERAL (SELECT s.* FROM shares s WHERE s.id = reached.share_id AND {_LIVE} OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT r.kind, r.name, coalesce(r.permissions, s.permissions) AS permissions,
           coalesce(r.metadata, s.metadata) AS metadata, coalesce(r.download, s.download) AS download,
           r.joined_at, false AS has_password
    FROM share_recipients r WHERE r.share_id = s.id
    UNION ALL
    SELECT 'link', NULL, s.permissions, s.metadata, s.download, NULL, s.password_hash IS NOT NULL
    WHERE s.token_hash IS NOT NULL
    OFFSET 0
) holder
ORDER BY holder.kind, holder.name, s.id
LIMIT :limit"""


# A share of a whole library, as it is for one user, or for who came by its link.
_LIBRARY_BY_NAME = Statement.of(f"""
SELECT s.owner_id, s.starts_at, s.id AS share_id, coalesce(r.permissions, s.permissions) AS permissions,
       coalesce(r.metadata, s.metadata) AS metadata, coalesce(r.download, s.download) AS download, s.expires_at
FROM shares s
JOIN share_targets t ON t.share_id = s.id AND t.gallery_id IS NULL AND t.image_id IS NULL
CROSS JOIN unnest(:kinds::text[], :names::text[]) AS own (kind, name)
JOIN share_recipients r ON r.share_id = s.id AND r.kind = own.kind AND r.name = own.name
WHERE s.id = :share_id AND {OPEN_SHARE}""")
_LIBRARY_BY_LINK = Statement.of(f"""
SELECT s.owner_id, s.starts_at, s.id AS share_id, s.permissions, s.metadata, s.download, s.expires_at
FROM shares s
JOIN share_targets t ON t.share_id = s.id AND t.gallery_id IS NULL AND t.image_id IS NULL
WHERE s.id = :share_id AND s.token_hash IS NOT NULL AND {OPEN_SHARE}""")


@frozen
class SharedLibrary:
    """The library of ``owner_id``, as one share shows it: ``facts`` have its grants, and it has what was added since
    ``starts_at``."""

    facts: Facts
    starts_at: datetime | None


@frozen
class _GrantsOn:
    """What is granted on things of one kind, to who came by a link, to users, and to anybody on one of them."""

    by_link: Statement
    by_name: Statement
    by_anybody: Statement

    @classmethod
    def of(cls, reached: Callable[[str], str]) -> "_GrantsOn":
        by_link = Statement.of(_by_link(reached("AND t.share_id = :share_id")))
        return cls(by_link, Statement.of(_by_name(reached(""))), Statement.of(_by_anybody(reached(""))))


# The most grants that a report tells.
MAX_EXPLAINED: Final = 1_000

ON_GALLERIES: Final = _GrantsOn.of(_to_galleries)
ON_IMAGES: Final = _GrantsOn.of(_to_images)


async def of_gallery(connection: Connection, gallery_id: UUID) -> Facts | None:
    """Return what everybody's access follows from; ``None`` if there is no such gallery."""
    row = await connection.fetchrow(GET, gallery_id)
    if row is None:
        return None
    return Facts(row["owner_id"], Visibility(row["visibility"]), is_shared=row["is_shared"])


async def of_gallery_for(
    connection: Connection, principal: Principal, gallery_id: UUID, *, now: datetime
) -> Facts | None:
    """The same with the principal's grants."""
    facts = await of_gallery(connection, gallery_id)
    return (await on_galleries(connection, principal, {gallery_id: facts}, now=now)).get(gallery_id)


async def on_gallery(
    connection: Connection, principal: Principal, gallery_id: UUID, facts: Facts, *, now: datetime
) -> Facts:
    """The facts with the principal's grants."""
    return (await on_galleries(connection, principal, {gallery_id: facts}, now=now))[gallery_id]


async def on_galleries(
    connection: Connection, principal: Principal, galleries: Mapping[UUID, Facts | None], *, now: datetime
) -> dict[UUID, Facts]:
    """The facts about each of these galleries, with the principal's grants: one statement, if `is_looked_up`. Of a
    gallery that is not there the facts are ``None``, and none are returned."""
    return await _granted(connection, ON_GALLERIES, principal, galleries, now)


async def on_images(
    connection: Connection, principal: Principal, images: Mapping[UUID, Facts | None], *, now: datetime
) -> dict[UUID, Facts]:
    """The same for images."""
    return await _granted(connection, ON_IMAGES, principal, images, now)


async def shared_library(
    connection: Connection, principal: Principal, share_id: UUID, *, now: datetime
) -> SharedLibrary | None:
    """The library that this live share of the principal's is of; ``None`` if there is none."""
    if principal.link is None:
        kinds, names = names_of(principal)
        rows = await _LIBRARY_BY_NAME.fetch(connection, share_id=share_id, kinds=kinds, names=names, now=now)
    elif principal.link.share_id == share_id:
        rows = await _LIBRARY_BY_LINK.fetch(connection, share_id=share_id, now=now)
    else:
        rows = []
    if not rows:
        return None
    grants = tuple(dict.fromkeys(map(_grant, rows)))
    return SharedLibrary(Facts(rows[0]["owner_id"], grants=grants), rows[0]["starts_at"])


async def explain_gallery(connection: Connection, gallery_id: UUID, facts: Facts, *, now: datetime) -> AccessReport:
    """Who may do what with the gallery of these facts."""
    return await _explain(connection, ON_GALLERIES, ReachedBy.GALLERY, gallery_id, facts, now)


async def explain_image(connection: Connection, image_id: UUID, facts: Facts, *, now: datetime) -> AccessReport:
    """The same of an image."""
    return await _explain(connection, ON_IMAGES, ReachedBy.IMAGE, image_id, facts, now)


async def _explain(
    connection: Connection, grants_on: _GrantsOn, itself: ReachedBy, id_: UUID, facts: Facts, now: datetime
) -> AccessReport:
    rows = await grants_on.by_anybody.fetch(connection, ids=[id_], now=now, limit=MAX_EXPLAINED + 1)
    held = [_held_grant(row, itself) for row in rows[:MAX_EXPLAINED]]
    return explain(facts, held, is_whole=len(rows) <= MAX_EXPLAINED)


def _held_grant(row: Record, itself: ReachedBy) -> HeldGrant:
    reached_by = itself if row["since"] is None else ReachedBy.LIBRARY
    if row["gallery_id"] is not None:
        reached_by = ReachedBy.GALLERY
    return HeldGrant(
        HolderKind(row["kind"]),
        row["name"],
        _grant(row),
        reached_by,
        row["gallery_id"],
        row["joined_at"],
        row["has_password"],
    )


async def _granted(
    connection: Connection,
    grants_on: _GrantsOn,
    principal: Principal,
    things: Mapping[UUID, Facts | None],
    now: datetime,
) -> dict[UUID, Facts]:
    asked = [each for each, facts in things.items() if is_looked_up(principal, facts)]
    rows: list[Record] = []
    if asked and principal.link is not None:
        rows = await grants_on.by_link.fetch(connection, ids=asked, share_id=principal.link.share_id, now=now)
    elif asked:
        kinds, names = names_of(principal)
        rows = await grants_on.by_name.fetch(connection, ids=asked, kinds=kinds, names=names, now=now)
    grants: dict[UUID, dict[Grant, None]] = {}
    for row in rows:
        grants.setdefault(row["id"], {})[_grant(row)] = None  # an image may be in two galleries of one share
    there = {each: facts for each, facts in things.items() if facts is not None}
    return {each: evolve(facts, grants=tuple(grants.get(each, ()))) for each, facts in there.items()}


def names_of(principal: Principal) -> tuple[list[str], list[str]]:
    """What recipients of shares are called who are this user: their kinds, and their names."""
    emails, groups = sorted(principal.emails), sorted(principal.groups)
    kinds = ["user", *["email"] * len(emails), *["group"] * len(groups)]
    return kinds, [principal.require_user(), *emails, *groups]


def _grant(row: Record) -> Grant:
    return Grant(
        row["share_id"],
        Permission(row["permissions"]),
        MetadataShown(row["metadata"]),
        DownloadAllowed(row["download"]),
        row["expires_at"],
    )
