"""The SQL of looking alike: each owner's pHashes, which of them are near each other, and the images that share them.

All but `note`, `unnote` and `forget` only read. Those hold *the owner's hashes* (a transaction's advisory lock) until
the commit, after images and before galleries in the order of `membership`; so that of two images that are noted at the
same time one sees the other. What holds then, the trash included: every image that shares a hash with another, or has
one near another's, is in ``lookalikes``.

Hashes are kept apart from images, so that thousands of equal pictures cost the search no more than one. A search looks
at no more than `_BUCKET` hashes of one bucket, and keeps the `NEIGHBOURS` nearest: what more there were is not offered.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.holdings.holding import Holding
from imagegallery.images.duplicates.hamming import NEAR, buckets, probes, signed, turns, unsigned
from imagegallery.images.image.image import Image

HELD: Final = (
    Holding("phash_buckets", is_told=False),
    Holding("phash_neighbours", is_told=False),
    Holding("lookalikes", order="t.image_id"),
    Holding(
        "dismissed_pairs", "t.image_id IN (SELECT id FROM images WHERE owner_id = :owner_id)", "t.image_id, t.other_id"
    ),
)
NEIGHBOURS: Final = 32
_BUCKET: Final = 200

_HOLD = f"SELECT pg_advisory_xact_lock(hashtextextended('lookalikes ' || $1, {SEED}))"

_CLEAR_PHASH = "UPDATE images SET phash = NULL WHERE id = $1"

_SET_PHASH = "UPDATE images SET phash = $2 WHERE id = $1 AND phash IS NULL"

# The nearest of an owner's hashes, given where to look ($2) for what ($3), pairwise; none if the hash ($4, $5) is there
# already, and was searched for then.
SEARCH = f"""
SELECT found.phash, min(bit_count((found.phash # probe.phash)::bit(64)))::smallint AS distance
FROM unnest($2::integer[], $3::bigint[]) AS probe (bucket, phash)
CROSS JOIN LATERAL (
    SELECT b.phash FROM phash_buckets b WHERE b.owner_id = $1 AND b.bucket = probe.bucket LIMIT {_BUCKET}
) AS found
WHERE bit_count((found.phash # probe.phash)::bit(64)) <= {NEAR}
  AND NOT EXISTS (SELECT FROM phash_buckets WHERE owner_id = $1 AND bucket = $4 AND phash = $5)
GROUP BY found.phash
ORDER BY distance, found.phash
LIMIT {NEIGHBOURS}"""

# A new hash goes into its buckets. It and those near it know each other; it is near itself.
_ADD = """
WITH filed AS (
    INSERT INTO phash_buckets (owner_id, bucket, phash) SELECT $1, bucket, $2 FROM unnest($5::integer[]) AS bucket
    ON CONFLICT DO NOTHING
)
INSERT INTO phash_neighbours (owner_id, phash, near_phash, distance)
SELECT $1, $2, near, distance FROM unnest($3::bigint[], $4::smallint[]) AS found (near, distance)
UNION ALL
SELECT $1, near, $2, distance FROM unnest($3::bigint[], $4::smallint[]) AS found (near, distance)
UNION ALL
SELECT $1, $2, $2, 0
ON CONFLICT DO NOTHING"""

# If there is an image near this one, both are in. Where two have a hash, both are in already: so that one of each hash,
# here and one in the trash, is all that has to be looked at.
MARK = f"""
WITH alike AS (
    SELECT found.id
    FROM (
        SELECT near_phash FROM phash_neighbours
        WHERE owner_id = $1 AND phash = $3
        ORDER BY distance, near_phash
        LIMIT {NEIGHBOURS}
    ) AS near
    CROSS JOIN LATERAL (
        (
            SELECT id FROM images
            WHERE owner_id = $1 AND phash = near.near_phash AND id <> $2 AND deleted_at IS NULL
            LIMIT 1
        ) UNION ALL (
            SELECT id FROM images
            WHERE owner_id = $1 AND phash = near.near_phash AND id <> $2 AND deleted_at IS NOT NULL
            LIMIT 1
        )
    ) AS found
)
INSERT INTO lookalikes (owner_id, image_id)
SELECT $1, id FROM alike UNION SELECT $1, $2 WHERE EXISTS (SELECT FROM alike)
ON CONFLICT DO NOTHING"""

_UNMARK = "DELETE FROM lookalikes WHERE owner_id = $1 AND image_id = ANY($2)"

# Those of some hashes that no image has any more.
_UNUSED = """
SELECT given.phash
FROM unnest($2::bigint[]) AS given (phash)
WHERE NOT EXISTS (SELECT FROM images WHERE owner_id = $1 AND phash = given.phash AND deleted_at IS NULL)
  AND NOT EXISTS (SELECT FROM images WHERE owner_id = $1 AND phash = given.phash AND deleted_at IS NOT NULL)"""

_UNFILE = "DELETE FROM phash_buckets WHERE owner_id = $1 AND bucket = ANY($2) AND phash = ANY($3)"

_DISCONNECT = """
DELETE FROM phash_neighbours other
USING phash_neighbours own
WHERE own.owner_id = $1 AND own.phash = ANY($2)
  AND other.owner_id = $1 AND other.phash = own.near_phash AND other.distance = own.distance
  AND other.near_phash = own.phash"""

_DISCONNECT_REST = "DELETE FROM phash_neighbours WHERE owner_id = $1 AND phash = ANY($2)"


async def note(connection: Connection, owner_id: str, image_id: UUID, phash: int) -> None:
    """Give an image that is held its pHash, once, and note what looks like it. Late in the transaction."""
    if await connection.execute(_SET_PHASH, image_id, signed(phash)) != "UPDATE 1" or phash == 0:
        return
    await connection.execute(_HOLD, owner_id)
    found = await connection.fetch(SEARCH, owner_id, *search_for(phash))
    near, distances = [row["phash"] for row in found], [row["distance"] for row in found]
    await connection.execute(_ADD, owner_id, signed(phash), near, distances, buckets(phash))
    await connection.execute(MARK, owner_id, image_id, signed(phash))


async def unnote(connection: Connection, image: Image) -> None:
    """Take its pHash from an image that is held, as if it had never been noted."""
    await connection.execute(_CLEAR_PHASH, image.id)
    await forget(connection, image.owner_id, [image])


async def hold(connection: Connection, owner_id: str) -> None:
    """Hold the owner's hashes, for a transaction that locks galleries before it calls `forget`."""
    await connection.execute(_HOLD, owner_id)


async def forget(connection: Connection, owner_id: str, deleted: Sequence[Image]) -> None:
    """Forget images of this owner whose rows are gone, and the hashes that no other image has."""
    await connection.execute(_HOLD, owner_id)
    await connection.execute(_UNMARK, owner_id, [image.id for image in deleted])
    phashes = {signed(image.phash) for image in deleted if image.phash}
    unused = [row["phash"] for row in await connection.fetch(_UNUSED, owner_id, list(phashes))]
    filed = [bucket for phash in unused for bucket in buckets(unsigned(phash))]
    await connection.execute(_UNFILE, owner_id, filed, unused)
    await connection.execute(_DISCONNECT, owner_id, unused)
    await connection.execute(_DISCONNECT_REST, owner_id, unused)


def search_for(phash: int) -> tuple[list[int], list[int], int, int]:
    """Where to look for what, however the picture is turned: the arguments of `SEARCH` after the owner."""
    pairs = [(bucket, signed(turned)) for turned in turns(phash) for bucket in probes(turned)]
    return [bucket for bucket, _ in pairs], [turned for _, turned in pairs], buckets(phash)[0], signed(phash)
