"""Archives of all that is kept of somebody."""

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.privacy.conftest import ANA, BEN, things_of
from tests.support.clock import ManualClock
from tests.support.photographs import photograph

from imagegallery import Conflict, ImageGallery, NotFound, Principal, Unauthenticated
from imagegallery.errors import RateLimited
from imagegallery.ids import new_id
from imagegallery.privacy import export_maker, export_records
from imagegallery.privacy.archive import Archive
from imagegallery.privacy.export import Export, ExportState
from imagegallery.storage.keys import EXPORTS_PREFIX
from imagegallery.storage.protocol import ByteRange
from imagegallery.storage.streams import bytes_chunks


async def bytes_of(archive: Archive, wanted: ByteRange | None = None) -> bytes:
    return b"".join([chunk async for chunk in archive.read(wanted)])


async def exported(gallery: ImageGallery, principal: Principal) -> Export:
    async with gallery.eager():
        requested = await gallery.exports.request(principal)
    export = await gallery.exports.get(principal, requested.id)
    assert export.state is ExportState.READY
    return export


async def stored(gallery: ImageGallery, prefix: str) -> list[str]:
    return [found.key async for found in gallery.server.store.list(prefix)]


async def test_an_archive_has_the_originals_their_sidecars_and_all_rows_of_the_owner(gallery: ImageGallery) -> None:
    things, _ = await things_of(gallery, ANA), await things_of(gallery, BEN)
    export = await exported(gallery, ANA)
    content = await bytes_of(await gallery.exports.archive(ANA, export.id))
    assert len(content) == export.size
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == export.files
        originals = {each.filename: archive.read(each) for each in archive.infolist() if each.filename.endswith("jpg")}
        assert set(originals) == {
            f"images/{things.tram.taken_at:%Y-%m}/tram.{things.tram.id}.jpg",
            f"images/{things.bike.taken_at:%Y-%m}/bike.{things.bike.id}.jpg",
            f"trash/{things.trashed.taken_at:%Y-%m}/blurred.{things.trashed.id}.jpg",
        }
        assert {hashlib.sha256(each).digest() for each in originals.values()} == {
            things.tram.sha256,
            things.bike.sha256,
            things.trashed.sha256,
        }
        assert {f"{name}.xmp" for name in originals} <= set(archive.namelist())
        sidecar = archive.read(f"images/{things.tram.taken_at:%Y-%m}/tram.{things.tram.id}.jpg.xmp").decode()
        assert "A yellow tram" in sidecar
        assert "Galleries|Lisbon holidays" in sidecar
        rows = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.startswith("data/")}
        assert {row["id"] for row in rows["data/images.json"]} == {
            str(each.id) for each in (things.tram, things.bike, things.trashed)
        }
        in_order = [row["image_id"] for row in rows["data/gallery_images.json"]]
        assert in_order == [str(things.tram.id), str(things.bike.id)]
        assert b"ben-1990" not in b"".join(map(archive.read, archive.namelist()))


async def test_an_archive_has_no_secrets(gallery: ImageGallery) -> None:
    made = await gallery.webhooks.create(ANA, url="http://127.0.0.1:9/hook")
    export = await exported(gallery, ANA)
    content = await bytes_of(await gallery.exports.archive(ANA, export.id))
    (row,) = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("data/webhooks.json"))
    assert row["url"] == made.webhook.url
    assert not {"secret", "request_digest"} & set(row)


async def test_any_part_is_the_same_as_of_the_whole(gallery: ImageGallery) -> None:
    await things_of(gallery, ANA)
    export = await exported(gallery, ANA)
    archive = await gallery.exports.archive(ANA, export.id)
    whole = await bytes_of(archive)
    edges = {0, archive.size, export.directory_place or 0, archive.size - 22}
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        for each in read.infolist():
            edges |= {each.header_offset, each.header_offset + 30 + len(each.filename)}
    places = sorted({min(max(edge + near, 0), archive.size) for edge in edges for near in (-1, 0, 1)})
    for start, stop in zip(places, places[3:], strict=False):
        assert await bytes_of(archive, ByteRange(start, stop)) == whole[start:stop], (start, stop)
        assert await bytes_of(archive, ByteRange(start, start)) == b""


async def test_what_is_deleted_meanwhile_stays_in_the_archive_and_goes_with_it(
    gallery: ImageGallery, clock: ManualClock
) -> None:
    things = await things_of(gallery, ANA)
    export = await exported(gallery, ANA)
    archive = await gallery.exports.archive(ANA, export.id)
    before = await bytes_of(archive)
    async with gallery.eager():
        await gallery.images.trash.delete(ANA, things.tram.id)
        await gallery.uploads.add(ANA, photograph(50, 50))
    assert await stored(gallery, things.tram.key_prefix) == [things.tram.original_key]
    assert await bytes_of(archive) == before
    async with gallery.eager():
        await gallery.exports.delete(ANA, export.id)
    assert await stored(gallery, things.tram.key_prefix) == []
    assert await stored(gallery, EXPORTS_PREFIX) == []
    assert len(await stored(gallery, things.bike.key_prefix)) > 1, "what is not deleted stays"
    with pytest.raises(NotFound):
        await gallery.exports.archive(ANA, export.id)


