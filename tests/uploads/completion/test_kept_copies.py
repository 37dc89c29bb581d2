"""What administrators let originals keep of their metadata: bytes in the store, and what the owner still sees."""

import hashlib
import io

import pytest
from PIL import Image as Pillow
from tests.support import images
from tests.support.clock import ManualClock
from tests.support.servers.object_store import SharedObjectStore
from tests.support.uploads import Uploading

from imagegallery.analyses.analysis import AnalysisResult
from imagegallery.analyses.metadata import METADATA
from imagegallery.analyses.records import put
from imagegallery.clock import utc_now
from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import IdempotencyKeyReused, UploadEnded
from imagegallery.images.image import records
from imagegallery.images.image.image import Image
from imagegallery.imaging.protocol import Removal
from imagegallery.policies.admin_policy import AdminPolicy, Originals
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.completion.completion import PROMOTED
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy, Verify

EXIF = images.exif_block(gps=(38.0, -9.0), make="FUJIFILM", taken_at="2024:06:01 12:00:00")
PHOTO = images.jpeg(exif=EXIF)
PLAIN = images.jpeg()


class Said(PolicyInForce):
    """Rules that an administrator said, without a database."""

    def __init__(self, originals: Originals) -> None:
        self.latest = AdminPolicy(allowed_types=UploadPolicy().allowed_types, max_size=10**9, originals=originals)

    async def get(self) -> AdminPolicy:
        return self.latest


