"""Only the head of a file is looked at before ``complete`` answers; the first job fetches and decodes it once.

Over files that are here and over a bucket of a real server, counting what is read and what is decoded.
"""

import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import httpx
import pytest
from attrs import evolve, field, frozen
from PIL import Image as Pillow
from tests.support.clock import ManualClock
from tests.support.servers.object_store import SharedObjectStore
from tests.support.studio import LEASE, WatchedEngine
from tests.support.upkeep import upkeep_of
from tests.support.uploads import Uploading

from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.clock import utc_now
from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import BadImage, ChecksumMismatch, Conflict, DuplicateImage, NotFound
from imagegallery.images.image.image import Image, OriginalState, ProcessingStatus
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.settings import Settings
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ByteRange, ObjectStore, UploadRequest
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.completion.verification import HEAD_BYTES
from imagegallery.uploads.feature import settled
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy, Verify
from imagegallery.uploads.session.session import UploadSession
from imagegallery.variants.preset import Preset
from imagegallery.variants.processing import Processing
from imagegallery.variants.work import Recipes

HEAD = ByteRange(0, HEAD_BYTES)
SIZE = (520, 400)
SMALL = Preset("small", 100, 100, "webp", 75)


@frozen
class Counted:
    """An upload service and its job over a store; ``read`` has the range (``None``: all) of each read of it."""

    uploading: Uploading
    store: ObjectStore
    engine: WatchedEngine
    processing: Processing
    read: list[ByteRange | None] = field(factory=list)

    async def sent(self, body: bytes, content_type: str = "image/jpeg", **declared: object) -> UploadSession:
        """A session whose bytes went to the store by themselves, which may have checked nothing."""
        session = await self.uploading.service.create(
            self.uploading.me,
            filename="tram",
            content_type=content_type,
            size=len(body),
            **declared,  # type: ignore[arg-type]
        )
        if isinstance(self.store, FilesystemStore):
            await self.store.put(session.incoming_key, bytes_chunks(body), content_type=content_type)
        else:
            await _post(session.request, body)
        return session

    async def complete(self, session: UploadSession) -> Image:
        return await self.uploading.service.complete(self.uploading.me, session.id)

    async def add(self, body: bytes, content_type: str = "image/jpeg", **declared: object) -> Image:
        return await self.complete(await self.sent(body, content_type, **declared))

    async def work(self, kind: str = "image.process") -> None:
        """Do the one job of this kind that waits."""
        queue = self.uploading.library.queue
        (job,) = await queue.claim([kind], limit=1, lease=LEASE)
        purge = PurgeObjects(self.uploading.library.database, self.store)
        if await {**self.processing.handlers(), "image.purge": purge}[kind].run(job) is None:
            await queue.complete(job)

    async def image(self, image_id: UUID) -> Image:
        return await self.uploading.library.images.get(self.uploading.me, image_id)

    async def objects(self) -> list[str]:
        return sorted([info.key async for info in self.store.list()])

    async def storage_used(self) -> int:
        return (await self.uploading.service.room(self.uploading.me)).used

    async def fits_together(self) -> bool:
        """Whether ``reconcile`` finds nothing wrong."""
        library = self.uploading.library
        upkeep = upkeep_of(library.database, self.store, library.queue, library.clock)
        for phase in upkeep.reconciliation():
            if [step.findings async for step in phase.run(repair=False) if step.findings]:
                return False
        return True


async def _post(request: UploadRequest | None, body: bytes) -> None:
    """As a browser sends a form, to the bucket itself."""
    assert request is not None
    async with httpx.AsyncClient() as client:
        sent = await client.post(request.url, data=dict(request.fields), files={"file": ("tram.jpg", body)})
    assert sent.status_code == 201, sent.text


@asynccontextmanager
async def _remote(server: SharedObjectStore, clock: ManualClock) -> AsyncIterator[ObjectStore]:
    async with S3Store.open(server.options(), AWS) as store:
        clock.advance(utc_now() - clock())  # its own times count
        yield store


@pytest.fixture(params=["files", "bucket"])
async def counted(
    request: pytest.FixtureRequest, uploading: Uploading, imaging_engine: ImagingEngine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Counted]:
    library, engine = uploading.library, WatchedEngine(imaging_engine)
    read: list[ByteRange | None] = []
    kind = S3Store if request.param == "bucket" else FilesystemStore
    get = kind.get

    def counting(store: ObjectStore, key: str, byte_range: ByteRange | None = None) -> object:
        read.append(byte_range)
        return get(store, key, byte_range)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "get", counting)
    if request.param == "files":
        yield _counted(uploading, library.store, engine, read)
        return
    async with _remote(request.getfixturevalue("object_store_server"), library.clock) as store:
        yield _counted(uploading, store, engine, read)


def _counted(uploading: Uploading, store: ObjectStore, engine: WatchedEngine, read: list[ByteRange | None]) -> Counted:
    library, recipes = uploading.library, Recipes((SMALL,), ANALYSES)
    service = uploading.having(policy=evolve(uploading.policy, verify=Verify.HEAD), store=store, engine=engine)
    processing = Processing(
        library.database,
        store,
        library.queue,
        library.queue,
        engine,
        uploading.scratch,
        recipes,
        library.delivery,
        library.clock,
    )
    return Counted(service, store, engine, processing, read)


