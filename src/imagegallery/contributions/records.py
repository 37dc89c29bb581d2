"""The SQL of what others add by shares.

As long as an image is pending, its ``deleted_at`` is ``infinity`` (the migration ``contributions`` says why):
`images.image.records` writes that, and `release` takes it away.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from imagegallery.access.contributor import Contributor, ContributorKind
from imagegallery.access.permission import Permission
from imagegallery.contributions.contribution import Contribution, ContributionState, ShareRoom, ShareSender
from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding
from imagegallery.images.words import records as tag_records
from imagegallery.pagination import LAST_ID, LAST_MOMENT

# What others added to an owner's galleries goes with it; what an owner added to others' stays, as nobody's.
_BY_OWNER: Final = "t.added_by = 'user:' || :owner_id AND t.owner_id <> :owner_id"
_NOBODYS: Final = "added_by = 'user:', added_by_name = ''"
HELD: Final = (
    Holding("contributions", order="t.arrived_at, t.image_id"),
    Holding("images", _BY_OWNER, changed_to=_NOBODYS, is_told=False, name="added_images"),
    Holding(
        "contributions",
        _BY_OWNER,
        order="t.arrived_at, t.image_id",
        changed_to="added_by = 'user:'",
        is_told=False,
        name="added_contributions",
    ),
    Holding("upload_sessions", _BY_OWNER, changed_to=_NOBODYS, is_told=False, name="sent_uploads"),
    Holding(
        "events",
        "t.data->>'contributor' = 'user:' || :owner_id AND t.owner_id <> :owner_id",
        changed_to="""data = data || '{"contributor": "user:", "name": ""}'""",
        is_told=False,
        name="events_of_contributions",
    ),
)

_COLUMNS = """
    c.image_id, c.owner_id, c.share_id, c.gallery_id, c.added_by, i.added_by_name, c.size, c.state, c.arrived_at"""

# All who add by one share wait for one another, so that what it has room for is exact.
_LOCK_SHARE = "SELECT id FROM shares WHERE id = $1 FOR NO KEY UPDATE"

# What a live share lets somebody do with a gallery that it is of: a guest by its link ($3), or who it names. Whether it
# names this very user the decision of the request has said; here it is about what has changed since for all.
SHARE_ROOM = """
SELECT s.approval, s.guest_max_bytes, s.guest_max_images, used.bytes, used.images,
       CASE
           WHEN s.revoked_at IS NOT NULL OR s.expires_at <= $4 OR NOT EXISTS (
               SELECT FROM share_targets t WHERE t.share_id = s.id AND t.gallery_id = $2
           ) THEN 0
           WHEN NOT $3 THEN s.permissions | coalesce((
               SELECT bit_or(r.permissions) FROM share_recipients r WHERE r.share_id = s.id
           ), 0)
           WHEN s.token_hash IS NULL THEN 0
           ELSE s.permissions
       END AS allows
FROM shares s
CROSS JOIN (
    SELECT count(*) AS images, coalesce(sum(size), 0)::bigint AS bytes FROM contributions WHERE share_id = $1
) used
WHERE s.id = $1"""

_GALLERIES = "SELECT gallery_id FROM share_targets WHERE share_id = $1 AND gallery_id IS NOT NULL LIMIT 2"

# Without the gallery, if that was deleted since the share was asked.
_INSERT = """
INSERT INTO contributions (image_id, owner_id, share_id, gallery_id, added_by, size, state, arrived_at)
VALUES ($1, $2, $3, (SELECT id FROM galleries WHERE id = $4 FOR KEY SHARE), $5, $6, $7, $8)"""

# A page of an owner's inbox, latest first, of one share if it is given.
LIST_OF_OWNER = f"""
SELECT {_COLUMNS} FROM contributions c JOIN images i ON i.id = c.image_id
WHERE c.owner_id = $1 AND c.state = $2 AND (c.arrived_at, c.image_id) < ($3, $4)
ORDER BY c.arrived_at DESC, c.image_id DESC
LIMIT $5"""

LIST_OF_SHARE = f"""
SELECT {_COLUMNS} FROM contributions c JOIN images i ON i.id = c.image_id
WHERE c.share_id = $6 AND c.state = $2 AND (c.arrived_at, c.image_id) < ($3, $4)
  AND EXISTS (SELECT FROM shares WHERE id = $6 AND owner_id = $1)
ORDER BY c.arrived_at DESC, c.image_id DESC
LIMIT $5"""

# What somebody added and did not take back, by one share ($2) if they came by it, without what its owner put away.
LIST_OF_CONTRIBUTOR = f"""
SELECT {_COLUMNS} FROM contributions c JOIN images i ON i.id = c.image_id
WHERE c.added_by = $1 AND c.state <> 'withdrawn' AND (i.deleted_at IS NULL OR i.deleted_at = 'infinity')
  AND (c.arrived_at, c.image_id) < ($2, $3)
ORDER BY c.arrived_at DESC, c.image_id DESC
LIMIT $4"""

_COUNT_PENDING = """
SELECT count(*) FROM (SELECT FROM contributions WHERE owner_id = $1 AND state = 'pending' LIMIT $2) AS waiting"""

# Those of an owner's images that wait, in the order of `membership`'s locks.
_LOCK_PENDING = f"""
SELECT {_COLUMNS} FROM contributions c JOIN images i ON i.id = c.image_id
WHERE c.owner_id = $1 AND c.image_id = ANY($2) AND c.state = 'pending'
ORDER BY i.id
FOR UPDATE OF i"""

# The first that wait of one share, or of all ($2 NULL).
_PENDING_IDS = """
SELECT image_id, gallery_id FROM contributions
WHERE owner_id = $1 AND state = 'pending' AND ($2::uuid IS NULL OR share_id = $2)
    AND ($3::uuid[] IS NULL OR image_id = ANY($3)) AND NOT image_id = ANY($4)
