"""The SQL of shares. A share, its targets, recipients and the names of its link are in a table each."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import evolve, field, frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.errors import Conflict
from imagegallery.holdings.holding import Holding
from imagegallery.pagination import LAST_ID, LAST_MOMENT
from imagegallery.principal import Principal
from imagegallery.sharing.share import (
    MAX_SLUGS,
    RecipientKind,
    Share,
    ShareAccess,
    ShareRecipient,
    ShareTarget,
)

_OF_SHARES: Final = "t.share_id IN (SELECT id FROM shares WHERE owner_id = :owner_id)"
HELD: Final = (
    Holding("shares", left_out=("token_hash", "password_hash", "visit_key")),
    Holding("share_targets", _OF_SHARES, "t.share_id, t.gallery_id, t.image_id"),
    Holding("share_slugs", _OF_SHARES, "t.share_id, t.slug"),
    Holding("share_recipients", _OF_SHARES),
    Holding("share_recipients", "t.kind = 'user' AND t.name = :owner_id", name="shared_with_me"),
    Holding("share_accesses", _OF_SHARES, "t.share_id, t.day", left_out=("visitor",)),
)

_COLUMNS: Final = """
    s.id, s.owner_id, s.token_hash IS NOT NULL AS has_link, name.slug, s.permissions, s.metadata, s.download,
    s.password_hash IS NOT NULL AS has_password, s.starts_at, s.expires_at, s.max_views, s.views, s.note,
    s.created_at, s.updated_at, s.revoked_at, s.approval, s.guest_max_images, s.guest_max_bytes"""
_SHARES: Final = "shares s LEFT JOIN share_slugs name ON name.share_id = s.id AND name.is_current"

# Counting and adding exclude each other: the count holds until the transaction ends.
_LOCK_OWNER = f"SELECT pg_advisory_xact_lock(hashtextextended('shares ' || $1, {SEED}))"

_COUNT = "SELECT count(*) FROM (SELECT FROM shares WHERE owner_id = $1 LIMIT $2) AS counted"

_INSERT = """
INSERT INTO shares (id, owner_id, token_hash, permissions, metadata, download, password_hash, starts_at, expires_at,
                    max_views, note, created_at, updated_at, approval, guest_max_images, guest_max_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15)"""

_GET = f"SELECT {_COLUMNS} FROM {_SHARES} WHERE s.id = $1 AND ($2::text IS NULL OR s.owner_id = $2)"

# Locks a share that will be changed, until the transaction ends.
_LOCK = f"SELECT {_COLUMNS} FROM {_SHARES} WHERE s.id = $1 AND ($2::text IS NULL OR s.owner_id = $2) FOR UPDATE OF s"

_LIST = f"""
SELECT {_COLUMNS} FROM {_SHARES}
WHERE s.owner_id = $1 AND (s.created_at, s.id) < ($2, $3) AND ($4 OR s.revoked_at IS NULL)
ORDER BY s.created_at DESC, s.id DESC LIMIT $5"""

# Those of a gallery or an image. There are few of one thing.
_LIST_OF_TARGET = f"""
SELECT {_COLUMNS} FROM {_SHARES}
WHERE s.owner_id = $1 AND (s.created_at, s.id) < ($2, $3) AND ($4 OR s.revoked_at IS NULL)
  AND s.id IN (SELECT share_id FROM share_targets WHERE gallery_id = $6
               UNION ALL SELECT share_id FROM share_targets WHERE image_id = $7)
ORDER BY s.created_at DESC, s.id DESC LIMIT $5"""

_LIST_ALL = f"""
SELECT {_COLUMNS} FROM {_SHARES}
WHERE ($1::text IS NULL OR s.owner_id = $1) AND (s.created_at, s.id) < ($2, $3)
ORDER BY s.created_at DESC, s.id DESC LIMIT $4"""

# By the hash of a token, or by a name that the link has, or had. A name opens nothing without a link.
_FIND = f"""
SELECT {_COLUMNS}, s.password_hash, s.visit_key, s.token_hash = $1 AS is_by_token
FROM {_SHARES}
WHERE s.token_hash = $1
   OR s.token_hash IS NOT NULL AND s.id = (SELECT share_id FROM share_slugs WHERE slug = $2)
