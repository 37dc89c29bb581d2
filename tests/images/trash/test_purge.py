"""After a deletion: the objects go, exactly those of the image."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from attrs import evolve
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image

from imagegallery.database.pool import Database
from imagegallery.ids import new_id
from imagegallery.images.jobs import purge_objects, read_purge
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.queue.job import ClaimedJob, NewJob, Payload
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[FilesystemStore]:
    async with FilesystemStore(tmp_path, UrlSigner(b"a secret for these tests only", clock), clock) as store:
        yield store


async def put(store: FilesystemStore, *keys: str) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"bytes"

    for key in keys:
        await store.put(key, content(), content_type="image/webp")


async def keys_in(store: FilesystemStore) -> set[str]:
    return {found.key async for found in store.list()}


def claimed(job: NewJob, clock: ManualClock) -> ClaimedJob:
    return ClaimedJob(new_id(), job.kind, job.payload, 1, new_id(), clock(), clock())


async def test_recorded_and_unrecorded_objects_go_and_others_stay(
    database: Database, store: FilesystemStore, clock: ManualClock
) -> None:
    image, neighbour = make_image(), make_image()
    stray = f"{image.key_prefix}large-new.avif"
    kept = {neighbour.original_key, *(variant.key for variant in neighbour.variants)}
    await put(store, image.original_key, *(variant.key for variant in image.variants), stray, *kept)

    await PurgeObjects(database, store).run(claimed(purge_objects(image), clock))

    assert await keys_in(store) == kept


async def test_a_purge_may_be_repeated_and_find_nothing(
    database: Database, store: FilesystemStore, clock: ManualClock
) -> None:
    job = claimed(purge_objects(make_image()), clock)

    await PurgeObjects(database, store).run(job)
    await PurgeObjects(database, store).run(job)

    assert await keys_in(store) == set()


def payload(prefix: str, image_id: UUID, keys: str) -> Payload:
    return {"image_id": str(image_id), "key_prefix": prefix, "keys": keys}


def test_a_purge_reaches_one_image_and_no_further() -> None:
    image = make_image()
    other = make_image()
    prefix = image.key_prefix

    assert read_purge(payload(prefix, image.id, image.original_key)).keys == (image.original_key,)
    for bad in (
        payload("", image.id, image.original_key),
        payload("library/images/", image.id, image.original_key),
        payload(prefix.removesuffix("/"), image.id, image.original_key),
        payload(prefix, other.id, image.original_key),
        payload(prefix, image.id, f"{image.original_key}\n{other.original_key}"),
        payload(prefix, image.id, "\n"),
    ):
        with pytest.raises(ValueError, match="one image's objects"):
            read_purge(bad)


def test_all_keys_of_an_image_are_in_its_purge() -> None:
    image = make_image()

    purge = read_purge(purge_objects(evolve(image, variants=image.variants[:1])).payload)

    assert purge.prefix == image.key_prefix
    assert purge.keys == (image.variants[0].key,)
    assert purge.original == image.original_key


@pytest.mark.parametrize("elsewhere", ["incoming/1", "library/images/1/large-0.webp", "../original.jpg", ""])
def test_an_original_elsewhere_is_one_or_is_not_deleted(elsewhere: str) -> None:
    job = purge_objects(make_image())

    assert read_purge(purge_objects(make_image(), with_original=False).payload).original is None
    with pytest.raises(ValueError, match="one image's objects"):
        read_purge({**job.payload, "original": elsewhere})


async def test_an_original_that_another_image_shares_stays(
    library: Library, store: FilesystemStore, clock: ManualClock
) -> None:
    gone = make_image()
    heir = await library.add_image(evolve(make_image(), original_key=gone.original_key))
    await put(store, gone.original_key, *(variant.key for variant in (*gone.variants, *heir.variants)))

    await PurgeObjects(library.database, store).run(claimed(purge_objects(gone), clock))

    assert await keys_in(store) == {gone.original_key, *(variant.key for variant in heir.variants)}
