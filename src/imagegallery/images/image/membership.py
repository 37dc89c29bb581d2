"""Which images are in which galleries: the one place that writes ``gallery_images`` and ``image_count``.

A count changes in the statement that changes its memberships, under the gallery's row lock, so it is exact at every
commit. Transactions with several rows lock them in this order, which prevents deadlocks: **contents
(`original_records`), images by id, the owner's hashes (`lookalike_records`), galleries by id, then the owner**. A
change of an image's place in an order (adding it, moving it, renaming it) increments the gallery's ``revision`` and
stores it with the image, so that earlier walks can tell. Only `galleries.order_records`, which moves images, and
`images.trash.records`, which sets them aside, write here, too.

It is in this package, below `galleries` and `uploads`, because both add images to galleries.
"""

from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import evolve, frozen

from imagegallery.access.audience import Visibility
from imagegallery.common.meta import Meta
from imagegallery.common.validation import Faults
from imagegallery.database.connection import Connection
from imagegallery.errors import NotFound
from imagegallery.events import records as events
from imagegallery.images.events import GalleryChange, GalleryChanged
from imagegallery.images.image.filename import natural_key

# Space between neighbours: an image can be moved between two others 32 times before a gap closes.
POSITION_SPACING: Final = 2**32

# Keep images from the trash, and exclude those in it; owners do not change.
_HOLD_IMAGES = """
SELECT id, owner_id, filename, mime_type, file_size, width, height, policy FROM images
WHERE id = ANY($1) AND deleted_at IS NULL
ORDER BY id
FOR KEY SHARE"""

# Lock the content of these galleries until the transaction ends.
_LOCK_GALLERIES = """
SELECT id, owner_id, meta, policy, image_count, visibility FROM galleries WHERE id = ANY($1)
ORDER BY id FOR NO KEY UPDATE"""

# Adding this image to a gallery waits, then finds it gone.
_LOCK_IMAGE = "SELECT meta FROM images WHERE id = $1 FOR UPDATE"

_GALLERIES_OF = "SELECT gallery_id FROM gallery_images WHERE image_id = $1"

# Up to $2 images of a gallery, or (with $3) of these, that are in no other one. Scalar, evaluated image by image.
_ONLY_THERE = """
SELECT m.image_id FROM gallery_images m
WHERE m.gallery_id = $1 AND ($3::uuid[] IS NULL OR m.image_id = ANY($3)) AND (
    SELECT true FROM gallery_images other WHERE other.image_id = m.image_id AND other.gallery_id <> $1 LIMIT 1
) IS NULL
ORDER BY m.image_id
LIMIT $2"""

_IS_MEMBER = "SELECT EXISTS (SELECT FROM gallery_images WHERE gallery_id = $1 AND image_id = $2)"

# Append, in the order given, those that are not members yet; count them. They go behind what may come back from the
# trash as well. The last position is read here, under the lock: a statement that had waited for the lock itself would
# still see the positions from before.
_APPEND = """
WITH newcomer AS (
    SELECT image_id, name_key, row_number() OVER (ORDER BY place) AS place
    FROM unnest($2::uuid[], $5::text[]) WITH ORDINALITY AS wanted (image_id, name_key, place)
    WHERE NOT EXISTS (SELECT FROM gallery_images m WHERE m.gallery_id = $1 AND m.image_id = wanted.image_id)
), added AS (
    INSERT INTO gallery_images (
        gallery_id, image_id, position, image_created_at, image_taken_at, name_key, placed, named, dated,
        added_at
    )
    SELECT $1, i.id, last.position + newcomer.place * $3::bigint, i.created_at, i.taken_at, newcomer.name_key,
           g.revision + 1, g.revision + 1, g.revision + 1, $4
    FROM newcomer
    JOIN images i ON i.id = newcomer.image_id
    JOIN galleries g ON g.id = $1,
    (
        SELECT greatest(
            (SELECT max(position) FROM gallery_images WHERE gallery_id = $1),
            (SELECT max(position) FROM trashed_memberships WHERE gallery_id = $1),
            0
        ) AS position
    ) AS last
    RETURNING 1
), counted AS (
    SELECT count(*) AS added FROM added
)
UPDATE galleries SET image_count = image_count + counted.added, revision = revision + 1, updated_at = $4
FROM counted
WHERE id = $1 AND counted.added > 0
RETURNING counted.added"""