ORDER BY is_by_token DESC LIMIT 1"""

_TARGETS = """
SELECT share_id, gallery_id, image_id FROM share_targets WHERE share_id = ANY ($1)
ORDER BY share_id, gallery_id, image_id"""

_RECIPIENTS = """
SELECT share_id, id, kind, name, permissions, metadata, download, by_link, joined_at
FROM share_recipients WHERE share_id = ANY ($1) ORDER BY share_id, created_at, kind, name"""

_ADD_TARGETS = """
INSERT INTO share_targets (share_id, owner_id, gallery_id, image_id)
SELECT $1, $2, given.gallery_id, given.image_id
FROM unnest($3::uuid[], $4::uuid[]) AS given (gallery_id, image_id)"""

_REMOVE_TARGETS = "DELETE FROM share_targets WHERE share_id = $1"

# Who is named already keeps what they have of the share, but for what is said of them anew.
_ADD_RECIPIENTS = """
INSERT INTO share_recipients (id, share_id, kind, name, permissions, metadata, download, created_at)
SELECT given.id, $1, given.kind, given.name, given.permissions, given.metadata, given.download, $2
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::integer[], $7::smallint[], $8::smallint[])
    AS given (id, kind, name, permissions, metadata, download)
ON CONFLICT (share_id, kind, name) DO UPDATE SET
    permissions = excluded.permissions, metadata = excluded.metadata, download = excluded.download"""

# The owner's list says nothing about users who came by the link, and so named themselves.
_REMOVE_RECIPIENTS = """
DELETE FROM share_recipients r
WHERE r.share_id = $1 AND NOT r.by_link
  AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS kept (kind, name)
                  WHERE kept.kind = r.kind AND kept.name = r.name)"""

_UPDATE = """
UPDATE shares SET permissions = $2, metadata = $3, download = $4, expires_at = $5, max_views = $6, note = $7,
                  updated_at = $8, approval = $9, guest_max_images = $10, guest_max_bytes = $11
WHERE id = $1"""

# Every visit ends with the password that it was made by, and so does what was unlocked with it.
_CHANGE_UNLOCKING = """
UPDATE shares SET password_hash = $2, password_version = password_version + 1, visit_key = DEFAULT WHERE id = $1"""

_SET_LINK = "UPDATE shares SET token_hash = $2, visit_key = DEFAULT, updated_at = $3 WHERE id = $1"

_RETIRE_SLUG = "UPDATE share_slugs SET is_current = false WHERE share_id = $1 AND is_current"

# One that the link had before is its name again.
_SET_SLUG = """
INSERT INTO share_slugs (slug, share_id, is_current) VALUES ($2, $1, true)
ON CONFLICT (slug) DO UPDATE SET is_current = true WHERE share_slugs.share_id = excluded.share_id
RETURNING slug"""

_COUNT_SLUGS = "SELECT count(*) FROM share_slugs WHERE share_id = $1"

_REVOKE = "UPDATE shares SET revoked_at = $2, updated_at = $2 WHERE id = $1 AND revoked_at IS NULL"

_REVOKE_ALL = """
UPDATE shares SET revoked_at = $2, updated_at = $2 WHERE owner_id = $1 AND revoked_at IS NULL
RETURNING id"""

_DELETE = "DELETE FROM shares WHERE id = $1"

_GALLERY_FACTS = "SELECT id, owner_id, visibility FROM galleries WHERE id = ANY ($1::uuid[])"

_IMAGE_FACTS = """
SELECT id, owner_id, visibility, deleted_at IS NOT NULL AS is_trashed FROM images WHERE id = ANY ($1::uuid[])"""

# One more view, if the share still has one for somebody new and its password is still the one that was given.
_COUNT_VIEW = """
UPDATE shares SET views = views + 1
WHERE id = $1 AND visit_key = $2 AND token_hash IS NOT NULL AND revoked_at IS NULL
  AND (max_views IS NULL OR views < max_views)
