"""The SQL of tags: which images have which, and how many.

A count changes in the statement that changes what it counts. To change which tags images have, lock the images, then
their galleries, then hold the owner's tags (`hold`): many do that at once, but not while somebody renames, merges or
deletes some (`hold_all`). The rows of counts come last, by id.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.database.statement import Statement
from imagegallery.errors import NotFound
from imagegallery.holdings.holding import Holding
from imagegallery.ids import new_id
from imagegallery.images.words.words import MAX_TAGS, CountedTag, OwnWord, Tag
from imagegallery.reconciliation.sums import Sum

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

_HOLD = f"""
SELECT pg_advisory_xact_lock_shared(hashtextextended('tags ' || owner_id, {SEED}))
FROM (SELECT DISTINCT owner_id FROM images WHERE id = ANY($1)) AS owners"""

# The same if they have any.
_HOLD_IF_TAGGED = f"""
SELECT pg_advisory_xact_lock_shared(hashtextextended('tags ' || owner_id, {SEED}))
FROM (
    SELECT DISTINCT i.owner_id FROM images i
    WHERE i.id = ANY($1) AND EXISTS (SELECT FROM image_tags tagged WHERE tagged.image_id = i.id)
) AS owners"""

_HOLD_ALL = f"SELECT pg_advisory_xact_lock(hashtextextended('tags ' || $1, {SEED}))"

# In the order of keys, so that two who make the same wait for each other.
_MAKE = """
INSERT INTO tags (id, owner_id, key, name, created_at)
SELECT given.id, $1, given.key, given.name, $5
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS given (id, key, name)
ORDER BY given.key
ON CONFLICT (owner_id, key) DO NOTHING"""

_NAMED = "SELECT id FROM tags WHERE owner_id = $1 AND key = ANY($2)"

_OWNED = "SELECT id FROM tags WHERE owner_id = $1 AND id = ANY($2)"

_COUNTED: Final = """
t.id, t.key, t.name,
coalesce((SELECT sum(c.image_count) FROM tag_counts c WHERE c.tag_id = t.id), 0)::bigint AS image_count"""

_GET = f"SELECT {_COUNTED} FROM tags t WHERE t.id = $1"

# An owner's tags whose keys begin so, after a key.
LIST_TAGS = f"""
SELECT {_COUNTED} FROM tags t
WHERE t.owner_id = $1 AND t.key >= $2 AND t.key < $2 || U&'\\+10FFFF' AND t.key > $3
ORDER BY t.key
LIMIT $4"""

# A page of tags, by id, each with the number of listed images that have it.
COUNTS = f"""
SELECT counted.id, counted.image_count AS recorded, (
    SELECT count(*) FROM image_tags tagged JOIN images i ON i.id = tagged.image_id
    WHERE tagged.tag_id = counted.id AND i.deleted_at IS NULL
) AS actual
FROM (SELECT {_COUNTED} FROM tags t WHERE t.id > $1 ORDER BY t.id LIMIT $2) AS counted
ORDER BY counted.id"""

_OWNER_OF = "SELECT owner_id FROM tags WHERE id = $1"

_LIST_AGAIN = """
UPDATE image_tags SET is_listed = i.deleted_at IS NULL
FROM images i
WHERE image_tags.tag_id = $1 AND i.id = image_tags.image_id AND image_tags.is_listed <> (i.deleted_at IS NULL)"""

_FORGET_COUNTS = "DELETE FROM tag_counts WHERE tag_id = $1"

_RATE = "UPDATE images SET rating = $2, updated_at = $3 WHERE id = ANY($1)"

_NOTE_OWN = """
UPDATE images SET own_words = ARRAY(SELECT unnest(own_words) UNION SELECT $2::text ORDER BY 1), updated_at = $3
WHERE id = ANY($1)"""

_RENAME = "UPDATE tags SET key = $2, name = $3 WHERE id = $1"

_DELETE = "DELETE FROM tags WHERE id = ANY($1)"


def _counting(change: str) -> Statement:
    """A statement that makes a ``change``, whose rows are (tag_id, image_id, step), and counts it in the order of
    ids."""
    return Statement.of(f"""
