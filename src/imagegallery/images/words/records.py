"""The SQL of tags: which images have which, and how many.

A count changes in the statement that changes what it counts. To change which tags images have, hold first the
images, then the tags, by id, against those who merge and delete them; the rows of counts come last. Galleries are
locked before tags (see `imagegallery.images.image.membership`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding
from imagegallery.ids import new_id
from imagegallery.images.words.words import Tag

_OF_TAGS: Final = "t.tag_id IN (SELECT id FROM tags WHERE owner_id = :owner_id)"
HELD: Final = (
    Holding("image_tags", _OF_TAGS, "t.image_id, t.tag_id"),
    Holding("tag_counts", _OF_TAGS, "t.tag_id, t.slot", is_told=False),
    Holding("tags"),
)

# Of an image `i`, in the order of lists. Scalar, evaluated image by image.
TAGS_OF_IMAGE: Final = """ARRAY(
        SELECT tag.name FROM image_tags tagged JOIN tags tag ON tag.id = tagged.tag_id
        WHERE tagged.image_id = i.id
        ORDER BY tag.key
    )"""

# The slot that an image counts in: by the end of its id, which is random.
SLOTS: Final = 8
_SLOT: Final = f"(get_byte(uuid_send(image_id), 15) % {SLOTS})::smallint"

# In the order of keys, so that two who make the same wait for each other.
_MAKE = """
INSERT INTO tags (id, owner_id, key, name, created_at)
SELECT given.id, $1, given.key, given.name, $5
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS given (id, key, name)
ORDER BY given.key
ON CONFLICT (owner_id, key) DO NOTHING"""

# An owner's tags of these keys, and those that these images have.
_HOLD = """
SELECT id, key FROM tags
WHERE (owner_id = $1 AND key = ANY($2)) OR id IN (SELECT tag_id FROM image_tags WHERE image_id = ANY($3))
ORDER BY id
FOR KEY SHARE"""


def _counting(change: str) -> str:
    """A statement that makes a ``change``, whose rows are (tag_id, image_id, step), and counts it in the order of
    ids."""
    return f"""
WITH {change}
INSERT INTO tag_counts (tag_id, slot, image_count)
SELECT tag_id, {_SLOT} AS slot, sum(step) FROM changed
GROUP BY 1, 2
HAVING sum(step) <> 0
ORDER BY 1, 2
ON CONFLICT (tag_id, slot) DO UPDATE SET image_count = tag_counts.image_count + excluded.image_count"""


_ADD = _counting("""added AS (
    INSERT INTO image_tags (image_id, tag_id, image_created_at, image_taken_at, is_listed)
    SELECT i.id, tag_id, i.created_at, i.taken_at, i.deleted_at IS NULL
    FROM images i, unnest($2::uuid[]) AS tag_id
    WHERE i.id = ANY($1)
    ON CONFLICT DO NOTHING
    RETURNING image_id, tag_id, is_listed
), changed AS (
    SELECT tag_id, image_id, 1 AS step FROM added WHERE is_listed
)""")

# With $3, all but these.
_REMOVE = _counting("""removed AS (
    DELETE FROM image_tags WHERE image_id = ANY($1) AND (tag_id = ANY($2)) <> $3 RETURNING image_id, tag_id, is_listed
), changed AS (
    SELECT tag_id, image_id, -1 AS step FROM removed WHERE is_listed
)""")


async def hold(
    connection: Connection, owner_id: str, tags: Sequence[Tag], image_ids: Sequence[UUID] = (), *, now: datetime
) -> list[UUID]:
    """Make those of the owner's tags that are missing, and keep all of them, and those of these locked images, from
    being merged or deleted until the transaction ends. Returns the ids of ``tags``."""
    keys = [each.key for each in tags]
    while True:
        rows = await connection.fetch(_HOLD, owner_id, keys, list(image_ids))
        held = [row["id"] for row in rows if row["key"] in keys]
        if len(held) == len(keys):
            return held
        ids, names = [new_id() for _ in tags], [each.name for each in tags]
        await connection.execute(_MAKE, owner_id, ids, keys, names, now)


async def add(connection: Connection, image_ids: Sequence[UUID], tag_ids: Sequence[UUID]) -> None:
    """Give locked images held tags."""
    if image_ids and tag_ids:
        await connection.execute(_ADD, list(image_ids), list(tag_ids))


async def replace(connection: Connection, owner_id: str, image_id: UUID, tags: Sequence[Tag], *, now: datetime) -> None:
    """Give a locked image these tags and no others."""
    tag_ids = await hold(connection, owner_id, tags, [image_id], now=now)
    await connection.execute(_REMOVE, [image_id], tag_ids, True)
    await add(connection, [image_id], tag_ids)