def noise(image_format: str, **options: object) -> bytes:
    """A picture of `SIZE` whose file is longer than its head."""
    file = io.BytesIO()
    picture = Pillow.effect_noise(SIZE, 64).convert("RGB")
    if image_format == "HEIF":
        pytest.importorskip("pillow_heif").from_pillow(picture).save(file, **options)
    else:
        picture.save(file, image_format, **options)
    assert len(file.getvalue()) > HEAD_BYTES
    return file.getvalue()


@pytest.fixture(scope="module")
def large() -> bytes:
    exif = Pillow.Exif()
    exif[0x010F] = "Trambahn"
    exif.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0x9011: "+02:00"})
    return noise("JPEG", exif=exif, quality=95)


@pytest.fixture(scope="module")
def spoilt() -> bytes:
    """An AVIF whose head is good, and whose rest is not."""
    good = noise("AVIF", quality=100)
    return good[:HEAD_BYTES] + bytes(len(good) - HEAD_BYTES)


async def test_a_good_picture_is_fetched_and_decoded_once_and_only_by_the_job(counted: Counted, large: bytes) -> None:
    image = await counted.add(large)
    assert counted.read == [HEAD]
    assert counted.engine.decodes == 0
    assert ((image.width, image.height), image.status) == (SIZE, ProcessingStatus.PENDING)
    assert (image.sha256, image.original_state) == (None, OriginalState.UNVERIFIED)
    assert image.taken_at.isoformat() == "2024-05-06T05:08:09+00:00"  # the head has it

    counted.read.clear()
    await counted.work()
    assert counted.read == [None]
    assert counted.engine.decodes == 1
    seen = await counted.image(image.id)
    assert seen.status is ProcessingStatus.COMPLETE
    assert (seen.sha256, seen.original_state) == (hashlib.sha256(large).digest(), OriginalState.VERIFIED)
    assert (len(seen.variants), seen.is_truncated, bool(seen.blurhash)) == (1, False, True)
    assert seen.metadata is not None
    assert seen.metadata.make == "Trambahn"
    assert await counted.storage_used() == len(large)
    async with counted.uploading.library.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM image_analyses") == len(ANALYSES)
    assert await counted.fits_together()


async def test_a_bad_picture_ends_as_failed_gives_its_storage_back_and_is_told_of(
    counted: Counted, spoilt: bytes, large: bytes
) -> None:
    image = await counted.add(spoilt, "image/avif")
    assert await counted.storage_used() == len(spoilt)
    await counted.work()

    seen = await counted.image(image.id)
    assert seen.failure is not None
    assert (seen.status, seen.failure.code) == (ProcessingStatus.FAILED, "undecodable")
    assert seen.original_state is OriginalState.REFUSED
    assert await counted.storage_used() == 0
    await counted.work("image.discard")
    assert await counted.objects() == []
    assert await counted.fits_together()

    library, me = counted.uploading.library, counted.uploading.me
    async with library.database.connection() as connection:
        events = [row["type"] for row in await connection.fetch("SELECT type FROM events ORDER BY id")]
    assert events == ["image.uploaded", "image.failed"]
    with pytest.raises(Conflict):
        await library.images.retry(me, image.id)
    with pytest.raises(NotFound):
        await library.images.download_url(me, image.id)
    await counted.add(large)
    await library.images.trash.put(me, image.id)
    await library.images.trash.purge(me, image.id)
    assert await counted.storage_used() == len(large)  # it was given back once


async def test_a_bad_picture_is_not_what_is_there_already(counted: Counted, spoilt: bytes) -> None:
    first = await counted.add(spoilt, "image/avif")
    await counted.work()
    second = await counted.add(spoilt, "image/avif", on_duplicate=OnDuplicate.RETURN_EXISTING)
    assert second.id != first.id


async def test_copies_of_a_bad_picture_give_its_storage_back_once(counted: Counted, spoilt: bytes) -> None:
    first = await counted.add(spoilt, "image/avif")
    second = await counted.add(spoilt, "image/avif")
    assert second.original_key == first.original_key
    assert await counted.storage_used() == len(spoilt)
    await counted.work()
    assert await counted.storage_used() == len(spoilt)
    await counted.work()
    assert await counted.storage_used() == 0
    await counted.work("image.discard")
    assert await counted.objects() == []
    assert await counted.fits_together()


async def test_a_declared_checksum_is_checked_by_the_store_or_else_by_the_job(counted: Counted, large: bytes) -> None:
    if isinstance(counted.store, S3Store):
        with pytest.raises(AssertionError, match="BadDigest"):
            await counted.sent(large, sha256=bytes(32))
    else:
        image = await counted.add(large, sha256=bytes(32))
        await counted.work()
        seen = await counted.image(image.id)
        assert seen.failure is not None
        assert (seen.status, seen.failure.code) == (ProcessingStatus.FAILED, ChecksumMismatch.code)
    assert await counted.storage_used() == 0

    counted.read.clear()
    digest = hashlib.sha256(large).digest()
    right = await counted.add(large, sha256=digest)
    assert counted.read == [HEAD]
    assert right.sha256 == (digest if isinstance(counted.store, S3Store) else None)
    await counted.work()
    assert (await counted.image(right.id)).sha256 == digest