RETURNING views"""

_SALT = "SELECT salt FROM share_salts WHERE day = $1"

_ADD_SALT = "INSERT INTO share_salts (day, salt) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING"

_DROP_SALTS = "DELETE FROM share_salts WHERE day < $1"

_RECORD_ACCESS = """
INSERT INTO share_accesses AS known (share_id, day, visitor, recipient_id, first_at, last_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (share_id, day, visitor) DO UPDATE SET opened = known.opened + 1, last_at = excluded.last_at"""

_ACCESSES = """
SELECT a.day, a.visitor, a.opened, a.first_at, a.last_at,
       r.id, r.kind, r.name, r.permissions, r.metadata, r.download, r.by_link, r.joined_at
FROM share_accesses a LEFT JOIN share_recipients r ON r.id = a.recipient_id
WHERE a.share_id = $1 AND (a.day, a.visitor) < ($2, $3)
ORDER BY a.day DESC, a.visitor DESC LIMIT $4"""

# As which of them a user is a recipient of the share: by id, by a verified address, by a group.
_RECIPIENT_OF = """
SELECT id FROM share_recipients
WHERE share_id = $1 AND (kind = 'user' AND name = $2 OR kind = 'email' AND name = ANY ($3::text[])
                         OR kind = 'group' AND name = ANY ($4::text[]))
ORDER BY kind DESC, name LIMIT 1"""

_PRUNE_ACCESSES = """
DELETE FROM share_accesses WHERE (share_id, day, visitor) IN (
    SELECT share_id, day, visitor FROM share_accesses WHERE day < $1 LIMIT $2)"""

LAST_VISITOR: Final = b"\xff" * 64


@frozen
class FoundLink:
    """A share by its link, with what opens it."""

    share: Share
    password_hash: str | None = field(repr=False)
    visit_key: bytes = field(repr=False)
    is_by_token: bool


@frozen
class OwnedThing:
    """A gallery or an image, as far as deciding about it takes."""

    id: UUID
    facts: Facts


async def count_held(connection: Connection, owner_id: str, most: int) -> int:
    """Count the owner's shares, up to one more than ``most``, and prevent others from adding one until the transaction
    ends."""
    await connection.execute(_LOCK_OWNER, owner_id)
    count: int = await connection.fetchval(_COUNT, owner_id, most + 1)
    return count


async def insert(
    connection: Connection, share: Share, *, token_hash: bytes | None, password_hash: str | None, now: datetime
) -> None:
    """Write it with its targets and recipients, and the name of its link. Raises `Conflict` as `set_slug`."""
    await connection.execute(
        _INSERT,
        share.id,
        share.owner_id,
        token_hash,
        share.permissions.value,
        share.metadata.value,
        share.download.value,
        password_hash,
        share.starts_at,
        share.expires_at,
        share.max_views,
        share.note,
        now,
        share.approval,
        share.guest_max_images,
        share.guest_max_bytes,
    )
    await _add_targets(connection, share, share.targets)
    await _add_recipients(connection, share.id, share.recipients, now)
    if share.slug is not None:
        await set_slug(connection, share.id, share.slug)


async def get(connection: Connection, share_id: UUID, owner_id: str | None = None) -> Share | None:
    """Return the share, or that of this owner alone: another one's is none, and takes as long."""
    row = await connection.fetchrow(_GET, share_id, owner_id)
    return None if row is None else (await _whole(connection, [row]))[0]


async def lock(connection: Connection, share_id: UUID, owner_id: str | None = None) -> Share | None:
    """The same, locked until the transaction ends."""
    row = await connection.fetchrow(_LOCK, share_id, owner_id)
    return None if row is None else (await _whole(connection, [row]))[0]


async def list_owned(
    connection: Connection,
    owner_id: str,
    target: ShareTarget | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
    *,
    with_revoked: bool,
) -> Sequence[Share]:
    """The owner's, newest first; of a ``target``, those of that gallery or image."""
    place = after or (LAST_MOMENT, LAST_ID)
    if target is None:
        rows = await connection.fetch(_LIST, owner_id, *place, with_revoked, limit)
    else:
        of = (target.gallery_id, target.image_id)
        rows = await connection.fetch(_LIST_OF_TARGET, owner_id, *place, with_revoked, limit, *of)
    return await _whole(connection, rows)


async def list_all(
    connection: Connection, owner_id: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Share]:
    """Everybody's, or one owner's, for operators."""
    rows = await connection.fetch(_LIST_ALL, owner_id, *(after or (LAST_MOMENT, LAST_ID)), limit)
    return await _whole(connection, rows)


async def find_link(connection: Connection, token_hash: bytes, slug: str | None) -> FoundLink | None:
    """The share of this link, without targets and recipients; one statement, whatever there is."""
    row = await connection.fetchrow(_FIND, token_hash, slug)
    if row is None:
        return None
    return FoundLink(_share(row), row["password_hash"], row["visit_key"], row["is_by_token"])


async def targets_of(connection: Connection, share_id: UUID) -> tuple[ShareTarget, ...]:
    rows = await connection.fetch(_TARGETS, [share_id])
    return tuple(ShareTarget(row["gallery_id"], row["image_id"]) for row in rows)


async def things(connection: Connection, ids: Collection[UUID]) -> dict[UUID, tuple[str, OwnedThing]]:
    """The galleries and images of these ids, each with what it is."""
    galleries = await connection.fetch(_GALLERY_FACTS, list(ids))
    images = await connection.fetch(_IMAGE_FACTS, list(ids))
    found = {row["id"]: ("gallery", _thing(row, is_trashed=False)) for row in galleries}
    return {**found, **{row["id"]: ("image", _thing(row, is_trashed=row["is_trashed"])) for row in images}}


async def update(connection: Connection, share: Share, *, now: datetime) -> None:
    """Write what it says now, but for its password, link, targets and recipients."""
    await connection.execute(
        _UPDATE,
        share.id,
        share.permissions.value,
        share.metadata.value,
        share.download.value,
        share.expires_at,
        share.max_views,
        share.note,
        now,
        share.approval,
        share.guest_max_images,
        share.guest_max_bytes,
    )


async def set_password(connection: Connection, share_id: UUID, password_hash: str | None) -> None:
    """Another password, or none; all visits end."""
    await connection.execute(_CHANGE_UNLOCKING, share_id, password_hash)


async def set_link(connection: Connection, share_id: UUID, token_hash: bytes | None, *, now: datetime) -> None:
    """Another link, or none; the earlier one and all visits end."""
    await connection.execute(_SET_LINK, share_id, token_hash, now)


async def set_slug(connection: Connection, share_id: UUID, slug: str | None) -> None:
    """Another name of its link, or none; earlier ones lead to it.

    Raises `Conflict` if it is another share's, or one too many.
    """
    await connection.execute(_RETIRE_SLUG, share_id)
    if slug is None:
        return
    if await connection.fetchval(_SET_SLUG, share_id, slug) is None:
        raise Conflict(f"The name {slug} is another link's.")
    if await connection.fetchval(_COUNT_SLUGS, share_id) > MAX_SLUGS:
        raise Conflict(f"A link can have had {MAX_SLUGS} names.")


async def set_targets(connection: Connection, share: Share, targets: Iterable[ShareTarget]) -> None:
    await connection.execute(_REMOVE_TARGETS, share.id)
    await _add_targets(connection, share, targets)


async def set_recipients(
    connection: Connection, share_id: UUID, recipients: Sequence[ShareRecipient], *, now: datetime
) -> None:
    """These, and those who came by the link."""
    kinds, names = [each.kind.value for each in recipients], [each.name for each in recipients]
    await connection.execute(_REMOVE_RECIPIENTS, share_id, kinds, names)
    await _add_recipients(connection, share_id, recipients, now)


async def revoke(connection: Connection, share_id: UUID, *, now: datetime) -> None:
    await connection.execute(_REVOKE, share_id, now)


async def revoke_all(connection: Connection, owner_id: str, *, now: datetime) -> list[UUID]:
    """Revoke all of the owner's. Returns those that were not revoked."""
    return sorted(row["id"] for row in await connection.fetch(_REVOKE_ALL, owner_id, now))


async def delete(connection: Connection, share_id: UUID) -> None:
    await connection.execute(_DELETE, share_id)


async def count_view(connection: Connection, found: FoundLink) -> bool:
    """Count one more view of the link, unless it has none left, or was changed meanwhile."""
    return await connection.fetchval(_COUNT_VIEW, found.share.id, found.visit_key) is not None


async def salt_of(connection: Connection, day: date) -> bytes | None:
    salt: bytes | None = await connection.fetchval(_SALT, day)
    return salt


async def add_salt(connection: Connection, day: date, salt: bytes) -> bytes:
    """The day's salt: this one, unless another process was faster."""
    await connection.execute(_ADD_SALT, day, salt)
    kept: bytes = await connection.fetchval(_SALT, day)
    return kept


async def drop_salts(connection: Connection, before: date) -> None:
    await connection.execute(_DROP_SALTS, before)


async def record_access(
    connection: Connection, share_id: UUID, day: date, visitor: bytes, recipient_id: UUID | None, *, now: datetime
) -> None:
    await connection.execute(_RECORD_ACCESS, share_id, day, visitor, recipient_id, now)


async def list_accesses(
    connection: Connection, share_id: UUID, after: tuple[date, bytes] | None, limit: int
) -> Sequence[ShareAccess]:
    """The latest days first."""
    rows = await connection.fetch(_ACCESSES, share_id, *(after or (date.max, LAST_VISITOR)), limit)
    return [_access(row) for row in rows]


async def record_recipient(connection: Connection, share_id: UUID, principal: Principal, *, now: datetime) -> bool:
    """Count that the user has opened the share, if they are one of its recipients; say whether they are."""
    named = (principal.user_id, [*principal.emails], [*principal.groups])
    found: UUID | None = await connection.fetchval(_RECIPIENT_OF, share_id, *named)
    if found is not None:
        await record_access(connection, share_id, day_of(now), found.bytes, found, now=now)
    return found is not None


def day_of(moment: datetime) -> date:
    """Its day of UTC."""
    return moment.astimezone(UTC).date()


async def prune_accesses(connection: Connection, before: date, limit: int) -> int:
    """Forget some that are older, and say how many."""
    return int((await connection.execute(_PRUNE_ACCESSES, before, limit)).rpartition(" ")[2])


async def _add_targets(connection: Connection, share: Share, targets: Iterable[ShareTarget]) -> None:
    pairs = [*targets]
    galleries, images = [each.gallery_id for each in pairs], [each.image_id for each in pairs]
    await connection.execute(_ADD_TARGETS, share.id, share.owner_id, galleries, images)


async def _add_recipients(
    connection: Connection, share_id: UUID, recipients: Sequence[ShareRecipient], now: datetime
) -> None:
    if not recipients:
        return
    await connection.execute(
        _ADD_RECIPIENTS,
        share_id,
        now,
        [each.id for each in recipients],
        [each.kind.value for each in recipients],
        [each.name for each in recipients],
        [None if each.permissions is None else each.permissions.value for each in recipients],
        [None if each.metadata is None else each.metadata.value for each in recipients],
        [None if each.download is None else each.download.value for each in recipients],
    )


async def _whole(connection: Connection, rows: Sequence[Record]) -> list[Share]:
    """The shares of these rows, with their targets and recipients."""
    ids = [row["id"] for row in rows]
    targets: dict[UUID, list[ShareTarget]] = {each: [] for each in ids}
    recipients: dict[UUID, list[ShareRecipient]] = {each: [] for each in ids}
    if ids:
        for row in await connection.fetch(_TARGETS, ids):
            targets[row["share_id"]].append(ShareTarget(row["gallery_id"], row["image_id"]))
        for row in await connection.fetch(_RECIPIENTS, ids):
            recipients[row["share_id"]].append(_recipient(row))
    return [
        evolve(_share(row), targets=tuple(targets[row["id"]]), recipients=tuple(recipients[row["id"]])) for row in rows
    ]


def _share(row: Record) -> Share:
    return Share(
        id=row["id"],
        owner_id=row["owner_id"],
        has_link=row["has_link"],
        slug=row["slug"],
        permissions=Permission(row["permissions"]),
        metadata=MetadataShown(row["metadata"]),
        download=DownloadAllowed(row["download"]),
        has_password=row["has_password"],
        starts_at=row["starts_at"],
        expires_at=row["expires_at"],
        max_views=row["max_views"],
        views=row["views"],
        note=row["note"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        revoked_at=row["revoked_at"],
        approval=row["approval"],
        guest_max_images=row["guest_max_images"],
        guest_max_bytes=row["guest_max_bytes"],
    )


def _recipient(row: Record) -> ShareRecipient:
    return ShareRecipient(
        RecipientKind(row["kind"]),
        row["name"],
        None if row["permissions"] is None else Permission(row["permissions"]),
        None if row["metadata"] is None else MetadataShown(row["metadata"]),
        None if row["download"] is None else DownloadAllowed(row["download"]),
        row["by_link"],
        row["joined_at"],
        row["id"],
    )


def _access(row: Record) -> ShareAccess:
    recipient = None if row["id"] is None else _recipient(row)
    return ShareAccess(row["day"], row["visitor"].hex(), recipient, row["opened"], row["first_at"], row["last_at"])


def _thing(row: Record, *, is_trashed: bool) -> OwnedThing:
    return OwnedThing(row["id"], Facts(row["owner_id"], Visibility(row["visibility"]), is_trashed))
