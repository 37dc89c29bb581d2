"""An upload that goes well: by session, through the service, and in one call."""

import hashlib
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import attrs
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from starlette.datastructures import Headers, UploadFile
from tests.support.uploads import Uploading

from imagegallery.errors import Conflict, EmptyFile, InvalidInput, UploadEnded, UploadIncomplete
from imagegallery.images.image.image import ProcessingStatus
from imagegallery.images.jobs import about
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.uploads.session.session import Transport, UploadState

JOBS = "SELECT kind, payload FROM jobs"


async def test_a_session_says_what_to_send(uploading: Uploading) -> None:
    session = await uploading.service.create(uploading.me, filename="../tram.jpg", content_type="image/jpg", size=1234)
    assert (session.state, session.transport, session.image_id) == (UploadState.PENDING, Transport.SIMPLE, None)
    assert (session.filename, session.content_type, session.size) == ("tram.jpg", "image/jpeg", 1234)
    assert session.expires_at == uploading.clock() + timedelta(hours=1)
    assert session.request is not None
    assert session.request.headers["Content-Type"] == "image/jpeg"
    assert session.incoming_key == f"incoming/{session.id}"


async def test_completing_makes_an_image_of_the_bytes(uploading: Uploading, jpeg: bytes) -> None:
    lisbon = await uploading.gallery()
    digest = hashlib.sha256(jpeg).digest()
    session = await uploading.uploaded(jpeg, gallery_id=lisbon.id, sha256=digest)
    image = await uploading.service.complete(uploading.me, session.id)

    assert (image.width, image.height, image.frames, image.mime_type) == (40, 30, 1, "image/jpeg")
    assert (image.file_size, image.sha256, image.status) == (len(jpeg), digest, ProcessingStatus.PENDING)
    assert image.metadata is not None
    assert image.metadata.make == "Trambahn"
    assert image.taken_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert image.taken_at_source is TakenAtSource.EXIF_ORIGINAL
    assert image.latitude == pytest.approx(38.71)
    assert image.longitude == pytest.approx(-9.14)

    traces = await uploading.traces()
    assert (traces.images, traces.memberships, traces.jobs, traces.counted) == (1, 1, 1, 1)
    assert traces.storage_used == len(jpeg)
    assert traces.objects == (f"library/images/{image.id}/original.jpg",)
    async with uploading.library.store.get(image.original_key) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == jpeg
    async with uploading.library.database.connection() as connection:
        (job,) = await connection.fetch(JOBS)
    assert (job["kind"], job["payload"]) == ("image.process", about(image))
    ended = await uploading.service.get(uploading.me, session.id)
    assert (ended.state, ended.image_id) == (UploadState.COMPLETED, image.id)


