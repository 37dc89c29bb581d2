"""Whoever has to wait for somebody waits, and nobody else does: each lock by the two who meet there.

One holds a transaction open; then the server is asked whether the other waits for it, or has come to an end. ``nox -s
mutants`` takes away every lock there is and sees that a test fails.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import anyio
import pytest
from anyio.abc import TaskStatus
from attrs import frozen
from tests.support.clock import START, ManualClock
from tests.support.library import Library, digest_of, make_image

from imagegallery.database import migrate
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.events import records as events
from imagegallery.ids import new_id
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.events import GalleryChanged
from imagegallery.images.image import membership, original_records, public_records
from imagegallery.images.image.image import Image
from imagegallery.images.trash import records as trash_records
from imagegallery.pagination import FIRST_ID
from imagegallery.principal import Principal
from imagegallery.queue import records as queue
from imagegallery.queue.dispatch import records as dispatch_records
from imagegallery.queue.dispatch.rules import Dispatch
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.uploads.session import records as uploads
from imagegallery.variants import records as variants
from imagegallery.webhooks import records as webhooks

NOW = START
LATER = START + timedelta(days=1)
LONG_AGO = (START - timedelta(days=9999), FIRST_ID)
ANA = Principal.user("ana")
WAITING = NewJob("waiting", dedupe_key="a")

# Whether one backend waits for the other, and on which tables one that waits has written.
_WAITS = "SELECT $1 = ANY (pg_blocking_pids($2))"
_WRITTEN = """
SELECT relation::regclass::text AS name FROM pg_locks
WHERE pid = $1 AND mode = 'RowExclusiveLock' AND locktype = 'relation' ORDER BY name"""

_OPEN_SESSION = """
INSERT INTO upload_sessions (id, owner_id, transport, state, incoming_key, key_prefix, filename, content_type, image_id,
                             created_at, updated_at, expires_at)
