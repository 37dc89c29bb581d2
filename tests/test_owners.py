"""Two owners who have the same, to the byte, and a visitor: each sees and changes their own.

Ben has everything that Ana has, so that a question which forgets whose things it is about answers with both.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from attrs import evolve, frozen
from tests.support.clock import START, ManualClock
from tests.support.library import make_image
from tests.support.shared_engine import SharedEngine
from tests.support.uploads import Uploading

from imagegallery.database.pool import Database
from imagegallery.errors import ImageGalleryError, NotFound, Unauthenticated
from imagegallery.events import records as event_records
from imagegallery.galleries.gallery import Gallery
from imagegallery.galleries.service import GalleryService
from imagegallery.gallery import EVENT_TYPES
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.duplicates import records as duplicate_records
from imagegallery.images.image import original_records
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image
from imagegallery.images.service import ImageService
from imagegallery.images.trash import records as trash_records
from imagegallery.owners import records as owner_records
from imagegallery.pagination import LAST_ID
from imagegallery.principal import Principal
from imagegallery.uploads.service import UploadService
from imagegallery.uploads.session import records as upload_records
from imagegallery.uploads.session.session import UploadSession
from imagegallery.webhooks import records as webhook_records
from imagegallery.webhooks.service import WebhookService
from imagegallery.webhooks.transport import Sender
from imagegallery.webhooks.webhook import Webhook, WebhookOptions

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
LOOK = 0x9F31_77C2_0D5A_E468
LOOKS = {"tram": LOOK, "copy": LOOK, "near": LOOK ^ 1, "trashed": LOOK}
TRAM_SIZE = make_image().file_size
CONTENTS = {name: hashlib.sha256(name.encode()).digest() for name in LOOKS}
SIZE = 5
IMAGE_SIZE = 1_000_000
EVENTS = 7


@frozen
class Things:
    """What one owner has. ``tram``, whose file is ``original``, ``copy`` and ``near`` are in ``gallery``."""

    tram: UUID
    original: str
    copy: UUID
    near: UUID
    trashed: UUID
    gallery: UUID
    session: UUID
    webhook: UUID


@frozen
class World:
    """What each owner has, and the services to ask."""

    things: Mapping[str, Things]
    database: Database
    images: ImageService
    galleries: GalleryService
    uploads: UploadService
    webhooks: WebhookService
    clock: ManualClock


@pytest.fixture
async def world(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: SharedEngine
) -> AsyncIterator[World]:
    options = WebhookOptions(allow_private=True)
    async with Uploading.on(database, tmp_path, clock, imaging_engine) as uploading:
        webhooks = WebhookService(
            database, Sender(timedelta(seconds=1), allow_private=True), EVENT_TYPES, options, clock
        )
        things = {each.require_user(): await _give(uploading, webhooks, each) for each in (ANA, BEN)}
        parts = uploading.library
        yield World(things, database, parts.images, parts.galleries, uploading.service, webhooks, clock)


async def _give(uploading: Uploading, webhooks: WebhookService, owner: Principal) -> Things:
    library, owner_id = uploading.library, owner.require_user()
    gallery = await library.galleries.create(owner, name="Lisbon")
    images = {}
    for name, sha256 in CONTENTS.items():
        image = images[name] = evolve(make_image(owner_id), sha256=sha256, phash=None)
        await library.add_image(image, gallery.id)
        async with library.database.transaction() as connection:
            await lookalike_records.note(connection, owner_id, image.id, LOOKS[name])
    await library.images.trash.put(owner, images["trashed"].id)
    session = await uploading.service.create(owner, filename="a.jpg", content_type="image/jpeg", size=SIZE)
    webhook = await webhooks.create(owner, url="http://127.0.0.1/hook")
    tram, copy, near, trashed = images.values()
    return Things(tram.id, tram.original_key, copy.id, near.id, trashed.id, gallery.id, session.id, webhook.webhook.id)


# --- what may be asked ----------------------------------------------------------------------------------------

Question = Callable[[World, Principal], Awaitable[object]]


def _ids(found: Iterable[Image | Gallery | UploadSession | Webhook]) -> list[UUID]:
    return sorted(each.id for each in found)


async def library(world: World, asks: Principal) -> object:
    return _ids((await world.images.library.list(asks)).items)


async def library_by_time_taken(world: World, asks: Principal) -> object:
    return _ids((await world.images.library.list(asks, order="taken_at")).items)


async def timeline(world: World, asks: Principal) -> object:
    return sum(month.count for month in await world.images.library.timeline(asks))


async def month(world: World, asks: Principal) -> object:
    return sorted((await world.images.library.month(asks, f"{START:%Y-%m}")).ids)


async def trash(world: World, asks: Principal) -> object:
    return _ids((await world.images.trash.list(asks)).items)


async def known_files(world: World, asks: Principal) -> object:
    return sorted(known.image_id for known in await world.images.duplicates.check(asks, list(CONTENTS.values())))


async def content(world: World, asks: Principal) -> object:
    return await world.images.find_by_content(asks, CONTENTS["tram"])


async def lookalikes(world: World, asks: Principal) -> object:
    page = await world.images.duplicates.list(asks)
    return sorted({image.id for each in page.items for image in (each.image, *(other.image for other in each.others))})


async def pairs(world: World, asks: Principal) -> object:
    async with world.database.connection() as connection:
        found = await duplicate_records.list_pairs(connection, asks.require_user(), LAST_ID, 100)
    return sorted(image_id for one, others in found for image_id in (one, *(other.image_id for other in others)))


async def images_of_pairs(world: World, asks: Principal) -> object:
    every = [things.tram for things in world.things.values()]
    async with world.database.connection() as connection:
        return [*await duplicate_records.images(connection, asks.require_user(), every)]


async def marked_lookalikes(world: World, asks: Principal) -> object:
    marked = "SELECT image_id FROM lookalikes WHERE owner_id = $1 ORDER BY image_id"
    async with world.database.connection() as connection:
        return [row["image_id"] for row in await connection.fetch(marked, asks.require_user())]


async def galleries(world: World, asks: Principal) -> object:
    return _ids((await world.galleries.list(asks, view="own")).items)


async def gallery_by_name(world: World, asks: Principal) -> object:
    found = await world.galleries.find_by_name(asks, "Lisbon")
    return found and found.id


async def open_uploads(world: World, asks: Principal) -> object:
    return _ids((await world.uploads.list(asks)).items)


async def room(world: World, asks: Principal) -> object:
    room = await world.uploads.room(asks)
    return room.awaited, room.open


async def webhooks(world: World, asks: Principal) -> object:
    return _ids(await world.webhooks.list(asks))


async def webhooks_to_call(world: World, asks: Principal) -> object:
    async with world.database.connection() as connection:
        return _ids(await webhook_records.list_active(connection, [asks.require_user()]))


async def events(world: World, asks: Principal) -> object:
    """How many: those of what this owner did, which is what the other did, too."""
    async with world.database.transaction() as connection:
        last = (await event_records.number(connection)).last
        return len((await event_records.between_for(connection, EVENT_TYPES, asks.require_user(), 0, last, 100)).events)


async def original(world: World, asks: Principal) -> object:
    async with world.database.connection() as connection:
        found = await original_records.find(connection, asks.require_user(), TRAM_SIZE, CONTENTS["tram"])
    return found and found.key


async def image_of_content(world: World, asks: Principal) -> object:
    async with world.database.transaction() as connection:
        return await original_records.hold_image(connection, asks.require_user(), CONTENTS["tram"])


async def images_for_the_trash(world: World, asks: Principal) -> object:
    every = [image for things in world.things.values() for image in (things.tram, things.trashed)]
    async with world.database.transaction() as connection:
        return sorted(await trash_records.lock(connection, asks.require_user(), every))


async def owner(world: World, asks: Principal) -> object:
    async with world.database.connection() as connection:
        found = await owner_records.get(connection, asks.require_user())
    return found is not None and found.owner_id == asks.user_id


async def held_room(world: World, asks: Principal) -> object:
    async with world.database.transaction() as connection:
        room = await upload_records.hold_room(connection, asks.require_user(), now=world.clock())
        return room.awaited, room.open


async def counted_webhooks(world: World, asks: Principal) -> object:
    async with world.database.transaction() as connection:
        return await webhook_records.count_held(connection, asks.require_user())


QUESTIONS: Mapping[Question, Callable[[Things], object]] = {
    library: lambda own: sorted((own.tram, own.copy, own.near)),
    library_by_time_taken: lambda own: sorted((own.tram, own.copy, own.near)),
    timeline: lambda own: 3,
    month: lambda own: sorted((own.tram, own.copy, own.near)),
    trash: lambda own: [own.trashed],
    known_files: lambda own: sorted((own.tram, own.copy, own.near, own.trashed)),
    pairs: lambda own: sorted((own.near, own.copy, own.tram, own.copy, own.tram)),
    images_of_pairs: lambda own: [own.tram],
    marked_lookalikes: lambda own: sorted((own.tram, own.copy, own.near, own.trashed)),
    content: lambda own: own.tram,
    lookalikes: lambda own: sorted((own.tram, own.copy, own.near)),
    galleries: lambda own: [own.gallery],
    gallery_by_name: lambda own: own.gallery,
    open_uploads: lambda own: [own.session],
    room: lambda own: (SIZE, 1),
    webhooks: lambda own: [own.webhook],
    webhooks_to_call: lambda own: [own.webhook],
    events: lambda own: EVENTS,
    original: lambda own: own.original,
    image_of_content: lambda own: own.tram,
    images_for_the_trash: lambda own: sorted((own.tram, own.trashed)),
    owner: lambda own: True,
    held_room: lambda own: (SIZE, 1),
    counted_webhooks: lambda own: 1,
}


async def test_everybody_sees_what_is_theirs(world: World) -> None:
    for owner, own in world.things.items():
        asks = Principal.user(owner)
        seen = {question.__name__: await question(world, asks) for question in QUESTIONS}
        assert seen == {question.__name__: answer(own) for question, answer in QUESTIONS.items()}


async def test_a_visitor_has_nothing_to_see(world: World) -> None:
    for question in QUESTIONS:
        with pytest.raises(Unauthenticated):
            await question(world, VISITOR)


async def hashes(world: World, asks: Principal) -> tuple[int, int, int]:
    """How many rows there are about what the owner's images look like."""
    tables = ("phash_buckets", "phash_neighbours", "lookalikes")
    counts = ", ".join(f"(SELECT count(*) FROM {table} WHERE owner_id = $1)" for table in tables)
    async with world.database.connection() as connection:
        return tuple(*await connection.fetch(f"SELECT {counts}", asks.require_user()))


