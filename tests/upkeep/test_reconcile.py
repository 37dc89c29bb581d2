"""A gallery that is damaged on purpose: each damage is found, repaired, and then gone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from attrs import define
from tests.support.clock import ManualClock
from tests.support.studio import Studio, picture
from tests.support.upkeep import upkeep_of
from tests.support.uploads import Uploading

from imagegallery.database.pool import Database
from imagegallery.galleries.checks import WRONG_IMAGE_COUNT
from imagegallery.images.image.image import Image
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.owners.checks import WRONG_STORAGE_USED
from imagegallery.principal import Principal
from imagegallery.reconciliation import strays, sums
from imagegallery.reconciliation.finding import Finding, Kind, RepairOutcome
from imagegallery.storage.keys import incoming_key
from imagegallery.storage.streams import bytes_chunks
from imagegallery.upkeep.service import GRACE, UpkeepService
from imagegallery.uploads.checks import STRAY_UPLOAD
from imagegallery.variants import checks
from imagegallery.variants.checks import MISSING_ORIGINAL, MISSING_VARIANT, STRAY_OBJECT
from imagegallery.variants.jobs import process_later

PHOTO = picture(200, 150)
TICK = timedelta(seconds=1)
ANA = Principal.user("ana")


@define
class House:
    """A gallery with one processed image in it, and its upkeep."""

    studio: Studio
    upkeep: UpkeepService
    image: Image
    gallery_id: str

    async def reconcile(self, *, repair: bool = False) -> list[Finding]:
        phases = self.upkeep.reconciliation()
        return [finding for phase in phases async for step in phase.run(repair=repair) for finding in step.findings]

    async def put(self, key: str) -> None:
        await self.studio.store.put(key, bytes_chunks(b"lost property"), content_type="image/webp")

    async def execute(self, statement: str, *arguments: object) -> None:
        async with self.studio.library.database.connection() as connection:
            await connection.execute(statement, *arguments)

    async def keys(self) -> set[str]:
        return {info.key async for info in self.studio.store.list()}

    async def recorded(self) -> set[str]:
        return {variant.key for variant in (await self.studio.image(self.image.id)).variants}

    async def work(self) -> None:
        """Do all the jobs there are."""
        while kinds := await self.studio.waiting():
            self.studio.clock.advance(GRACE)
            await self.studio.run(kinds[0])


@pytest.fixture
async def house(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[House]:
    async with Studio.open(database, clock, tmp_path, imaging_engine) as studio:
        uploaded = await studio.upload(PHOTO, 200, 150)
        await studio.run("image.process")
        await studio.run("image.process_later")
        upkeep = upkeep_of(database, studio.store, studio.library.queue, clock)
        house = House(studio, upkeep, await studio.image(uploaded.id), "")
        async with database.connection() as connection:
            house.gallery_id = str(
                await connection.fetchval(
                    "INSERT INTO galleries (id, owner_id, name, visibility, created_at, updated_at)"
                    " VALUES (gen_random_uuid(), 'ana', 'Lisbon', 'public', $1, $1) RETURNING id",
                    clock(),
                )
            )
        clock.advance(GRACE + TICK)
        yield house


async def a_stray_upload(house: House) -> str:
    key = incoming_key(uuid4())
    await house.put(key)
    return key


async def a_stray_variant(house: House) -> str:
    key = f"{house.image.key_prefix}small-aaaaaaaaaaaaaaaa.webp"
    await house.put(key)
    return key


async def an_object_of_no_image(house: House) -> str:
    key = f"library/images/{uuid4()}/original.jpg"
    await house.put(key)
    return key


async def an_object_where_images_lay_before(house: House) -> str:
    key = f"galleries/{uuid4()}/images/{uuid4()}/original.jpg"
    await house.put(key)
    return key


async def an_object_in_no_folder_of_ours(house: House) -> str:
    key = "library/images/notes.txt"
    await house.put(key)
    return key


async def a_lost_variant(house: House) -> str:
    key = house.image.variants[0].key
    await house.studio.store.delete(key)
    return key


async def a_wrong_count(house: House) -> str:
    await house.execute("UPDATE galleries SET image_count = 7")
    return house.gallery_id


async def a_sum_too_high(house: House) -> str:
    await house.execute("UPDATE owners SET storage_used = storage_used + 1")
    return "ana"


async def a_sum_that_is_not_there(house: House) -> str:
    await house.execute("DELETE FROM owners")
    return "ana"


async def a_sum_of_nothing(house: House) -> str:
    await house.execute("INSERT INTO owners (owner_id, storage_used) VALUES ('zoe', 5)")
    return "zoe"


DAMAGES: list[tuple[Callable[[House], Awaitable[str]], Kind]] = [
    (a_stray_upload, STRAY_UPLOAD),
    (a_stray_variant, STRAY_OBJECT),
    (an_object_of_no_image, STRAY_OBJECT),
    (an_object_where_images_lay_before, STRAY_OBJECT),
    (an_object_in_no_folder_of_ours, STRAY_OBJECT),
    (a_lost_variant, MISSING_VARIANT),
    (a_wrong_count, WRONG_IMAGE_COUNT),
    (a_sum_too_high, WRONG_STORAGE_USED),
    (a_sum_that_is_not_there, WRONG_STORAGE_USED),
    (a_sum_of_nothing, WRONG_STORAGE_USED),
]


@pytest.mark.parametrize(("damage", "kind"), DAMAGES, ids=lambda each: getattr(each, "__name__", ""))
async def test_each_damage_is_found_repaired_and_gone(
    house: House, damage: Callable[[House], Awaitable[str]], kind: Kind
) -> None:
    subject = await damage(house)
    house.studio.clock.advance(GRACE + TICK)
    damaged = await house.keys()

    for _ in range(2):  # looking changes nothing
        (found,) = await house.reconcile()
        assert (found.kind, found.subject, found.outcome) == (kind, subject, RepairOutcome.FOUND)
    assert await house.keys() == damaged
    assert await house.studio.waiting() == []

    (repaired,) = await house.reconcile(repair=True)
    assert (repaired.kind, repaired.subject, repaired.outcome) == (kind, subject, RepairOutcome.REPAIRED)
    await house.work()
    assert await house.reconcile() == []
    assert await house.recorded() == {each.key for each in house.image.variants}
    assert await house.keys() == {house.image.original_key, *await house.recorded()}


async def test_all_at_once_in_small_steps(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (checks, strays, sums):
        monkeypatch.setattr(module, "BATCH", 1)
    wrong = [damage for damage in DAMAGES if damage[0] not in (a_sum_too_high,)]
    subjects = {await damage(house) for damage, _ in wrong}
    house.studio.clock.advance(GRACE + TICK)
    assert {found.subject for found in await house.reconcile()} == subjects
    assert {found.outcome for found in await house.reconcile(repair=True)} == {RepairOutcome.REPAIRED}
    await house.work()
    assert await house.reconcile() == []


async def test_a_gallery_in_order_is_found_so(house: House) -> None:
    assert await house.reconcile() == []
    assert await house.reconcile(repair=True) == []


async def test_the_trash_is_in_order_too(house: House) -> None:
    library = house.studio.library
    await library.galleries.add_images(ANA, UUID(house.gallery_id), [house.image.id])
    await library.images.delete(ANA, house.image.id)
    assert await house.reconcile(repair=True) == []


async def test_what_is_young_is_left_to_those_who_are_at_it(house: House) -> None:
    keys = {await a_stray_upload(house), await a_stray_variant(house), await an_object_of_no_image(house)}
    house.studio.clock.advance(GRACE)
    assert await house.reconcile(repair=True) == []
    assert keys < await house.keys()


async def test_objects_of_an_image_that_a_worker_will_be_at_are_passed_over(house: House) -> None:
    key = await a_stray_variant(house)
    house.studio.clock.advance(GRACE + TICK)
    await house.studio.enqueue(process_later(house.image))
    (found,) = await house.reconcile(repair=True)
    assert (found.outcome, found.remains) == (RepairOutcome.PASSED, False)
    assert key in await house.keys()


async def test_many_are_repaired_in_few_transactions_and_one_in_use_is_passed_over(
    house: House, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "REPAIRED_AT_ONCE", 10)
    in_use = await a_stray_variant(house)
    lost = {await an_object_of_no_image(house) for _ in range(24)}
    house.studio.clock.advance(GRACE + TICK)
    await house.studio.enqueue(process_later(house.image))
    before = database.commits
    findings = await house.reconcile(repair=True)
    assert database.commits - before == 3
    assert {found.subject for found in findings if found.outcome is RepairOutcome.REPAIRED} == lost
    assert {found.subject for found in findings if found.outcome is RepairOutcome.PASSED} == {in_use}
    assert not lost & await house.keys()


async def test_objects_of_others_are_theirs(house: House) -> None:
    await house.put("backups/2026.tar")
    house.studio.clock.advance(GRACE + TICK)
    assert await house.reconcile(repair=True) == []
    assert "backups/2026.tar" in await house.keys()


async def test_an_original_that_is_lost_is_beyond_repair_and_costs_no_row(house: House) -> None:
    await house.studio.store.delete(house.image.original_key)
    lost = await a_lost_variant(house)
    findings = await house.reconcile(repair=True)
    assert [(each.kind, each.subject) for each in findings] == [
        (MISSING_ORIGINAL, house.image.original_key),
        (MISSING_VARIANT, lost),
    ]
    assert {each.outcome for each in findings} == {RepairOutcome.BEYOND_REPAIR}
    assert await house.recorded() == {each.key for each in house.image.variants}
    assert await house.studio.waiting() == []


async def test_a_store_that_is_not_mounted_costs_nothing(house: House) -> None:
    for key in await house.keys():
        await house.studio.store.delete(key)
    findings = await house.reconcile(repair=True)
    assert {each.outcome for each in findings} == {RepairOutcome.BEYOND_REPAIR}
    assert await house.recorded() == {each.key for each in house.image.variants}


async def test_an_upload_on_its_way_is_no_stray(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> None:
    """Neither where its bytes arrive nor where a completion that was cut short has moved them."""
    async with Uploading.on(database, tmp_path, clock, imaging_engine) as uploading:
        store = uploading.library.store
        moved, arrived = await uploading.uploaded(PHOTO), await uploading.uploaded(PHOTO)
        etag = (await store.head(moved.incoming_key)).etag
        await store.promote(moved.incoming_key, moved.original_key, etag=etag, content_type="image/jpeg")
        upkeep = upkeep_of(database, store, uploading.library.queue, clock)
        clock.advance(timedelta(minutes=59))
        for phase in upkeep.reconciliation(grace=timedelta(minutes=1)):
            assert [step.findings async for step in phase.run(repair=True) if step.findings] == []
        assert await uploading.objects() == sorted([moved.original_key, arrived.incoming_key])


def test_a_finding_is_one_line_with_what_is_to_be_done() -> None:
    line = str(Finding(STRAY_OBJECT, "galleries/x", "5 bytes that no row names"))
    assert line == "stray object galleries/x: 5 bytes that no row names (to repair: delete the object)"


async def test_an_original_that_images_share_is_no_stray_and_counts_once(house: House) -> None:
    """It lies in the folder of an image that is gone."""
    library = house.studio.library
    heir = await house.studio.upload(PHOTO, 200, 150)
    await house.studio.run("image.process")
    await house.studio.store.delete(heir.original_key)
    await house.execute("UPDATE images SET original_key = $1 WHERE id = $2", house.image.original_key, heir.id)
    await house.execute("UPDATE owners SET storage_used = $1", len(PHOTO))
    assert await house.reconcile() == []

    await library.images.delete(ANA, house.image.id)
    await library.images.trash.purge(ANA, house.image.id)
    job = await house.studio.claim("image.purge")
    await PurgeObjects(library.database, house.studio.store).run(job)

    assert await house.reconcile() == []
    assert house.image.original_key in await house.keys()
    await house.execute("UPDATE owners SET storage_used = 1")
    (finding,) = await house.reconcile(repair=True)
    assert (finding.kind, finding.outcome) == (WRONG_STORAGE_USED, RepairOutcome.REPAIRED)
    assert await house.reconcile() == []
