"""Bad input, by name: each has one error, the same when asked again, and leaves nothing."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from uuid import UUID

import anyio
import pytest
from tests.support.uploads import Traces, Uploading

from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    EmptyFile,
    ImageGalleryError,
    InvalidInput,
    QuotaExceeded,
    SizeMismatch,
    TooLarge,
    TypeMismatch,
    UnsupportedType,
)
from imagegallery.principal import Principal
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession, UploadState

NOTHING = Traces()
SET_LIMIT = "INSERT INTO owners (owner_id, storage_limit) VALUES ($1, $2)"


async def stored(
    uploading: Uploading, data: bytes, content_type: str, *, size: int | None = None, sha256: bytes | None = None
) -> UploadSession:
    """A session whose bytes are in the store, which did not look at them."""
    session = await uploading.service.create(
        uploading.me, filename="a", content_type=content_type, size=size or len(data), sha256=sha256
    )
    await uploading.library.store.put(session.incoming_key, bytes_chunks(data), content_type=content_type)
    return session


async def refused(uploading: Uploading, data: bytes, content_type: str, *, sha256: bytes | None = None) -> str:
    """Upload these bytes by session; answers the code they are refused with, the first time and every time."""
    session = await stored(uploading, data, content_type, sha256=sha256)
    codes = []
    for _ in range(2):
        with pytest.raises(ImageGalleryError) as caught:
            await uploading.service.complete(uploading.me, session.id)
        error = caught.value
        codes.append(error.reason if isinstance(error, BadImage) else error.code)
    ended = await uploading.service.get(uploading.me, session.id)
    assert ended.state is UploadState.REJECTED
    assert ended.rejection is not None
    assert codes[0] == codes[1]
    assert await uploading.traces() == NOTHING
    return codes[0]


async def refused_in_one_call(uploading: Uploading, source: bytes | AsyncIterator[bytes], **said: object) -> str:
    """Add these bytes; answers the code they are refused with."""
    lisbon = await uploading.gallery()
    with pytest.raises(ImageGalleryError) as caught:
        await uploading.service.add(uploading.me, source, gallery_id=lisbon.id, **said)  # type: ignore[arg-type]
    assert await uploading.traces() == NOTHING
    return caught.value.reason if isinstance(caught.value, BadImage) else caught.value.code


@pytest.mark.parametrize("content_type", ["image/svg+xml", "application/pdf", "image/tiff", "text/html"])
async def test_a_wrong_type_is_refused_at_once(uploading: Uploading, content_type: str) -> None:
    with pytest.raises(UnsupportedType):
        await uploading.service.create(uploading.me, filename="a", content_type=content_type, size=10)
    assert await uploading.traces() == NOTHING


@pytest.mark.parametrize(
    ("size", "error"), [(0, EmptyFile), (-1, InvalidInput), (50_000_001, TooLarge), (10**30, TooLarge)]
)
async def test_a_wrong_size_is_refused_at_once(uploading: Uploading, size: int, error: type[ImageGalleryError]) -> None:
    with pytest.raises(error):
        await uploading.service.create(uploading.me, filename="a", content_type="image/png", size=size)


@pytest.mark.parametrize("declared", ["image/jpeg", "image/webp", "image/gif", "image/avif", "image/heic"])
async def test_a_lying_type(uploading: Uploading, encode: Callable[..., bytes], declared: str) -> None:
    strict = uploading.having(policy=UploadPolicy(strict=True))
    assert await refused(strict, encode("PNG"), declared) == TypeMismatch.code


async def test_no_image_at_all(uploading: Uploading) -> None:
    assert await refused(uploading, b"<svg/>" * 100, "image/jpeg") == TypeMismatch.code


@pytest.mark.parametrize(
    ("image_format", "content_type"),
    [
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
    ],
)
async def test_a_truncated_file(
    uploading: Uploading, encode: Callable[..., bytes], image_format: str, content_type: str
) -> None:
    whole = encode(image_format, (200, 200))
    assert await refused(uploading, whole[: len(whole) // 2], content_type) in ("truncated", "undecodable")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF"])
async def test_a_cut_photograph_is_taken_and_marked(
    uploading: Uploading, encode: Callable[..., bytes], image_format: str
) -> None:
    whole = encode(image_format, (200, 200))
    assert (await uploading.service.add(uploading.me, whole[: len(whole) // 2])).is_truncated
    assert not (await uploading.service.add(uploading.me, whole)).is_truncated


async def test_a_png_of_50_000_by_50_000_pixels(uploading: Uploading, png_bomb: bytes) -> None:
    assert await refused(uploading, png_bomb, "image/png") == "too_many_pixels"


async def test_a_gif_of_10_000_frames(uploading: Uploading, gif_of_10_000_frames: bytes) -> None:
    assert await refused(uploading, gif_of_10_000_frames, "image/gif") == "too_many_frames"


async def test_a_wrong_checksum(uploading: Uploading, jpeg: bytes) -> None:
    wrong = hashlib.sha256(b"another file").digest()
    assert await refused(uploading, jpeg, "image/jpeg", sha256=wrong) == ChecksumMismatch.code


async def test_a_checksum_of_the_wrong_length(uploading: Uploading) -> None:
    with pytest.raises(InvalidInput) as caught:
        await uploading.service.create(uploading.me, filename="a", content_type="image/png", size=9, sha256=b"short")
    assert [fault.path for fault in caught.value.faults] == [("body", "sha256")]


async def test_fewer_bytes_than_declared(uploading: Uploading, jpeg: bytes) -> None:
    session = await stored(uploading, jpeg, "image/jpeg", size=len(jpeg) + 1)
    for _ in range(2):
        with pytest.raises(SizeMismatch):
            await uploading.service.complete(uploading.me, session.id)
    assert await uploading.traces() == NOTHING


async def test_more_bytes_than_declared_are_not_even_stored(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=len(jpeg) - 1)
    with pytest.raises(TooLarge):
        await uploading.send(session.request, jpeg)
    assert await uploading.traces() == NOTHING


@pytest.mark.parametrize(("declared", "error"), [(1, TooLarge), (-1, SizeMismatch)])
async def test_the_wrong_number_of_bytes_through_the_service(
    uploading: Uploading, jpeg: bytes, declared: int, error: type[ImageGalleryError]
) -> None:
    size = len(jpeg) - declared
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=size)

    async def data() -> AsyncIterator[bytes]:
        yield jpeg[:10]
        yield jpeg[10:]

    with pytest.raises(error):
        await uploading.service.server.receive(uploading.me, session.id, data())
    with pytest.raises(error):
        await uploading.service.complete(uploading.me, session.id)
    assert await uploading.traces() == NOTHING


async def test_no_bytes_in_one_call(uploading: Uploading) -> None:
    assert await refused_in_one_call(uploading, b"") == EmptyFile.code
    assert await refused_in_one_call(uploading, b"", content_type="image/png") == EmptyFile.code


async def test_an_empty_stream_of_a_declared_type(
    uploading: Uploading, slowly: Callable[[bytes, int], AsyncIterator[bytes]]
) -> None:
    assert await refused_in_one_call(uploading, slowly(b"", 1), content_type="image/png") == EmptyFile.code


async def test_no_image_in_one_call(uploading: Uploading) -> None:
    assert await refused_in_one_call(uploading, b"%PDF-1.7" + bytes(1000)) == UnsupportedType.code


async def test_a_lying_type_in_one_call(uploading: Uploading, jpeg: bytes) -> None:
    strict = uploading.having(policy=UploadPolicy(strict=True))
    assert await refused_in_one_call(strict, jpeg, content_type="image/png") == TypeMismatch.code


async def test_a_stream_that_does_not_end(uploading: Uploading, jpeg: bytes) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield jpeg
        while True:
            yield bytes(10_000)

    small = uploading.having(policy=UploadPolicy(max_size=100_000))
    assert await refused_in_one_call(small, endless()) == TooLarge.code


async def test_a_stream_that_breaks_off(uploading: Uploading, jpeg: bytes) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield jpeg
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await uploading.service.add(uploading.me, breaking())
    assert await uploading.traces() == NOTHING


async def test_a_bomb_from_a_store_elsewhere(uploading: Uploading, png_bomb: bytes) -> None:
    assert await refused_in_one_call(uploading.without_files(), png_bomb) == "too_many_pixels"


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("a/b\\c.jpg", "c.jpg"),
        ("tr\0am.jpg", "tram.jpg"),
        ("🚋.jpg", "🚋.jpg"),
        ("חשמלית.jpg", "חשמלית.jpg"),
        ("\u202egpj.tram", "gpj.tram"),
        ("\ud800.jpg", "jpg"),
        ("x" * 1000 + ".jpg", "x" * 251 + ".jpg"),
        ("", "image.jpg"),
    ],
)
async def test_any_name_is_kept_as_far_as_it_is_safe(
    uploading: Uploading, jpeg: bytes, filename: str, kept: str
) -> None:
    image = await uploading.service.add(uploading.me, jpeg, filename=filename)
    assert image.filename == kept


async def test_exif_garbage_is_no_reason_to_refuse_a_picture(
    uploading: Uploading, encode: Callable[..., bytes]
) -> None:
    garbage = bytes(range(256)) * 8
    image = await uploading.service.add(uploading.me, encode("JPEG", exif=b"Exif\0\0" + garbage))
    assert (image.width, image.height) == (40, 30)
    assert image.taken_at == uploading.clock()


async def test_a_file_that_does_not_fit_the_storage_is_refused_at_once(uploading: Uploading, jpeg: bytes) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=len(jpeg) - 1))
    with pytest.raises(QuotaExceeded):
        await small.uploaded(jpeg)
    assert await refused_in_one_call(small, jpeg) == QuotaExceeded.code


async def test_files_on_their_way_take_room_until_their_sessions_end(uploading: Uploading) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=20))
    other = Principal.user("bob")

    async def begin(size: int, who: Principal = small.me) -> UUID:
        session = await small.service.create(who, filename="a", content_type="image/jpeg", size=size)
        return session.id

    first = await begin(12)
    with pytest.raises(QuotaExceeded):
        await begin(9)
    await begin(20, other)
    await begin(8)
    await small.service.cancel(small.me, first)
    await begin(12)
    with pytest.raises(QuotaExceeded):
        await begin(1)
    uploading.clock.advance(small.policy.session_lifetime)  # over, though no sweeper came by
    await begin(20)


async def test_sessions_that_begin_at_once_do_not_overfill_the_storage(uploading: Uploading) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=20))
    begun = []

    async def begin() -> None:
        with suppress(QuotaExceeded):
            begun.append(await small.service.create(small.me, filename="a", content_type="image/jpeg", size=9))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(begin)
    assert len(begun) == 2


async def test_the_last_to_complete_does_not_fit_any_more(
    uploading: Uploading, jpeg: bytes, encode: Callable[..., bytes]
) -> None:
    """Both fitted when they began, before the limit was lowered."""
    other = encode("PNG")
    first, second = await uploading.uploaded(jpeg), await uploading.uploaded(other, "image/png")
    async with uploading.library.database.connection() as connection:
        await connection.execute(SET_LIMIT, uploading.me.user_id, len(jpeg) + len(other) - 1)
    await uploading.service.complete(uploading.me, first.id)
    before = await uploading.traces()
    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            await uploading.service.complete(uploading.me, second.id)
    after = await uploading.traces()
    assert after.storage_used == len(jpeg)
    assert (after.images, after.jobs) == (before.images, before.jobs) == (1, 1)
    assert not any(key.startswith("incoming/") or second.key_prefix in key for key in after.objects)