async def test_what_one_deletes_the_other_still_has(world: World) -> None:
    bens, anas = await hashes(world, BEN), world.things["ana"]
    assert all(bens)
    for image in (anas.tram, anas.copy, anas.near):
        await world.images.trash.put(ANA, image)
    for image in (anas.tram, anas.copy, anas.near, anas.trashed):
        await world.images.trash.purge(ANA, image)
    assert (await hashes(world, ANA), await hashes(world, BEN)) == ((0, 0, 0), bens)
    assert await pairs(world, BEN) == QUESTIONS[pairs](world.things["ben"])
    async with world.database.transaction() as connection:
        assert await image_records.recount_storage(connection, "ana") == 0
    assert (await world.uploads.room(ANA)).used == 0
    assert (await world.uploads.room(BEN)).used == len(CONTENTS) * IMAGE_SIZE


# --- what may be done -----------------------------------------------------------------------------------------

Change = Callable[[World, Principal, Things], Awaitable[object]]

CHANGES: Mapping[str, Change] = {
    "see an image": lambda world, who, own: world.images.get(who, own.tram),
    "change an image": lambda world, who, own: world.images.update(who, own.tram, alt_text="x"),
    "download an image": lambda world, who, own: world.images.download_url(who, own.tram),
    "delete an image": lambda world, who, own: world.images.trash.put(who, own.tram),
    "restore an image": lambda world, who, own: world.images.trash.restore(who, own.trashed),
    "purge an image": lambda world, who, own: world.images.trash.purge(who, own.trashed),
    "keep both": lambda world, who, own: world.images.duplicates.dismiss(who, own.tram, own.copy),
    "see a gallery": lambda world, who, own: world.galleries.get(who, own.gallery),
    "list a gallery": lambda world, who, own: world.galleries.list_images(who, own.gallery),
    "change a gallery": lambda world, who, own: world.galleries.update(who, own.gallery, name="x"),
    "delete a gallery": lambda world, who, own: world.galleries.delete(who, own.gallery),
    "add images": lambda world, who, own: world.galleries.add_images(who, own.gallery, [own.tram]),
    "remove images": lambda world, who, own: world.galleries.remove_images(who, own.gallery, [own.tram]),
    "see an upload": lambda world, who, own: world.uploads.get(who, own.session),
    "cancel an upload": lambda world, who, own: world.uploads.cancel(who, own.session),
    "complete an upload": lambda world, who, own: world.uploads.complete(who, own.session),
    "see a webhook": lambda world, who, own: world.webhooks.get(who, own.webhook),
    "enable a webhook": lambda world, who, own: world.webhooks.enable(who, own.webhook),
    "delete a webhook": lambda world, who, own: world.webhooks.delete(who, own.webhook),
}