# An image is in a gallery once, so each gallery loses one, and its cover if the image was it.
_REMOVE = """
WITH removed AS (
    DELETE FROM gallery_images WHERE gallery_id = ANY($1) AND image_id = $2 RETURNING gallery_id
)
UPDATE galleries
SET image_count = image_count - 1, cover_image_id = nullif(cover_image_id, $2), updated_at = $3
FROM removed
WHERE id = removed.gallery_id
RETURNING id"""

# For `reconcile`: the correct count.
_RECOUNT = """
UPDATE galleries
SET image_count = (SELECT count(*) FROM gallery_images WHERE gallery_id = $1)
WHERE id = $1
RETURNING image_count"""

# Remove several images from one gallery and count them; a removed cover is reset.
_REMOVE_BATCH = """
WITH removed AS (
    DELETE FROM gallery_images WHERE gallery_id = $1 AND image_id = ANY($2) RETURNING image_id
), counted AS (
    SELECT count(*) AS removed FROM removed
)
UPDATE galleries
SET image_count = image_count - counted.removed, updated_at = $3,
    cover_image_id = CASE WHEN cover_image_id = ANY($2) THEN NULL ELSE cover_image_id END
FROM counted
WHERE id = $1"""

# Which of some images are in a gallery, and where.
_POSITIONS = "SELECT image_id, position FROM gallery_images WHERE gallery_id = $1 AND image_id = ANY($2)"

_POLICY_OF = "SELECT policy FROM galleries WHERE id = $1"

# Replacing the image of a gallery that is to hold a single one.
_HOLD_SINGLE = "SELECT pg_advisory_xact_lock(hashtextextended('single ' || $1, 0))"

_MEMBERS = "SELECT image_id FROM gallery_images WHERE gallery_id = $1"

# Those of some images that another gallery holds, too.
_HELD_ELSEWHERE = "SELECT DISTINCT image_id FROM gallery_images WHERE image_id = ANY($2) AND gallery_id <> $1"

# Update an image's place in the orders of its galleries that depend on its own properties.
_REKEY = """
WITH gallery AS (
    UPDATE galleries SET revision = revision + 1, updated_at = $4 WHERE id = ANY($1) RETURNING id, revision
)
UPDATE gallery_images m
SET name_key = coalesce($3, m.name_key), named = CASE WHEN $3 IS NULL THEN m.named ELSE gallery.revision END,
    image_taken_at = coalesce($5, m.image_taken_at), dated = CASE WHEN $5 IS NULL THEN m.dated ELSE gallery.revision END
FROM gallery
WHERE m.gallery_id = gallery.id AND m.image_id = $2"""

# The same for the place to which it returns from the trash.
_REKEY_TRASH = """
UPDATE trashed_memberships
SET name_key = coalesce($2, name_key), image_taken_at = coalesce($3, image_taken_at)
WHERE image_id = $1"""


@frozen
class HeldGallery:
    """A gallery whose row is locked: what its events tell, its policy, how many images it holds, and how open it is."""

    id: UUID
    owner_id: str
    meta: Meta
    policy: str | None = None
    image_count: int = 0
    visibility: str = Visibility.PRIVATE

    def changed(self, change: GalleryChange) -> GalleryChanged:
        return GalleryChanged(self.owner_id, self.id, change, self.meta)