async def test_whatever_is_passed_as_a_file_becomes_the_same_image(
    uploading: Uploading, jpeg: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "tram.jpg"
    path.write_bytes(jpeg)
    sent = UploadFile(io.BytesIO(jpeg), filename="tram.jpg", headers=Headers({"content-type": "image/jpeg"}))
    for source in (str(path), path, sent, SimpleUploadedFile("tram.jpg", jpeg), bytearray(jpeg)):
        image = await uploading.service.add(uploading.me, source)
        assert (image.mime_type, image.file_size) == ("image/jpeg", len(jpeg))
        assert image.filename == ("image.jpg" if isinstance(source, bytearray) else "tram.jpg")
    before = await uploading.traces()
    for empty in (b"", SimpleUploadedFile("tram.jpg", b"")):
        with pytest.raises(EmptyFile):
            await uploading.service.add(uploading.me, empty)
    sent.file.read()
    with pytest.raises(InvalidInput, match="seek"):
        await uploading.service.add(uploading.me, sent)
    after = await uploading.traces()
    assert (after.images, after.objects) == (before.images, before.objects)


async def test_keys_tell_no_gallery(uploading: Uploading, jpeg: bytes) -> None:
    """An image may be shown in other galleries, too, and its public URLs are made of its keys."""
    gallery = await uploading.gallery(visibility="public")
    image = await uploading.service.add(uploading.me, jpeg, filename="tram.jpg", gallery_id=gallery.id)
    assert image.key_prefix == f"library/images/{image.id}/"


async def test_completing_again_answers_with_the_same_image(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    first = await uploading.service.complete(uploading.me, session.id)
    before = await uploading.traces()
    assert await uploading.service.complete(uploading.me, session.id) == first
    assert await uploading.traces() == before


async def test_a_picture_without_exif_was_taken_when_its_name_says_or_it_was_uploaded(
    uploading: Uploading, encode: Callable[..., bytes]
) -> None:
    image = await uploading.service.add(uploading.me, encode("PNG"), filename="tram.png")
    assert (image.taken_at, image.latitude) == (uploading.clock(), None)
    assert image.taken_at_source is TakenAtSource.UPLOAD
    named = await uploading.service.add(uploading.me, encode("PNG"), filename="IMG_20120605_140359.png")
    assert named.taken_at == datetime(2012, 6, 5, 14, 3, 59, tzinfo=UTC)
    assert named.taken_at_source is TakenAtSource.FILENAME


@pytest.mark.parametrize(
    ("image_format", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("AVIF", "image/avif"),
    ],
)
async def test_every_type_comes_in_by_its_bytes_alone(
    uploading: Uploading, encode: Callable[..., bytes], image_format: str, content_type: str
) -> None:
    image = await uploading.service.add(uploading.me, encode(image_format))
    assert (image.mime_type, image.width, image.height) == (content_type, 40, 30)
    assert image.filename.startswith("image.")


async def test_one_pixel_is_a_picture(uploading: Uploading, encode: Callable[..., bytes]) -> None:
    image = await uploading.service.add(uploading.me, encode("PNG", (1, 1)))
    assert (image.width, image.height) == (1, 1)


async def test_bytes_may_go_through_the_service(
    uploading: Uploading, jpeg: bytes, slowly: Callable[[bytes, int], AsyncIterator[bytes]]
) -> None:
    remote = uploading.without_files()
    session = await remote.service.create(remote.me, filename="tram.jpg", content_type="image/jpeg", size=len(jpeg))
    assert (session.transport, session.request) == (Transport.SERVICE, None)
    received = await remote.service.server.receive(remote.me, session.id, slowly(jpeg, 100))
    assert received.state is UploadState.UPLOADED
    image = await remote.service.complete(remote.me, session.id)
    assert (image.width, image.height) == (40, 30)
    assert (await uploading.traces()).temporary_files == ()


async def test_bytes_come_once(uploading: Uploading, jpeg: bytes) -> None:
    remote = uploading.without_files()
    session = await remote.service.create(remote.me, filename="a", content_type="image/jpeg", size=len(jpeg))

    async def whole() -> AsyncIterator[bytes]:
        yield jpeg

    async def other() -> AsyncIterator[bytes]:
        yield jpeg[::-1]

    received = await remote.service.server.receive(remote.me, session.id, whole())
    with pytest.raises(Conflict):
        await remote.service.server.receive(remote.me, session.id, other())
    assert await remote.service.server.receive(remote.me, session.id, whole()) == attrs.evolve(
        received, updated_at=(await remote.service.get(remote.me, session.id)).updated_at
    )
    await remote.service.complete(remote.me, session.id)
    assert (await remote.service.server.receive(remote.me, session.id, whole())).image_id == session.future_image_id
    with pytest.raises(UploadEnded):
        await remote.service.server.receive(remote.me, session.id, other())


async def test_a_broken_connection_can_begin_again(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=len(jpeg))

    async def breaking() -> AsyncIterator[bytes]:
        yield jpeg[:100]
        raise ConnectionResetError

    async def whole() -> AsyncIterator[bytes]:
        yield jpeg

    with pytest.raises(ConnectionResetError):
        await uploading.service.server.receive(uploading.me, session.id, breaking())
    assert await uploading.objects() == []
    with pytest.raises(UploadIncomplete):
        await uploading.service.complete(uploading.me, session.id)
    await uploading.service.server.receive(uploading.me, session.id, whole())
    await uploading.service.complete(uploading.me, session.id)


async def test_completing_before_the_bytes_came_leaves_the_session_open(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=len(jpeg))
    with pytest.raises(UploadIncomplete):
        await uploading.service.complete(uploading.me, session.id)
    await uploading.send(session.request, jpeg)
    await uploading.service.complete(uploading.me, session.id)


async def test_a_path_is_added_with_its_name(uploading: Uploading, jpeg: bytes, tmp_path: Path) -> None:
    path = tmp_path / "Straßenbahn 🚋.jpg"
    path.write_bytes(jpeg)
    lisbon = await uploading.gallery()
    image = await uploading.service.add(uploading.me, path, gallery_id=lisbon.id)
    assert (image.filename, image.file_size) == ("Straßenbahn 🚋.jpg", len(jpeg))
    assert (await uploading.library.galleries.get(uploading.me, lisbon.id)).image_count == 1


@pytest.mark.parametrize("chunk", [1, 63, 64, 100_000])
async def test_a_stream_is_added_whatever_its_chunks_and_without_a_size(
    uploading: Uploading, jpeg: bytes, slowly: Callable[[bytes, int], AsyncIterator[bytes]], chunk: int
) -> None:
    image = await uploading.service.add(uploading.me, slowly(jpeg, chunk), filename="tram.jpg")
    assert (image.filename, image.file_size, image.mime_type) == ("tram.jpg", len(jpeg), "image/jpeg")
    assert image.sha256 == hashlib.sha256(jpeg).digest()


async def test_a_type_that_says_nothing_is_found_out(uploading: Uploading, jpeg: bytes) -> None:
    image = await uploading.service.add(uploading.me, jpeg, content_type="application/octet-stream")
    assert image.mime_type == "image/jpeg"


async def test_a_gallery_deleted_meanwhile_leaves_the_image_in_the_library(uploading: Uploading, jpeg: bytes) -> None:
    lisbon = await uploading.gallery()
    session = await uploading.uploaded(jpeg, gallery_id=lisbon.id)
    await uploading.library.galleries.delete(uploading.me, lisbon.id)
    image = await uploading.service.complete(uploading.me, session.id)
    page = await uploading.library.images.library.list(uploading.me)
    assert [each.id for each in page.items] == [image.id]
    assert (await uploading.traces()).memberships == 0


async def test_the_store_takes_what_has_come_while_more_is_coming(uploading: Uploading, jpeg: bytes) -> None:
    sizes: list[int] = []

    def stored_so_far() -> int:
        return sum(path.stat().st_size for path in uploading.directory.glob("objects/.scratch/process-*/*"))

    async def source() -> AsyncIterator[bytes]:
        yield jpeg
        for _ in range(8):
            yield bytes(1_000_000)
        sizes.append(await anyio.to_thread.run_sync(stored_so_far))

    image = await uploading.service.add(uploading.me, source())
    assert image.file_size == len(jpeg) + 8_000_000
    assert sizes[0] > 4_000_000