# A visitor may see what is public, and is not told that this is not.
ONLY_LOOKS = {"see an image", "see a gallery", "list a gallery"}


async def refusal(change: Change, world: World, who: Principal) -> type[Exception] | None:
    """What Ana's things answer."""
    try:
        await change(world, who, world.things["ana"])
    except ImageGalleryError as error:
        return type(error)
    return None


async def test_nobody_does_anything_to_what_is_anothers(world: World) -> None:
    refusals = {name: await refusal(change, world, BEN) for name, change in CHANGES.items()}
    assert refusals == dict.fromkeys(CHANGES, NotFound)
    refusals = {name: await refusal(change, world, VISITOR) for name, change in CHANGES.items()}
    assert refusals == {name: NotFound if name in ONLY_LOOKS else Unauthenticated for name in CHANGES}
    assert await library(world, ANA) == QUESTIONS[library](world.things["ana"])


async def test_a_batch_leaves_out_what_is_anothers(world: World) -> None:
    theirs = world.things["ana"]
    for action, image in (("trash", theirs.tram), ("restore", theirs.trashed)):
        (result,) = await world.images.batches.run(BEN, action, [image])  # type: ignore[arg-type]
        assert result.error == "not_found"
    assert await trash(world, ANA) == [theirs.trashed]
