"""How the service is and what it stores, as administrators see it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.administration.conftest import ADMIN, Service
from tests.support.photographs import photograph

from imagegallery import Forbidden, Principal, Role, Unauthenticated, Unavailable
from imagegallery.administration import storage_records
from imagegallery.administration.storage import Amount, StorageReport, StorageState, StoredImages
from imagegallery.database.connection import Connection
from imagegallery.errors import InvalidCursor
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.streams import bytes_chunks
from imagegallery.upkeep.check import Level

ANA, BEN = Principal.user("ana"), Principal.user("ben")
PICTURE = photograph(80, 60)


async def add(service: Service, who: Principal, seed: int) -> None:
    picture = photograph(80 + seed, 60)
    await service.here.uploads.add(
        who, bytes_chunks(picture), filename="a.jpg", content_type="image/jpeg", size=len(picture)
    )


async def test_a_service_in_order_is_told_part_by_part(service: Service) -> None:
    checks = await service.here.administration.health(ADMIN)
    assert [each.name for each in checks] == [
        "database",
        "migrations",
        "clocks",
        "queue",
        "worker",
        "indexes of meta",
        "store",
        "disk",
        "tasks",
    ]
    assert {each.level for each in checks} == {Level.OK}


async def test_a_broken_part_hides_no_other(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> ObjectInfo:
        raise Unavailable("The store does not respond.")

    monkeypatch.setattr(service.here.server.store, "put", broken, raising=False)
    async with service.here._resources.database.connection() as connection:
        await connection.execute("ALTER TABLE schema_migrations DROP COLUMN checksum")
    levels = {each.name: each.level for each in await service.here.administration.health(ADMIN)}
    assert (levels["migrations"], levels["store"], levels["disk"]) == (Level.ERROR, Level.ERROR, Level.OK)


async def test_what_is_stored_is_told_by_state_and_by_day(service: Service) -> None:
    for seed in range(3):
        await add(service, ANA, seed)
    await service.here.uploads.create(BEN, filename="b.jpg", content_type="image/jpeg", size=1234)
    (*_, trashed) = (await service.here.images.library.list(ANA)).items
    await service.here.images.delete(ANA, trashed.id)

    report = await service.here.administration.storage(ADMIN)
    amounts = dict(report.states)
    assert amounts[StorageState.PROCESSING].count == 2
    assert amounts[StorageState.TRASH] == Amount(1, trashed.file_size)
    assert amounts[StorageState.INCOMING] == Amount(1, 1234)
    assert amounts[StorageState.IMAGES] == amounts[StorageState.VARIANTS] == Amount()
    stored = amounts[StorageState.PROCESSING].bytes + trashed.file_size
    assert report.used.bytes == stored
    assert [(each.images, each.bytes) for each in report.growth] == [(3, stored)]
    assert report.growth[0].day == service.here._resources.clock().astimezone(UTC).date()


async def _many(connection: Connection) -> None:
    await connection.execute("""
        INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size,
                            sha256, taken_at, created_at, updated_at)
        SELECT gen_random_uuid(), 'ana', 'p/', 'p/' || n, 'a.jpg', 'image/jpeg', 4, 3, 1000, sha256(n::text::bytea),
               now(), now(), now()
        FROM generate_series(1, 5000) AS n""")


async def test_of_a_large_table_only_some_pages_are_read(service: Service) -> None:
    async with service.here._resources.database.connection() as connection:
        await _many(connection)
        since = datetime.now(UTC) - timedelta(days=30)
        exact = await storage_records.images(connection, since=since)
        found = await storage_records.images(connection, since=since, pages=20)
        plan = "\n".join(
            row[0]
            for row in await connection.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {storage_records.IMAGES}", 10.0, since)
        )
    assert {each.amount for each in exact} == {Amount(5000, 5_000_000)}
    assert all(not each.amount.is_exact for each in found)
    assert all(1_000 < each.amount.count < 25_000 for each in found)
    assert "Sample Scan" in plan


def test_a_part_stands_for_the_whole() -> None:
    assert Amount(10, 500).scaled(0.25) == Amount(40, 2000, is_exact=False)
    assert Amount(10, 500).scaled(1) == Amount(10, 500)
    images = [
        StoredImages(StorageState.TRASH, None, Amount(1, 5)),
        StoredImages(None, date(2026, 11, 30), Amount(2, 9)),
        StoredImages(None, date(2026, 11, 2), Amount(1, 5)),
    ]
    report = StorageReport.of(Amount(3, 14), images, Amount(8, 2), Amount())
    assert [state for state, _ in report.states] == list(StorageState), "every state is told, also of nothing"
    assert dict(report.states)[StorageState.TRASH] == Amount(1, 5)
    assert [each.day.day for each in report.growth] == [2, 30]


async def test_owners_are_listed_with_the_greatest_first(service: Service) -> None:
    async with service.here._resources.database.connection() as connection:
        await connection.execute("INSERT INTO owners VALUES ('a', 5, NULL), ('b', 9, 10), ('c', 5, NULL), ('d', 0, 7)")
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN {storage_records.LARGEST}", 5, "", 10)
        assert "owners_by_storage" in str(plan)
        assert "Sort" not in str(plan)
        await connection.execute("RESET enable_seqscan")
    administration = service.here.administration
    first = await administration.largest_owners(ADMIN, limit=2)
    rest = await administration.largest_owners(ADMIN, limit=2, cursor=first.next_cursor)
    found = [(each.owner_id, each.storage_used, each.storage_limit) for each in (*first.items, *rest.items)]
    assert found == [("b", 9, 10), ("a", 5, None), ("c", 5, None), ("d", 0, 7)]
    assert not rest.has_more
    with pytest.raises(InvalidCursor):
        await administration.largest_owners(ADMIN, cursor="nonsense")


@pytest.mark.parametrize("who", [ANA, Principal.user("mo", role=Role.MODERATOR)])
async def test_only_administrators_see_it(service: Service, who: Principal) -> None:
    administration = service.here.administration
    for act in (administration.health, administration.storage, administration.largest_owners):
        with pytest.raises(Forbidden, match="Only administrators"):
            await act(who)
        with pytest.raises(Unauthenticated):
            await act(Principal.anonymous())