@pytest.fixture(params=["local", "remote", "head"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def saying(uploading: Uploading, originals: Originals, kind: str = "local") -> Uploading:
    policy = UploadPolicy(verify=Verify.HEAD) if kind == "head" else None
    store = None if kind == "local" else uploading.without_files().service._store
    return uploading.having(governing=Said(originals), policy=policy, store=store)


async def original_of(uploading: Uploading, image: Image, store: ObjectStore | None = None) -> bytes:
    async with (store or uploading.library.store).get(image.original_key) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


def exif_of(data: bytes) -> tuple[bool, bool]:
    """Whether it has a place, and a camera."""
    exif = Pillow.open(io.BytesIO(data)).getexif()
    return bool(exif.get_ifd(0x8825)), 0x010F in exif


def pixels(data: bytes) -> bytes:
    return Pillow.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize(
    ("originals", "left"),
    [(Originals.KEEP, (True, True)), (Originals.STRIP_PLACE, (False, True)), (Originals.STRIP_ALL, (False, False))],
)
async def test_an_original_keeps_what_it_says_and_the_owner_knows_the_rest(
    uploading: Uploading, originals: Originals, left: tuple[bool, bool], kind: str
) -> None:
    said = saying(uploading, originals, kind)
    image = await said.service.add(said.me, PHOTO, filename="tram.jpg")
    kept = await original_of(uploading, image)
    assert exif_of(kept) == left
    assert pixels(kept) == pixels(PHOTO)
    assert image.file_size == len(kept)
    assert image.sha256 == hashlib.sha256(kept).digest()
    assert (image.latitude, image.longitude) == (38.0, -9.0)
    assert image.metadata is not None
    assert image.metadata.make == "FUJIFILM"
    assert (await uploading.traces()).storage_used == len(kept)
    assert await uploading.objects() == [image.original_key], "what came is gone"


async def test_it_is_the_same_in_a_bucket(
    uploading: Uploading, object_store_server: SharedObjectStore, clock: ManualClock
) -> None:
    async with S3Store.open(object_store_server.options(), AWS) as store:
        clock.advance(utc_now() - clock())  # its own times count
        said = uploading.having(governing=Said(Originals.STRIP_PLACE), store=store)
        image = await said.service.add(said.me, PHOTO)
        kept = await original_of(uploading, image, store)
        assert (exif_of(kept), pixels(kept), image.latitude) == ((False, True), pixels(PHOTO), 38.0)
        assert [each.key async for each in store.list("incoming/")] == []


async def test_what_has_nothing_to_hide_is_kept_as_it_is(uploading: Uploading) -> None:
    said = saying(uploading, Originals.STRIP_ALL)
    image = await said.service.add(said.me, PLAIN)
    assert image.removed_metadata is None
    assert await original_of(uploading, image) == PLAIN


async def test_a_later_look_at_what_is_left_does_not_replace_what_is_known(uploading: Uploading) -> None:
    said = saying(uploading, Originals.STRIP_ALL)
    image = await said.service.add(said.me, PHOTO)
    assert image.removed_metadata is Removal.STRIP_ALL
    async with uploading.library.database.transaction() as connection:
        await put(connection, image, [AnalysisResult(METADATA, {})], now=uploading.clock())
        found = await records.get(connection, image.id)
    assert found is not None
    assert (found.image.latitude, found.image.taken_at) == (38.0, image.taken_at)


async def test_the_same_file_twice_is_stored_once(uploading: Uploading) -> None:
    said = saying(uploading, Originals.STRIP_PLACE)
    one, two = [await said.service.add(said.me, PHOTO) for _ in range(2)]
    assert (one.id != two.id, one.original_key) == (True, two.original_key)
    again = await said.service.add(said.me, PHOTO, on_duplicate=OnDuplicate.RETURN_EXISTING)
    assert again.id in (one.id, two.id)
    assert await uploading.objects() == [one.original_key]


async def test_a_request_whose_answer_was_lost_is_recognised_by_what_it_sends(uploading: Uploading) -> None:
    said = saying(uploading, Originals.STRIP_ALL)
    once = await said.service.add(said.me, PHOTO, idempotency_key="k")
    assert (await said.service.add(said.me, PHOTO, idempotency_key="k")).id == once.id
    with pytest.raises(IdempotencyKeyReused):
        await said.service.add(said.me, PLAIN, idempotency_key="k")
    staged = await said.service.stage(said.me, PHOTO, idempotency_key="s")
    assert (await said.service.stage(said.me, PHOTO, idempotency_key="s")).id == staged.id

    session = await said.service.create(said.me, filename="a.jpg", content_type="image/jpeg", size=len(PHOTO))
    for _ in range(2):
        await said.service.server.receive(said.me, session.id, bytes_chunks(PHOTO))
    await said.service.complete(said.me, session.id)
    await said.service.server.receive(said.me, session.id, bytes_chunks(PHOTO))
    with pytest.raises(UploadEnded):
        await said.service.server.receive(said.me, session.id, bytes_chunks(PLAIN))


async def test_a_staged_file_is_a_copy_already(uploading: Uploading, kind: str) -> None:
    said = saying(uploading, Originals.STRIP_PLACE, kind)
    staged = await said.service.stage(said.me, PHOTO)
    (key,) = await uploading.objects()
    async with uploading.library.store.get(key) as stream:
        kept = b"".join([chunk async for chunk in stream.chunks])
    assert exif_of(kept) == (False, True)
    assert (staged.size, staged.sha256) == (len(kept), hashlib.sha256(kept).digest())
    image = await staged.attach()
    assert (image.latitude, image.removed_metadata) == (38.0, Removal.STRIP_PLACE)
    assert await uploading.objects() == [image.original_key]


class Broken(Exception):
    """As if the process ended there."""


@pytest.mark.parametrize("then", Originals)
@pytest.mark.parametrize("first", [Originals.STRIP_ALL, Originals.KEEP])
async def test_an_attempt_that_broke_off_is_repeated_as_it_was_begun(
    uploading: Uploading, monkeypatch: pytest.MonkeyPatch, first: Originals, then: Originals
) -> None:
    session = await uploading.uploaded(PHOTO)

    def fail() -> None:
        raise Broken

    with monkeypatch.context() as patched:
        patched.setattr(type(PROMOTED), "reached", lambda point: fail() if point is PROMOTED else None)
        with pytest.raises(Broken):
            await saying(uploading, first).service.complete(uploading.me, session.id)

    image = await saying(uploading, then).service.complete(uploading.me, session.id)
    kept = await original_of(uploading, image)
    assert image.sha256 == hashlib.sha256(kept).digest()
    assert image.file_size == len(kept)
    begun = then if first is Originals.KEEP else first
    assert exif_of(kept) == (begun is Originals.KEEP, begun is not Originals.STRIP_ALL)
    assert await uploading.objects() == [image.original_key]