@frozen
class Member:
    """What a gallery's policy may ask of an image; ``policy`` is the one that it was uploaded under."""

    mime_type: str
    file_size: int
    width: int
    height: int
    policy: str | None


def _anything(_: Member) -> None:
    return None


async def add(
    connection: Connection,
    gallery_id: UUID,
    image_ids: Sequence[UUID],
    *,
    now: datetime,
    fault_of: Callable[[Member], str | None] = _anything,
) -> HeldGallery | None:
    """Append images to their owner's gallery, all or none. Returns the gallery as it is now; ``None`` if all were in it
    already.

    ``image_ids``: 1 to 1,000, each once. Raises `NotFound` if the gallery is gone, and `InvalidInput` with the path of
    each id that is repeated, unknown, of another owner's image (these look the same), or of one with a fault.
    """
    check_ids(image_ids)
    held = {row["id"]: row for row in await connection.fetch(_HOLD_IMAGES, list(image_ids))}
    gallery = await lock_gallery(connection, gallery_id)
    faults = Faults()
    for index, image_id in enumerate(image_ids):
        if image_id not in held or held[image_id]["owner_id"] != gallery.owner_id:
            faults.add(("body", "image_ids", str(index)), "is not one of your images")
        elif fault := fault_of(_member(held[image_id])):
            faults.add(("body", "image_ids", str(index)), fault)
    faults.check()
    keys = [natural_key(held[image_id]["filename"]) for image_id in image_ids]
    added = await connection.fetchval(_APPEND, gallery_id, list(image_ids), POSITION_SPACING, now, keys)
    if not added:
        return None
    await events.record(connection, gallery.changed("images"), now=now)
    return evolve(gallery, image_count=gallery.image_count + added)


async def add_new(
    connection: Connection, gallery_id: UUID, image_id: UUID, filename: str, *, now: datetime
) -> HeldGallery:
    """Append an image that this transaction has made for the gallery's owner. Returns the gallery as it is now, whose
    `GalleryChanged` the caller records.

    Raises `NotFound` if the gallery is gone.
    """
    gallery = await lock_gallery(connection, gallery_id)
    await connection.fetchval(_APPEND, gallery_id, [image_id], POSITION_SPACING, now, [natural_key(filename)])
    return evolve(gallery, image_count=gallery.image_count + 1)


def _member(row: Record) -> Member:
    return Member(row["mime_type"], row["file_size"], row["width"], row["height"], row["policy"])


async def policy_of(connection: Connection, gallery_id: UUID) -> str | None:
    """The name of the gallery's policy, if it has one and is there."""
    name: str | None = await connection.fetchval(_POLICY_OF, gallery_id)
    return name


async def hold_single(connection: Connection, gallery_id: UUID) -> None:
    """Let one transaction at a time replace the image of a gallery. Before all other locks."""
    await connection.execute(_HOLD_SINGLE, str(gallery_id))


async def members(connection: Connection, gallery_id: UUID) -> list[UUID]:
    """All images in a gallery."""
    return [row["image_id"] for row in await connection.fetch(_MEMBERS, gallery_id)]