@pytest.mark.parametrize("is_processed", [False, True])
async def test_what_is_in_already_is_found_by_its_size_and_then_read(
    counted: Counted, large: bytes, is_processed: bool
) -> None:
    first = await counted.add(large)
    if is_processed:
        await counted.work()
    counted.read.clear()
    same = await counted.add(large, on_duplicate=OnDuplicate.RETURN_EXISTING)
    assert same.id == first.id
    # The head, all of it, and all of the one before, if no job has read that.
    assert counted.read == [HEAD, *([None] if is_processed else [None, None])]
    with pytest.raises(DuplicateImage):
        await counted.add(large, on_duplicate=OnDuplicate.REJECT)
    copy = await counted.add(large, on_duplicate=OnDuplicate.KEEP_BOTH)
    assert (copy.id == first.id, copy.original_key) == (False, first.original_key)
    assert await counted.storage_used() == len(large)
    assert counted.engine.decodes == int(is_processed)

    counted.read.clear()
    other = large[:-1] + b"!"
    assert (await counted.add(other, on_duplicate=OnDuplicate.RETURN_EXISTING)).id != first.id
    assert await counted.storage_used() == 2 * len(large)
    assert (await counted.add(large + b"!")).sha256 is None  # of another size there is none


async def test_of_the_same_file_sent_at_once_one_original_is_kept(counted: Counted, large: bytes) -> None:
    sessions = [await counted.sent(large) for _ in range(4)]
    images: list[Image] = []

    async def complete(session: UploadSession) -> None:
        images.append(await counted.complete(session))

    async with anyio.create_task_group() as tasks:
        for session in sessions:
            tasks.start_soon(complete, session)
    assert len({image.id for image in images}) == 4
    assert len({image.original_key for image in images}) == 1
    assert await counted.storage_used() == len(large)


async def test_a_file_that_is_lost_before_it_was_read_stands_in_nobody_s_way(counted: Counted, large: bytes) -> None:
    lost = await counted.add(large)
    await counted.store.delete(lost.original_key)
    image = await counted.add(large, on_duplicate=OnDuplicate.RETURN_EXISTING)
    assert image.id != lost.id
    assert image.sha256 == hashlib.sha256(large).digest()


async def test_what_came_through_the_service_is_known(counted: Counted, large: bytes) -> None:
    image = await counted.uploading.service.add(counted.uploading.me, large, filename="a.jpg")
    assert (image.sha256, counted.read) == (hashlib.sha256(large).digest(), [HEAD])


async def test_limits_and_types_are_told_by_the_head(counted: Counted, large: bytes, png_bomb: bytes) -> None:
    with pytest.raises(BadImage) as caught:
        await counted.add(png_bomb + bytes(HEAD_BYTES), "image/png")
    assert (caught.value.reason, counted.read) == ("too_many_pixels", [HEAD])
    image = await counted.add(large, "image/png")
    assert image.mime_type == "image/jpeg"
    assert await counted.storage_used() == len(large)
    assert counted.engine.decodes == 0


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 100}),
        ("GIF", {"save_all": True}),
        ("AVIF", {"quality": 100}),
        ("HEIF", {"quality": -1}),
        ("JPEG", {"progressive": True, "quality": 95}),
    ],
)
async def test_every_format(
    uploading: Uploading, imaging_engine: ImagingEngine, image_format: str, options: dict[str, object]
) -> None:
    frames = [Pillow.effect_noise(SIZE, 64).convert("RGB") for _ in range(2)] if "save_all" in options else []
    body = (
        noise(image_format, append_images=frames, duration=100, **options) if frames else noise(image_format, **options)
    )
    counted = _counted(uploading, uploading.library.store, WatchedEngine(imaging_engine), [])
    image = await counted.add(body, f"image/{image_format.lower()}")
    assert (image.width, image.height) == SIZE
    assert counted.engine.decodes == 0
    await counted.work()
    seen = await counted.image(image.id)
    assert (seen.status, seen.frames) == (ProcessingStatus.COMPLETE, 3 if frames else 1)
    assert (seen.is_truncated, counted.engine.decodes) == (False, 1)


async def test_how_much_is_looked_at_follows_from_the_store_unless_it_is_set(counted: Counted) -> None:
    here = isinstance(counted.store, FilesystemStore)
    assert settled(UploadPolicy(), counted.store).verify is (Verify.FULL if here else Verify.HEAD)
    for verify in Verify:
        assert settled(UploadPolicy(verify=verify), counted.store).verify is verify


def test_it_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_UPLOADS_VERIFY", "head")
    assert Settings.from_env().uploads.verify is Verify.HEAD