ORDER BY arrived_at, image_id
LIMIT $5"""

_RELEASE = "UPDATE images SET deleted_at = NULL, updated_at = $2 WHERE id = ANY($1)"

_APPROVE = "UPDATE contributions SET state = 'approved', decided_at = $2 WHERE image_id = ANY($1)"

_GET = f"SELECT {_COLUMNS} FROM contributions c JOIN images i ON i.id = c.image_id WHERE c.image_id = $1"

# It comes back from the trash into the library alone.
_WITHDRAW = """
WITH forgotten AS (
    DELETE FROM trashed_memberships WHERE image_id = $1
)
UPDATE contributions SET state = 'withdrawn', decided_at = $2 WHERE image_id = $1"""


async def hold_room(
    connection: Connection, sender: ShareSender, gallery_id: UUID | None, *, now: datetime
) -> ShareRoom:
    """The same, locked: all who add by this share wait until the transaction ends."""
    await connection.fetchval(_LOCK_SHARE, sender.share_id)
    return await room(connection, sender, gallery_id, now=now)


async def room(connection: Connection, sender: ShareSender, gallery_id: UUID | None, *, now: datetime) -> ShareRoom:
    """What the share allows to add to this gallery, and has room for; nothing, if it is gone."""
    is_guest = sender.contributor.kind is ContributorKind.GUEST
    row = await connection.fetchrow(SHARE_ROOM, sender.share_id, gallery_id, is_guest, now)
    if row is None:
        return ShareRoom(Permission.NONE, True, 0, 0, 0, 0)
    limits = row["guest_max_bytes"], row["guest_max_images"]
    return ShareRoom(Permission(row["allows"]), row["approval"], *limits, row["bytes"], row["images"])


async def only_gallery(connection: Connection, share_id: UUID) -> UUID | None:
    """The gallery of a share that is of one, and not of several."""
    rows = await connection.fetch(_GALLERIES, share_id)
    return rows[0]["gallery_id"] if len(rows) == 1 else None


async def insert(connection: Connection, added: Contribution) -> None:
    """Write it after its image."""
    await connection.execute(
        _INSERT,
        added.image_id,
        added.owner_id,
        added.share_id,
        added.gallery_id,
        str(added.added_by),
        added.size,
        added.state.value,
        added.arrived_at,
    )


async def list_of_owner(
    connection: Connection,
    owner_id: str,
    state: ContributionState,
    share_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Contribution]:
    place = (owner_id, state.value, *(after or (LAST_MOMENT, LAST_ID)), limit)
    if share_id is None:
        return [_contribution(row) for row in await connection.fetch(LIST_OF_OWNER, *place)]
    return [_contribution(row) for row in await connection.fetch(LIST_OF_SHARE, *place, share_id)]


async def list_of_contributor(
    connection: Connection, contributor: Contributor, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Contribution]:
    place = after or (LAST_MOMENT, LAST_ID)
    rows = await connection.fetch(LIST_OF_CONTRIBUTOR, str(contributor), *place, limit)
    return [_contribution(row) for row in rows]


async def count_pending(connection: Connection, owner_id: str, most: int) -> int:
    """How many wait for this owner, as far as ``most``."""
    count: int = await connection.fetchval(_COUNT_PENDING, owner_id, most)
    return count


async def pending_ids(
    connection: Connection,
    owner_id: str,
    *,
    share_id: UUID | None = None,
    among: Sequence[UUID] | None = None,
    without: Sequence[UUID] = (),
    limit: int,
) -> dict[UUID, UUID | None]:
    """The first of an owner's images that wait, with the gallery that each is for."""
    rows = await connection.fetch(_PENDING_IDS, owner_id, share_id, among, list(without), limit)
    return {row["image_id"]: row["gallery_id"] for row in rows}


async def lock_pending(connection: Connection, owner_id: str, image_ids: Sequence[UUID]) -> Sequence[Contribution]:
    """Those of these images of the owner that still wait, locked until the transaction ends."""
    return [_contribution(row) for row in await connection.fetch(_LOCK_PENDING, owner_id, list(image_ids))]


async def release(connection: Connection, image_ids: Sequence[UUID], *, now: datetime) -> None:
    """Let these locked images be images like any others."""
    await connection.execute(_RELEASE, list(image_ids), now)


async def approve(connection: Connection, image_ids: Sequence[UUID], *, now: datetime) -> None:
    """Note that they are approved: after their galleries are locked, as a gallery's deletion does."""
    await tag_records.set_listed(connection, image_ids, True)
    await connection.execute(_APPROVE, list(image_ids), now)


async def get(connection: Connection, image_id: UUID) -> Contribution | None:
    row = await connection.fetchrow(_GET, image_id)
    return None if row is None else _contribution(row)


async def withdraw(connection: Connection, image_id: UUID, *, now: datetime) -> None:
    """Note that it was taken back, and that it has no place in a gallery to return to from the trash."""
    await connection.execute(_WITHDRAW, image_id, now)


def _contribution(row: Record) -> Contribution:
    return Contribution(
        image_id=row["image_id"],
        owner_id=row["owner_id"],
        share_id=row["share_id"],
        gallery_id=row["gallery_id"],
        added_by=Contributor.from_text(row["added_by"], row["added_by_name"]),
        size=row["size"],
        state=ContributionState(row["state"]),
        arrived_at=row["arrived_at"],
    )