async def held_elsewhere(connection: Connection, gallery_id: UUID, image_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these images that another gallery holds, too."""
    return {row["image_id"] for row in await connection.fetch(_HELD_ELSEWHERE, gallery_id, list(image_ids))}


async def remove(connection: Connection, gallery_id: UUID, image_id: UUID, *, now: datetime) -> bool:
    """Remove an image from a gallery. False if it was not in it. Raises `NotFound` if the gallery is gone."""
    gallery = await lock_gallery(connection, gallery_id)
    if not await connection.fetch(_REMOVE, [gallery_id], image_id, now):
        return False
    await events.record(connection, gallery.changed("images"), now=now)
    return True


async def remove_batch(connection: Connection, gallery_id: UUID, image_ids: Sequence[UUID], *, now: datetime) -> None:
    """Remove images from a gallery, all or none.

    ``image_ids``: 1 to 1,000, each once. Raises `NotFound` if the gallery is gone, and `InvalidInput` with the path of
    each id that is repeated or not in the gallery.
    """
    check_ids(image_ids)
    gallery = await lock_gallery(connection, gallery_id)
    present = await positions(connection, gallery_id, image_ids)
    faults = Faults()
    add_strangers(faults, image_ids, present)
    faults.check()
    await connection.execute(_REMOVE_BATCH, gallery_id, list(image_ids), now)
    await events.record(connection, gallery.changed("images"), now=now)


async def positions(connection: Connection, gallery_id: UUID, image_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The position of each of these images that is in the gallery."""
    rows = await connection.fetch(_POSITIONS, gallery_id, list(image_ids))
    return {row["image_id"]: row["position"] for row in rows}


async def rekey(
    connection: Connection,
    image_id: UUID,
    *,
    now: datetime,
    filename: str | None = None,
    taken_at: datetime | None = None,
) -> None:
    """Move an image to the place of its new name or time in its galleries. Does not write the image's own row.

    It stays locked: a transaction that adds it to another gallery waits, and then reads this result.
    """
    key = None if filename is None else natural_key(filename)
    await connection.fetchval(_LOCK_IMAGE, image_id)
    gallery_ids = [row["gallery_id"] for row in await connection.fetch(_GALLERIES_OF, image_id)]
    await connection.fetch(_LOCK_GALLERIES, gallery_ids)
    await connection.execute(_REKEY, gallery_ids, image_id, key, now, taken_at)
    await connection.execute(_REKEY_TRASH, image_id, key, taken_at)


async def recount(connection: Connection, gallery_id: UUID) -> int:
    """Correct a gallery's ``image_count`` and return it. Raises `NotFound`."""
    await lock_gallery(connection, gallery_id)
    count: int = await connection.fetchval(_RECOUNT, gallery_id)
    return count


async def lock_image(connection: Connection, image_id: UUID) -> Meta | None:
    """Lock the image until the transaction ends. Returns its ``meta``; ``None`` if it is gone."""
    meta: Meta | None = await connection.fetchval(_LOCK_IMAGE, image_id)
    return meta


async def hold_images(connection: Connection, image_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Keep these images from being deleted until the transaction ends. Returns the owner of each that exists."""
    rows = await connection.fetch(_HOLD_IMAGES, list(image_ids))
    return {row["id"]: row["owner_id"] for row in rows}


async def lock_gallery(connection: Connection, gallery_id: UUID) -> HeldGallery:
    """Lock a gallery's memberships. Raises `NotFound`."""
    row = await connection.fetchrow(_LOCK_GALLERIES, [gallery_id])
    if row is None:
        raise NotFound.of("gallery")
    return HeldGallery(**row)


async def only_there(
    connection: Connection, gallery_id: UUID, limit: int, image_ids: Sequence[UUID] | None = None
) -> list[UUID]:
    """Images, or those of ``image_ids``, that are in this gallery and in no other."""
    rows = await connection.fetch(_ONLY_THERE, gallery_id, limit, None if image_ids is None else list(image_ids))
    return [row["image_id"] for row in rows]


async def is_member(connection: Connection, gallery_id: UUID, image_id: UUID) -> bool:
    return bool(await connection.fetchval(_IS_MEMBER, gallery_id, image_id))


def add_strangers(faults: Faults, image_ids: Sequence[UUID], present: Container[UUID]) -> None:
    """Add the path of each id that is not ``present`` in the gallery."""
    for index, image_id in enumerate(image_ids):
        if image_id not in present:
            faults.add(("body", "image_ids", str(index)), "is not in the gallery")


def check_ids(image_ids: Sequence[UUID]) -> None:
    """1 to 1,000 ids, each once. Raises `InvalidInput`."""
    faults = Faults()
    faults.batch(("body", "image_ids"), image_ids)
    faults.check()