WITH {change}
INSERT INTO tag_counts (tag_id, slot, image_count)
SELECT tag_id, {_SLOT} AS slot, sum(step) FROM changed
GROUP BY 1, 2
HAVING sum(step) <> 0
ORDER BY 1, 2
ON CONFLICT (tag_id, slot) DO UPDATE SET image_count = tag_counts.image_count + excluded.image_count""")


_ADD = _counting("""added AS (
    INSERT INTO image_tags (image_id, tag_id, image_created_at, image_taken_at, is_listed)
    SELECT i.id, tag_id, i.created_at, i.taken_at, i.deleted_at IS NULL
    FROM images i, unnest(:tag_ids::uuid[]) AS tag_id
    WHERE i.id = ANY(:image_ids)
    ON CONFLICT DO NOTHING
    RETURNING image_id, tag_id, is_listed
), changed AS (
    SELECT tag_id, image_id, 1 AS step FROM added WHERE is_listed
)""")

# With ``all_others``, all but these.
_REMOVE = _counting("""removed AS (
    DELETE FROM image_tags
    WHERE image_id = ANY(:image_ids) AND (tag_id = ANY(:tag_ids)) <> :all_others
    RETURNING image_id, tag_id, is_listed
), changed AS (
    SELECT tag_id, image_id, -1 AS step FROM removed WHERE is_listed
)""")

# In the trash an image keeps its tags, and counts in none.
_SET_LISTED = _counting("""moved AS (
    UPDATE image_tags SET is_listed = :is_listed
    WHERE image_id = ANY(:image_ids) AND is_listed <> :is_listed
    RETURNING image_id, tag_id
), changed AS (
    SELECT tag_id, image_id, CASE WHEN :is_listed THEN 1 ELSE -1 END AS step FROM moved
)""")

_MERGE = _counting("""added AS (
    INSERT INTO image_tags (image_id, tag_id, image_created_at, image_taken_at, is_listed)
    SELECT DISTINCT ON (image_id) image_id, :tag_id, image_created_at, image_taken_at, is_listed
    FROM image_tags WHERE tag_id = ANY(:others)
    ON CONFLICT DO NOTHING
    RETURNING image_id, tag_id, is_listed
), changed AS (
    SELECT tag_id, image_id, 1 AS step FROM added WHERE is_listed
)""")

_COUNT_AGAIN = _counting("""changed AS (
    SELECT tag_id, image_id, 1 AS step FROM image_tags WHERE tag_id = :tag_id AND is_listed
)""")

# Those of some images that would have more tags than an image may have.
_TOO_MANY = f"""
SELECT image_id FROM image_tags
WHERE image_id = ANY($1) AND tag_id <> ALL($2)
GROUP BY image_id
HAVING count(*) + cardinality($2::uuid[]) > {MAX_TAGS}"""

# An image's place in lists by latest picture.
_SET_TAKEN_AT = "UPDATE image_tags SET image_taken_at = $2 WHERE image_id = $1"


async def hold(connection: Connection, image_ids: Sequence[UUID]) -> None:
    """Keep the tags of these locked images from being renamed, merged and deleted until the transaction ends."""
    await connection.fetch(_HOLD, list(image_ids))


async def hold_all(connection: Connection, owner_id: str) -> None:
    """Keep everybody else from changing which images have which of the owner's tags until the transaction ends."""
    await connection.fetchval(_HOLD_ALL, owner_id)


async def named(
    connection: Connection, owner_id: str, tags: Sequence[Tag], *, now: datetime | None = None
) -> list[UUID]:
    """The ids of the owner's held tags. With ``now``, those that are missing are made."""
    keys = [each.key for each in tags]
    found = [row["id"] for row in await connection.fetch(_NAMED, owner_id, keys)]
    if len(found) == len(keys) or now is None:
        return found
    await connection.execute(_MAKE, owner_id, [new_id() for _ in tags], keys, [each.name for each in tags], now)
    return [row["id"] for row in await connection.fetch(_NAMED, owner_id, keys)]


async def add(
    connection: Connection, owner_id: str, image_ids: Sequence[UUID], tags: Sequence[Tag], *, now: datetime
) -> set[UUID]:
    """Give locked images of the owner these tags. Returns those that would have too many, and have them not."""
    if not image_ids or not tags:
        return set()
    await hold(connection, image_ids)
    tag_ids = await named(connection, owner_id, tags, now=now)
    full = {row["image_id"] for row in await connection.fetch(_TOO_MANY, list(image_ids), tag_ids)}
    await _ADD.execute(connection, image_ids=[each for each in image_ids if each not in full], tag_ids=tag_ids)
    return full


