"""What kind of file comes in: declared, else named, else by its bytes, which have the last word; by every way in."""

from collections.abc import Awaitable, Callable

import pytest
from tests.support.uploads import Traces, Uploading

from imagegallery.errors import TypeMismatch, UnsupportedType
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.resumable.rules import UploadPiece
from imagegallery.uploads.session.policy import UNKNOWN_TYPE, UploadPolicy, actual_type, declared_type

STRICT = UploadPolicy(strict=True)
Way = Callable[[Uploading, bytes, str, str], Awaitable[str]]


@pytest.mark.parametrize(
    ("declared", "filename", "expected"),
    [
        ("image/png", "a.jpg", "image/png"),
        (" IMAGE/JPG; q=1", None, "image/jpeg"),
        ("", "a.JPEG", "image/jpeg"),
        (None, "a.heic", "image/heic"),
        ("application/octet-stream", "a.HIF", "image/heif"),
        ("Application/Octet-Stream; charset=binary", "b.jfif", "image/jpeg"),
        ("binary/octet-stream", "webp", "image/webp"),
        ("", "a.svg", UNKNOWN_TYPE),
        (None, None, UNKNOWN_TYPE),
        ("text/html", "a.jpg", "text/html"),
    ],
)
def test_the_declared_type_or_the_names(declared: str | None, filename: str | None, expected: str) -> None:
    assert declared_type(declared, filename) == expected


def test_the_bytes_have_the_last_word() -> None:
    lenient, few = UploadPolicy(), UploadPolicy(allowed_types=("image/png",))
    assert actual_type("image/png", "image/jpeg", lenient) == "image/jpeg"
    assert actual_type(UNKNOWN_TYPE, "image/jpeg", lenient) == "image/jpeg"
    assert actual_type(UNKNOWN_TYPE, "image/jpeg", STRICT) == "image/jpeg"
    assert actual_type("image/heif", "image/heic", STRICT) == "image/heif"
    for declared, sniffed, policy in (
        ("image/png", None, lenient),
        (UNKNOWN_TYPE, None, lenient),
        ("image/png", "image/jpeg", STRICT),
        ("image/png", "image/gif", few),
    ):
        with pytest.raises(TypeMismatch):
            actual_type(declared, sniffed, policy)


async def through_a_session(uploading: Uploading, data: bytes, declared: str, filename: str) -> str:
    session = await uploading.service.create(
        uploading.me, filename=filename, content_type=declared, size=len(data), idempotency_key=f"{declared} {filename}"
    )
    again = await uploading.service.create(
        uploading.me, filename=filename, content_type=declared, size=len(data), idempotency_key=f"{declared} {filename}"
    )
    assert again.id == session.id
    await uploading.send(session.request, data)
    return (await uploading.service.complete(uploading.me, session.id)).mime_type


async def in_one_call(uploading: Uploading, data: bytes, declared: str, filename: str) -> str:
    return (await uploading.service.add(uploading.me, data, filename=filename, content_type=declared)).mime_type


async def in_parts(uploading: Uploading, data: bytes, declared: str, filename: str) -> str:
    parts = uploading.service.parts
    session = await parts.begin(uploading.me, filename=filename, content_type=declared)
    (signed,) = await parts.sign(uploading.me, session.id, [1])
    await uploading.send_part(signed, data)
    return (await parts.complete(uploading.me, session.id)).mime_type


async def little_by_little(uploading: Uploading, data: bytes, declared: str, filename: str) -> str:
    resumable = uploading.service.server.resumable
    session = await resumable.create(
        uploading.me, filename=filename, content_type=declared, size=len(data), completes_itself=True
    )
    done = await resumable.append(uploading.me, session.id, bytes_chunks(data), UploadPiece(0))
    assert done.image_id is not None
    return (await uploading.library.images.get(uploading.me, done.image_id)).mime_type


WAYS: list[Way] = [through_a_session, in_one_call, in_parts, little_by_little]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("declared", "filename"),
    [("", "a"), ("", "a.jpg"), ("application/octet-stream", "a.heic"), ("IMAGE/PNG; x=y", "a.png")],
)
async def test_a_picture_is_taken_as_what_it_is(
    uploading: Uploading, jpeg: bytes, way: Way, declared: str, filename: str
) -> None:
    assert await way(uploading, jpeg, declared, filename) == "image/jpeg"
    assert [key.rpartition("/")[2] for key in await uploading.objects()] == ["original.jpg"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_strict_policy_refuses_what_was_declared_wrongly(uploading: Uploading, jpeg: bytes, way: Way) -> None:
    strict = uploading.having(policy=STRICT)
    with pytest.raises(TypeMismatch):
        await way(strict, jpeg, "", "a.png")
    assert await uploading.traces() == Traces()
    assert await way(strict, jpeg, "", "a") == "image/jpeg"


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_no_picture_is_refused_by_every_way(uploading: Uploading, way: Way) -> None:
    with pytest.raises((TypeMismatch, UnsupportedType)):
        await way(uploading, b"<svg/>" * 100, "", "a.svg")
    assert await uploading.traces() == Traces()
