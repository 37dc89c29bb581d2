"""Erasures: nothing is left but a receipt, and nothing of anybody else is gone."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.privacy.conftest import ANA, BEN, Things, things_of
from tests.privacy.scan import found_in_database, found_in_store, tables
from tests.support.clock import ManualClock
from tests.support.photographs import photograph

from imagegallery import Conflict, Event, ImageGallery, NotFound, Principal, Unauthenticated
from imagegallery.audit.entry import Act
from imagegallery.contributions.events import GuestUploaded
from imagegallery.gallery import FEATURES
from imagegallery.ids import new_id
from imagegallery.privacy.erasure import ErasureState
from imagegallery.privacy.events import OwnerErased
from imagegallery.sharing.events import ShareJoined

GRACE = timedelta(days=14)
NOBODYS = {
    "erasures": "the receipt, which names nobody in the end",
    "event_cursors": "how far consumers are",
    "event_log": "how far the log is",
    "schema_migrations": "the schema",
    "periodic_tasks": "when they ran",
    "share_salts": "random numbers, each for a day",
}


async def rows(gallery: ImageGallery, sql: str, *arguments: object) -> Sequence[tuple[Any, ...]]:
    async with gallery._resources.database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(sql, *arguments)]


async def execute(gallery: ImageGallery, sql: str, *arguments: object) -> None:
    async with gallery._resources.database.transaction() as connection:
        await connection.execute(sql, *arguments)


async def test_every_table_is_declared_or_nobodys(gallery: ImageGallery) -> None:
    async with gallery._resources.database.connection() as connection:
        there = set(await tables(connection))
    declared = {holding.table for feature in FEATURES for holding in feature.holdings}
    assert there - declared - set(NOBODYS) == set(), (
        "say in a Holding of the feature whose rows these are, or above why they are nobody's"
    )
    assert set(NOBODYS) <= there
    assert declared <= there
    names = [holding.known_as for feature in FEATURES for holding in feature.holdings if holding.is_told]
    assert len(names) == len(set(names)), "two files of an archive would have one name"


SHARES = """
INSERT INTO shares (id, owner_id, permissions, metadata, download, note, created_at, updated_at)
VALUES ($1, $2, 1, 1, 0, 'for the family of ana-1984', now(), now())"""
RECIPIENTS = """
INSERT INTO share_recipients (id, share_id, kind, name, created_at) VALUES ($1, $2, $3, $4, now())"""


POLICY = """
INSERT INTO policy_versions (number, rules, changed_by, why, created_at)
VALUES (1, '{}', 'ana-1984', '', now())"""
ADDED = "UPDATE images SET added_by = $2, added_by_name = $3 WHERE id = $1"
CONTRIBUTED = """
INSERT INTO contributions (image_id, owner_id, added_by, size, state, arrived_at)
VALUES ($1, $2, $3, 1, 'pending', now())"""
KEYS = "SELECT original_key FROM images UNION SELECT key FROM image_variants"


async def shared(gallery: ImageGallery, owner: Principal, kind: str, name: str) -> UUID:
    share_id = new_id()
    await execute(gallery, SHARES, share_id, owner.user_id)
    await execute(gallery, "INSERT INTO share_targets (share_id, owner_id) VALUES ($1, $2)", share_id, owner.user_id)
    await execute(gallery, RECIPIENTS, new_id(), share_id, kind, name)
    return share_id


async def test_nothing_is_left_but_the_receipt(gallery: ImageGallery, clock: ManualClock) -> None:
    hers, his = await things_of(gallery, ANA), await things_of(gallery, BEN)
    me = Principal(ANA.user_id, emails=frozenset({"ana@example.org"}))
    await gallery.webhooks.create(ANA, url="http://127.0.0.1:9/ana-hook")
    await gallery.uploads.create(ANA, filename="half-sent.jpg", content_type="image/jpeg", size=1000)
    await gallery.uploads.stage(ANA, photograph(40, 40), filename="staged.jpg")
    await shared(gallery, ANA, "user", "ben-1990")
    await execute(gallery, "UPDATE shares SET note = 'ben to ana'")
    await shared(gallery, BEN, "user", "ana-1984")
    await shared(gallery, BEN, "email", "ana@example.org")
    await execute(gallery, "UPDATE shares SET note = '' WHERE owner_id = 'ben-1990'")
    await execute(
        gallery,
        POLICY,
    )
    async with gallery._resources.database.transaction() as connection:
        added = GuestUploaded("ben-1990", his.bike.id, "user:ana-1984", "ana-1984", gallery_id=his.album.id)
        await gallery.events.record(connection, ShareJoined("ben-1990", new_id(), "ana-1984"), added)
    await execute(gallery, ADDED, his.bike.id, "user:ana-1984", "ana-1984")
    await execute(gallery, CONTRIBUTED, his.bike.id, "ben-1990", "user:ana-1984")
    await execute(gallery, ADDED, hers.bike.id, "user:ben-1990", "Ben")
    await execute(gallery, CONTRIBUTED, hers.bike.id, "ana-1984", "user:ben-1990")
    await execute(gallery, "UPDATE images SET deleted_at = 'infinity' WHERE id = $1", hers.bike.id)
    async with gallery.eager():
        await gallery.exports.request(ANA)
    secrets = ["ana-1984", "ana@example.org", "ana-hook", "half-sent", "staged.jpg", *map(str, _ids_of(hers))]
    assert len({each.split(":")[0] for each in await found_in_database(gallery._resources.database, secrets)}) > 15

    requested = await gallery.erasures.request(me)
    clock.advance(GRACE)
    await settle(gallery, clock, gallery.settings.privacy.tombstone_time / 2)

    (receipt,) = [each async for each in gallery.erasures.all()]
    assert (receipt.id, receipt.state, receipt.owner_id) == (requested.id, ErasureState.ERASED, None)
    assert (receipt.counts["images"], receipt.counts["galleries"], receipt.counts["webhooks"]) == (3, 1, 1)
    assert await found_in_database(gallery._resources.database, secrets) == set()
    assert await found_in_store(gallery, [secret.encode() for secret in secrets]) == set()
    keys = {found.key async for found in gallery.server.store.list("")}
    assert keys == {key for (key,) in await rows(gallery, KEYS)}
    listed = await gallery.galleries.list_images(BEN, his.album.id)
    assert [image.id for image in listed.items] == [his.tram.id, his.bike.id]
    assert await rows(gallery, "SELECT count(*) FROM shares WHERE owner_id = 'ben-1990'") == [(2,)]
    assert await rows(gallery, "SELECT act, subject FROM audit_entries WHERE owner_id IS NULL") == [
        (Act.OWNER_ERASED.value, str(requested.id))
    ]
    with pytest.raises(NotFound):
        await gallery.erasures.get(ANA)


def _ids_of(things: Things) -> list[UUID]:
    return [things.album.id, things.tram.id, things.bike.id, things.trashed.id]


async def settle(gallery: ImageGallery, clock: ManualClock, step: timedelta = timedelta(minutes=20)) -> None:
    """Let time pass, and do what is due then."""
    for _ in range(4):
        clock.advance(step)
        async with gallery.eager():
            await execute(gallery, "SELECT 1")


async def test_all_is_closed_at_once_and_open_again_if_they_stay(gallery: ImageGallery, clock: ManualClock) -> None:
    things = await things_of(gallery, ANA)
    await shared(gallery, ANA, "user", "ben-1990")
    await gallery.images.get(BEN, things.bike.id)
    first = await gallery.erasures.request(ANA)
    assert await gallery.erasures.request(ANA) == first, "asked again, it is the same"
    assert first.erase_at == clock() + GRACE
    for image in (things.tram, things.bike):
        with pytest.raises(NotFound):
            await gallery.images.get(BEN, image.id)
    with pytest.raises(NotFound):
        await gallery.galleries.get(Principal.anonymous(), things.album.id)
    assert (await gallery.images.get(ANA, things.tram.id)).alt_text == "A yellow tram", "they see it themselves"
    assert await rows(gallery, "SELECT count(*) FROM shares WHERE revoked_at IS NULL") == [(0,)]
    closed = [data["urls"] for (data,) in await rows(gallery, "SELECT data FROM events WHERE type = 'urls.closed'")]
    assert {url.split("/")[-2] for urls in closed for url in urls} == {str(things.tram.id), str(things.bike.id)}

    await gallery.erasures.cancel(ANA)
    await gallery.galleries.get(Principal.anonymous(), things.album.id)
    await gallery.images.get(BEN, things.bike.id)
    assert await rows(gallery, "SELECT count(*) FROM closed_things") == [(0,)]
    await settle(gallery, clock, GRACE)
    assert (await gallery.images.get(ANA, things.tram.id)).id == things.tram.id, "nothing was erased"
    with pytest.raises(NotFound):
        await gallery.erasures.cancel(ANA)


async def test_what_has_begun_cannot_be_taken_back(gallery: ImageGallery, clock: ManualClock) -> None:
    await things_of(gallery, ANA)
    await gallery.erasures.request(ANA)
    await execute(gallery, "UPDATE erasures SET state = 'erasing'")
    with pytest.raises(Conflict):
        await gallery.erasures.cancel(ANA)


async def test_handlers_hear_of_it_before_the_event_is_gone(gallery: ImageGallery, clock: ManualClock) -> None:
    await things_of(gallery, ANA)
    heard: list[Event[OwnerErased]] = []
    gallery.events.on(OwnerErased, name="tests.erased")(heard.append)
    async with gallery.eager():
        requested = await gallery.erasures.request(ANA, grace=timedelta(0))
    await settle(gallery, clock)
    assert [(event.data.owner_id, event.data.erasure_id) for event in heard] == [("ana-1984", requested.id)]
    assert heard[0].data.counts["images"] == 3
    assert await rows(gallery, "SELECT count(*) FROM events") == [(0,)]


async def test_it_waits_for_records_of_the_application(gallery: ImageGallery, clock: ManualClock) -> None:
    things = await things_of(gallery, ANA)
    await execute(gallery, "CREATE TABLE items (image_id uuid REFERENCES images)")
    await execute(gallery, "INSERT INTO items VALUES ($1)", things.tram.id)
    async with gallery.eager():
        await gallery.erasures.request(ANA, grace=timedelta(0))
    assert (await gallery.erasures.get(ANA)).state is ErasureState.ERASING
    await execute(gallery, "DROP TABLE items")
    await settle(gallery, clock)
    assert [each.state async for each in gallery.erasures.all()] == [ErasureState.ERASED]


async def test_visitors_erase_nothing(gallery: ImageGallery) -> None:
    for ask in (gallery.erasures.request, gallery.erasures.get, gallery.erasures.cancel):
        with pytest.raises(Unauthenticated):
            await ask(Principal.anonymous())