async def remove(connection: Connection, owner_id: str, image_ids: Sequence[UUID], tags: Sequence[Tag]) -> None:
    """Take these tags from locked images of the owner."""
    await hold(connection, image_ids)
    tag_ids = await named(connection, owner_id, tags)
    await _REMOVE.execute(connection, image_ids=list(image_ids), tag_ids=tag_ids, all_others=False)


async def replace(connection: Connection, owner_id: str, image_id: UUID, tags: Sequence[Tag], *, now: datetime) -> None:
    """Give a locked image these tags and no others."""
    await hold(connection, [image_id])
    tag_ids = await named(connection, owner_id, tags, now=now)
    await _REMOVE.execute(connection, image_ids=[image_id], tag_ids=tag_ids, all_others=True)
    await _ADD.execute(connection, image_ids=[image_id], tag_ids=tag_ids)


async def rate(connection: Connection, image_ids: Sequence[UUID], rating: int | None, *, now: datetime) -> None:
    """Give locked images this rating, or none."""
    await connection.execute(_RATE, list(image_ids), rating, now)


async def note_own(connection: Connection, image_ids: Sequence[UUID], word: OwnWord, *, now: datetime) -> None:
    """Note that the owner has said this of locked images, whatever their files say."""
    await connection.execute(_NOTE_OWN, list(image_ids), word, now)


async def set_listed(connection: Connection, image_ids: Sequence[UUID], is_listed: bool) -> None:
    """Count locked images in their tags, or do so no more; after the galleries that this changes."""
    if await connection.fetch(_HOLD_IF_TAGGED, list(image_ids)):
        await _SET_LISTED.execute(connection, image_ids=list(image_ids), is_listed=is_listed)


async def set_taken_at(connection: Connection, image_id: UUID, taken_at: datetime) -> None:
    """Move a locked image to the place of its new time in lists by tags."""
    if await connection.fetch(_HOLD_IF_TAGGED, [image_id]):
        await connection.execute(_SET_TAKEN_AT, image_id, taken_at)


async def list_tags(connection: Connection, owner_id: str, prefix: str, after: str, limit: int) -> list[CountedTag]:
    """Those whose keys begin so, after one."""
    return [_counted(row) for row in await connection.fetch(LIST_TAGS, owner_id, prefix, after, limit)]


async def get(connection: Connection, tag_id: UUID) -> CountedTag:
    row = await connection.fetchrow(_GET, tag_id)
    if row is None:
        raise NotFound.of("tag")
    return _counted(row)


async def owned(connection: Connection, owner_id: str, tag_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these tags that are the owner's."""
    return {row["id"] for row in await connection.fetch(_OWNED, owner_id, list(tag_ids))}


async def counts(connection: Connection, after: UUID, limit: int) -> list[Sum]:
    """The numbers of images that tags record, and have."""
    return [Sum(str(id_), *numbers) for id_, *numbers in await connection.fetch(COUNTS, after, limit)]


async def recount(connection: Connection, tag_id: UUID) -> None:
    """Correct a tag's counts, and which of its images are listed. Raises `NotFound`."""
    owner_id: str | None = await connection.fetchval(_OWNER_OF, tag_id)
    if owner_id is None:
        raise NotFound.of("tag")
    await hold_all(connection, owner_id)
    await connection.execute(_LIST_AGAIN, tag_id)
    await connection.execute(_FORGET_COUNTS, tag_id)
    await _COUNT_AGAIN.execute(connection, tag_id=tag_id)


async def rename(connection: Connection, tag_id: UUID, tag: Tag) -> None:
    await connection.execute(_RENAME, tag_id, tag.key, tag.name)


async def merge(connection: Connection, tag_id: UUID, others: Sequence[UUID]) -> None:
    """Give all images of the ``others`` this tag instead; all of the owner's tags are held."""
    await _MERGE.execute(connection, tag_id=tag_id, others=list(others))
    await delete(connection, others)


async def delete(connection: Connection, tag_ids: Sequence[UUID]) -> None:
    """With what images have of them, and counts."""
    await connection.execute(_DELETE, list(tag_ids))


def _counted(row: Record) -> CountedTag:
    return CountedTag(row["id"], row["name"], row["image_count"], row["key"])