VALUES ($1, 'ana', 'simple', 'pending', 'incoming/a', 'a', 'a.jpg', 'image/jpeg', $1, $2, $2, $2)"""


@frozen
class World:
    """What Ana has. ``image`` and ``other`` are in the gallery, ``trashed`` was; ``session`` is over time; of the jobs
    `WAITING` waits, ``running`` was abandoned, and ``lost`` waits, too, but its message was lost."""

    image: Image
    other: Image
    trashed: Image
    gallery: UUID
    session: UUID
    webhook: UUID
    running: ClaimedJob
    lost: UUID
    database: Database


Step = Callable[[Connection, World], Awaitable[object]]


@pytest.fixture
async def world(database: Database, clock: ManualClock, tmp_path: Path) -> World:
    library = Library.on(database, tmp_path, clock)
    gallery = (await library.galleries.create(ANA, name="Lisbon")).id
    image, other, trashed = [await library.add_image(make_image(), gallery) for _ in range(3)]
    await library.images.trash.put(ANA, trashed.id)
    session = new_id()
    webhook = webhooks.NewWebhook(new_id(), "ana", "https://ana.example", bytes(32), ("image.created",))
    async with database.transaction() as connection:
        await connection.execute(_OPEN_SESSION, session, NOW)
        await webhooks.insert(connection, webhook, now=NOW)
        for job in (NewJob("running"), NewJob("lost"), WAITING):
            await queue.insert(connection, job, now=NOW)
        (running,) = (await queue.claim(connection, ["running"], limit=1, now=NOW, lease_expires_at=NOW)).jobs
        lost = await connection.fetchval("UPDATE jobs SET dispatched_until = $1 WHERE kind = 'lost' RETURNING id", NOW)
        await events.add_cursors(connection, ["consumer"])
    return World(image, other, trashed, gallery, session, webhook.id, running, lost, database)


def lost_message(world: World) -> Dispatch:
    return Dispatch(world.lost, "lost", 0, NOW)


async def reserve(connection: Connection, world: World) -> object:
    """Of which jobs: one that is new, one whose message was lost, and one that was abandoned."""
    dispatches, _ = await dispatch_records.reserve(connection, now=LATER, limit=9)
    return sorted(each.kind for each in dispatches)


async def claim(connection: Connection, kind: str) -> object:
    return (await queue.claim(connection, [kind], limit=9, now=LATER, lease_expires_at=LATER)).jobs


async def move_cursor(connection: Connection, world: World) -> object:
    """Whether it moved from where it was."""
    cursor, _ = await events.next_for(connection, {}, "consumer", 0, 9, seen=0)
    return await events.move_cursor(connection, "consumer", cursor, cursor + 1)


async def note_hash(connection: Connection, image: Image) -> None:
    await connection.execute("UPDATE images SET phash = NULL WHERE id = $1", image.id)
    await lookalike_records.note(connection, "ana", image.id, 1)


async def migrate_next(connection: Connection, world: World) -> None:
    wanted = await anyio.to_thread.run_sync(migrate.packaged_migrations)
    await migrate._apply_next(connection, wanted, migrate.LockWait(world.database, timedelta(days=1)))


STEPS: Mapping[str, Step] = {
    "lock an image for the trash": lambda c, world: trash_records.lock(c, "ana", [world.image.id]),
    "lock what is in the trash": lambda c, world: trash_records.lock(c, "ana", [world.trashed.id]),
    "lock what has expired": lambda c, world: trash_records.lock_expired(c, LATER, LONG_AGO, 9, now=LATER),
    "put an image away": lambda c, world: trash_records.put_away(c, [world.image.id], now=NOW),
    "put an image back": lambda c, world: trash_records.put_back(c, [world.trashed.id], lambda _: None, now=NOW),
    "hold images": lambda c, world: membership.hold_images(c, [world.image.id]),
    "add to the gallery": lambda c, world: membership.add(c, world.gallery, [world.image.id], now=NOW),
    "lock an image": lambda c, world: membership.lock_image(c, world.image.id),
    "rename an image": lambda c, world: membership.rekey(c, world.image.id, now=NOW, filename="b.jpg"),
    "lock the gallery": lambda c, world: membership.lock_gallery(c, world.gallery),
    "hold a content": lambda c, world: original_records.hold_content(c, "ana", world.image.file_size),
    "try to hold a content": lambda c, world: original_records.try_hold(c, [world.image.id]),
    "hold open keys": lambda c, world: public_records.hold_open_keys(c, "ana"),
    "hold an image of a content": lambda c, world: original_records.hold_image(c, "ana", digest_of(world.image)),
    "note a hash": lambda c, world: note_hash(c, world.image),
    "note another hash": lambda c, world: note_hash(c, world.other),
    "forget hashes": lambda c, world: lookalike_records.forget(c, "ana", []),
    "lock an image for variants": lambda c, world: variants.lock(c, world.image.id),
    "hold the images of objects": lambda c, world: variants.hold_images_of(
        c, {world.image.original_key: world.image.id}
    ),
    "lock a session": lambda c, world: uploads.lock(c, world.session),
    "expire sessions": lambda c, world: uploads.expire(c, now=LATER, limit=9),
    "hold an owner's room": lambda c, world: uploads.hold_room(c, "ana", now=NOW),
    "count webhooks": lambda c, world: webhooks.count_held(c, "ana"),
    "lock a webhook": lambda c, world: webhooks.lock(c, world.webhook),
    "move a cursor": move_cursor,
    "number events": lambda c, world: events.number(c),
    "migrate": migrate_next,
    "fence": lambda c, world: queue.fence(c, world.running),
    "complete a job": lambda c, world: queue.delete(c, world.running),
    "enqueue it again": lambda c, world: queue.insert(c, WAITING, now=NOW),
    "renew a lease": lambda c, world: queue.extend(c, [world.running], lease_expires_at=LATER),
    "claim abandoned jobs": lambda c, world: claim(c, "running"),
    "claim due jobs": lambda c, world: claim(c, "waiting"),
    "claim by name": lambda c, world: dispatch_records.claim(
        c, [world.running.id], ["running"], now=LATER, lease_expires_at=LATER
    ),
    "reserve": reserve,
    "confirm a message": lambda c, world: dispatch_records.confirm(
        c, [lost_message(world)], reserved_until=NOW, now=NOW
    ),
    "lock a lost job": lambda c, world: c.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", world.lost),
}


# --- who meets whom -------------------------------------------------------------------------------------------


async def meet(world: World, first: str, second: str) -> tuple[bool, Sequence[str], object]:
    """Whether the second waits for the first; the tables on which it has written by then; what it finds in the end."""
    found: list[object] = []

    async def come_second(*, task_status: TaskStatus[int]) -> None:
        async with world.database.transaction() as connection:
            task_status.started(connection.get_server_pid())
            found.append(await STEPS[second](connection, world))

    waits, written = False, []
    async with (
        anyio.create_task_group() as tasks,
        world.database.connection() as watching,
        world.database.transaction() as holding,
    ):
        await STEPS[first](holding, world)
        pid = await tasks.start(come_second)
        while not (found or waits):
            waits = await watching.fetchval(_WAITS, holding.get_server_pid(), pid)
        if waits:
            written = [row["name"] for row in await watching.fetch(_WRITTEN, pid)]
    return waits, written, found[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # an image to the trash, and from it
        ("lock an image for the trash", "lock an image for the trash"),
        ("lock an image for the trash", "lock an image for variants"),
        ("lock what has expired", "lock what is in the trash"),
        # an image that somebody counts on being there
        ("hold images", "lock an image for the trash"),
        ("add to the gallery", "lock an image for the trash"),
        ("hold an image of a content", "lock an image for the trash"),
        ("hold the images of objects", "lock an image for the trash"),
        ("hold the images of objects", "lock an image for variants"),
        ("lock an image for variants", "lock an image for variants"),
        ("lock an image", "add to the gallery"),
        ("rename an image", "hold images"),
        # what is in a gallery
        ("lock the gallery", "lock the gallery"),
        ("lock the gallery", "add to the gallery"),
        ("rename an image", "lock the gallery"),
        # one after the other of an owner
        ("hold a content", "hold a content"),
        ("try to hold a content", "hold a content"),
        ("note a hash", "note another hash"),
        ("note a hash", "forget hashes"),
        ("forget hashes", "note a hash"),
        ("hold an owner's room", "hold an owner's room"),
        ("hold open keys", "hold open keys"),
        ("count webhooks", "count webhooks"),
        # one thing
        ("lock a session", "lock a session"),
        ("lock a webhook", "lock a webhook"),
        ("migrate", "migrate"),
        ("fence", "complete a job"),
    ],
)
async def test_who_has_to_wait_waits(world: World, first: str, second: str) -> None:
    waits, _, _ = await meet(world, first, second)
    assert waits


@pytest.mark.parametrize("second", ["put an image away", "put an image back", "rename an image"])
async def test_who_waits_for_a_gallery_has_changed_nothing_in_it_yet(world: World, second: str) -> None:
    """Else two could wait for each other, and what is written would come from before the wait."""
    waits, written, _ = await meet(world, "lock the gallery", second)
    assert waits
    assert "gallery_images" not in written


@pytest.mark.parametrize(
    ("first", "second", "finds"),
    [
        # Readers and writers of other columns go on.
        ("hold images", "lock an image for variants", True),
        ("hold images", "hold an image of a content", None),
        # Who sweeps or claims passes over what others are at.
        ("lock what has expired", "lock what has expired", []),
        ("lock a session", "expire sessions", []),
        ("hold a content", "try to hold a content", []),
        ("fence", "claim abandoned jobs", []),
        ("enqueue it again", "claim due jobs", []),
        ("fence", "claim by name", []),
        ("fence", "renew a lease", None),
        ("reserve", "reserve", []),
        ("fence", "reserve", ["lost", "waiting"]),
        ("enqueue it again", "reserve", ["lost", "running"]),
        ("lock a lost job", "reserve", ["running", "waiting"]),
        ("lock a lost job", "confirm a message", None),
    ],
)
async def test_who_need_not_wait_goes_on(world: World, first: str, second: str, finds: object) -> None:
    waits, _, found = await meet(world, first, second)
    assert not waits
    assert finds is None or found == finds


async def test_of_two_who_move_a_cursor_one_does(world: World) -> None:
    waits, _, moved = await meet(world, "move a cursor", "move a cursor")
    assert (waits, moved) == (True, False)


async def test_two_who_number_events_give_each_a_position_of_its_own(world: World) -> None:
    async with world.database.transaction() as connection:
        await events.number(connection)
        await events.record(connection, *[GalleryChanged("ana", world.gallery, "images")] * 3, now=NOW)
    waits, _, log = await meet(world, "number events", "number events")
    assert waits
    assert isinstance(log, events.Numbered)
    async with world.database.transaction() as connection:
        await events.record(connection, GalleryChanged("ana", world.gallery, "images"), now=NOW)
        assert (await events.number(connection)).last == log.last + 1, "and leave no gap"
        positions = [row["position"] for row in await connection.fetch("SELECT position FROM events ORDER BY position")]
    assert positions == list(range(1, len(positions) + 1))