async def test_an_original_that_is_gone_is_named_in_its_place(gallery: ImageGallery) -> None:
    things = await things_of(gallery, ANA)
    await gallery.server.store.delete(things.bike.original_key)
    export = await exported(gallery, ANA)
    content = await bytes_of(await gallery.exports.archive(ANA, export.id))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert [each["image_id"] for each in json.loads(archive.read("lost.json"))] == [str(things.bike.id)]


async def test_an_export_expires(gallery: ImageGallery, clock: ManualClock) -> None:
    export = await exported(gallery, ANA)
    clock.advance(gallery.settings.privacy.export_lifetime)
    with pytest.raises(NotFound):
        await gallery.exports.archive(ANA, export.id)
    assert await gallery.exports.sweep() == 1
    assert await stored(gallery, EXPORTS_PREFIX) == []
    assert await gallery.exports.list(ANA) == []


async def test_there_is_one_at_a_time_and_a_few_a_day(gallery: ImageGallery, clock: ManualClock) -> None:
    first = await gallery.exports.request(ANA)
    assert await gallery.exports.request(ANA) == first
    with pytest.raises(Conflict):
        await gallery.exports.archive(ANA, first.id)
    for _ in range(gallery.settings.privacy.exports_per_day):
        export = await gallery.exports.request(ANA)
        await gallery.exports.delete(ANA, export.id)
    with pytest.raises(RateLimited) as refused:
        await gallery.exports.request(ANA)
    assert refused.value.retry_after == timedelta(days=1).total_seconds()
    assert (await gallery.exports.request(BEN)).owner_id == BEN.user_id
    clock.advance(timedelta(days=1, seconds=1))
    assert (await gallery.exports.request(ANA)).state is ExportState.WAITING


async def test_one_that_is_deleted_while_it_waits_is_not_made(gallery: ImageGallery) -> None:
    export = await gallery.exports.request(ANA)
    async with gallery.eager():
        await gallery.exports.delete(ANA, export.id)
    assert (await gallery.exports.get(ANA, export.id)).state is ExportState.ENDED
    assert await stored(gallery, EXPORTS_PREFIX) == []


async def test_exports_are_their_owners_alone(gallery: ImageGallery) -> None:
    export = await exported(gallery, ANA)
    for ask in (gallery.exports.get, gallery.exports.archive, gallery.exports.delete):
        with pytest.raises(NotFound):
            await ask(BEN, export.id)
        with pytest.raises(Unauthenticated):
            await ask(Principal.anonymous(), export.id)
    assert await gallery.exports.list(BEN) == []


async def test_what_was_read_of_a_large_original_is_not_read_again(
    gallery: ImageGallery, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gallery.eager():
        image = await gallery.uploads.add(ANA, photograph(800, 600))
    monkeypatch.setattr(export_maker, "NOTED_EVERY", 1000)
    monkeypatch.setattr(export_maker, "coalesce", lambda chunks: in_pieces(chunks, 1000))
    note, notes = export_records.note_read, 0
    read: list[ByteRange] = []

    async def noted(*arguments: Any) -> None:
        nonlocal notes
        notes += 1
        if notes == 4:
            raise RuntimeError("The worker fails.")
        await note(*arguments)

    monkeypatch.setattr(export_records, "note_read", noted)
    get = gallery.server.store.get

    def seen(key: str, byte_range: ByteRange | None = None) -> Any:
        if key == image.original_key and byte_range is not None:
            read.append(byte_range)
        return get(key, byte_range)

    monkeypatch.setattr(gallery.server.store, "get", seen)
    async with gallery.eager():
        requested = await gallery.exports.request(ANA)
    assert (await gallery.exports.get(ANA, requested.id)).state is ExportState.READING
    clock.advance(timedelta(minutes=1))
    export = await exported(gallery, ANA)
    assert read == [ByteRange(0, image.file_size), ByteRange(3000, image.file_size)]
    assert (export.id, export.bytes_read) == (requested.id, export.bytes)
    content = await bytes_of(await gallery.exports.archive(ANA, export.id))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None


async def in_pieces(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]


async def test_objects_of_no_open_export_are_strays(gallery: ImageGallery) -> None:
    export = await exported(gallery, ANA)
    stray = f"{EXPORTS_PREFIX}{new_id()}/1"
    await gallery.server.store.put(stray, bytes_chunks(b"left behind"), content_type="text/plain")
    grace = timedelta(days=-10_000)  # files are of now, and this clock stands in the past
    phases = [phase for phase in gallery.upkeep.reconciliation(grace=grace) if phase.name == "exports"]
    found = [each.subject for phase in phases async for step in phase.run(repair=True) for each in step.findings]
    assert found == [stray]
    assert await stored(gallery, stray) == []
    assert len(await bytes_of(await gallery.exports.archive(ANA, export.id))) == export.size
