"""What clients may do with what we sign, sent to a real server, which refuses everything else and stores nothing."""

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import attrs
import httpx
import pytest
from attrs import evolve

from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import InvalidInput
from imagegallery.storage.options import S3Options
from imagegallery.storage.protocol import UploadRequest
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, keys, read

BODY = b"a photograph of a tram"
HOUR = timedelta(hours=1)


async def form(s3: S3Store, *, sha256: str | None = None, expires_in: timedelta = HOUR) -> UploadRequest:
    return await s3.presign_upload(
        "in/a", content_type=TYPE, size=len(BODY), sha256=sha256, expires_at=datetime.now(UTC) + expires_in
    )


async def send(request: UploadRequest, body: bytes = BODY) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(request.url, data=dict(request.fields), files={"file": ("tram.jpg", body)})


def with_field(request: UploadRequest, name: str, value: str) -> UploadRequest:
    return evolve(request, fields={**request.fields, name: value})


async def test_a_form_stores_what_it_was_signed_for(s3: S3Store) -> None:
    request = await form(s3, sha256=hashlib.sha256(BODY).hexdigest())
    assert request.method == "POST"
    assert (await send(request)).status_code == 201
    assert await read(s3, "in/a") == BODY
    stored = await s3._bucket.client.head_object(Bucket=s3._bucket.name, Key=f"{s3._bucket.prefix}in/a")
    assert stored["ContentType"] == TYPE


@pytest.mark.parametrize("body", [BODY + b"!", BODY[:-1], b""])
async def test_another_size_is_refused(s3: S3Store, body: bytes) -> None:
    assert (await send(await form(s3), body)).status_code == 400
    assert await keys(s3) == []


async def test_a_form_for_an_unknown_size_takes_up_to_the_most(s3: S3Store) -> None:
    later = datetime.now(UTC) + HOUR
    request = await s3.presign_upload(
        "in/a", content_type=TYPE, size=len(BODY), sha256=None, expires_at=later, is_exact=False
    )
    for wrong in (BODY + b"!", b""):
        assert (await send(request, wrong)).status_code == 400
    assert (await send(request, BODY[:-1])).status_code == 201
    assert await read(s3, "in/a") == BODY[:-1]


async def test_other_bytes_than_announced_are_refused(s3: S3Store) -> None:
    request = await form(s3, sha256=hashlib.sha256(BODY).hexdigest())
    assert (await send(request, BODY[::-1])).status_code == 400
    assert await keys(s3) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", "in/b"),
        ("Content-Type", "text/html"),
        ("success_action_status", "200"),
        ("x-amz-date", "20300101T000000Z"),
        ("x-amz-signature", "0" * 64),
        ("policy", "e30="),
        ("x-amz-meta-made-from", "me"),
    ],
)
async def test_an_altered_form_is_refused(s3: S3Store, name: str, value: str) -> None:
    assert 400 <= (await send(with_field(await form(s3), name, value))).status_code < 500
    assert await keys(s3) == []


async def test_an_expired_form_is_refused(s3: S3Store) -> None:
    assert (await send(await form(s3, expires_in=-timedelta(seconds=1)))).status_code == 403
    assert await keys(s3) == []


async def test_a_form_names_how_objects_are_kept(s3_options: S3Options) -> None:
    kept = attrs.evolve(s3_options, storage_class="STANDARD_IA", server_side_encryption="AES256")
    async with S3Store.open(kept, AWS) as store:
        request = await form(store)
        assert request.fields["x-amz-storage-class"] == "STANDARD_IA"
        assert request.fields["x-amz-server-side-encryption"] == "AES256"
        assert (await send(request)).status_code == 201
        plain = evolve(request, fields={k: v for k, v in request.fields.items() if k != "x-amz-storage-class"})
        assert (await send(plain)).status_code == 403
        await store.put("b", bytes_chunks(BODY), content_type=TYPE)
        for key in ("in/a", "b"):
            stored = await store._bucket.client.head_object(Bucket=str(s3_options.bucket), Key=s3_options.prefix + key)
            assert stored["StorageClass"] == "STANDARD_IA"


async def test_a_signed_download_is_read_as_it_says(s3: S3Store) -> None:
    await s3.put("a b/ü+.jpg", bytes_chunks(BODY), content_type="application/octet-stream")
    url = s3.sign_download(
        "a b/ü+.jpg", content_type=TYPE, expires_at=datetime.now(UTC) + HOUR, download_as='übung "1" 📷.jpg'
    )
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"Range": "bytes=2-4"})
        assert (answer.status_code, answer.content) == (206, BODY[2:5])
        assert answer.headers["content-type"] == TYPE
        assert answer.headers["content-disposition"] == (
            "attachment; filename=\"_bung _1_ _.jpg\"; filename*=UTF-8''%C3%BCbung%20%221%22%20%F0%9F%93%B7.jpg"
        )


async def test_a_signed_download_allows_nothing_else(s3: S3Store) -> None:
    await s3.put("a", bytes_chunks(BODY), content_type=TYPE)
    await s3.put("b", bytes_chunks(BODY), content_type=TYPE)
    now = datetime.now(UTC)
    url = s3.sign_download("a", content_type=TYPE, expires_at=now + HOUR)
    late = s3.sign_download("a", content_type=TYPE, expires_at=now - timedelta(seconds=2))
    async with httpx.AsyncClient() as client:
        assert (await client.get(url)).status_code == 200
        for wrong in (url.replace("/a?", "/b?"), url.replace("image%2Fjpeg", "text%2Fhtml"), late, url[:-1] + "g"):
            assert wrong != url
            assert (await client.get(wrong)).status_code == 403
        assert (await client.put(url, content=b"x")).status_code == 403
        assert (await client.delete(url)).status_code == 403
    assert await read(s3, "a") == BODY


async def test_clients_get_the_public_address(s3_options: S3Options) -> None:
    public = attrs.evolve(s3_options, public_endpoint_url="https://objects.example/")
    async with S3Store.open(public, AWS) as store:
        request = await form(store)
        assert request.url == f"https://objects.example/{s3_options.bucket}"
        url = urlsplit(store.sign_download("a", content_type=TYPE, expires_at=datetime.now(UTC) + HOUR))
        assert (url.netloc, url.path) == ("objects.example", f"/{s3_options.bucket}/{s3_options.prefix}a")
        assert parse_qs(url.query)["X-Amz-SignedHeaders"] == ["host"]


async def test_a_part_beyond_what_s3_takes_is_not_signed(s3: S3Store) -> None:
    multipart = await s3.create_multipart("in/a", content_type=TYPE)
    later = datetime.now(UTC) + HOUR
    for number, size in ((0, 1), (10_001, 1), (1, 0), (1, 5 * 2**30 + 1)):
        with pytest.raises(InvalidInput):
            await s3.presign_part("in/a", multipart, number, size=size, expires_at=later)
    await s3.abort_multipart("in/a", multipart)


async def test_our_own_folder_is_nobodys(s3: S3Store) -> None:
    with pytest.raises(InvalidInput):
        await s3.presign_upload(".growing/x", content_type=TYPE, size=1, sha256=None, expires_at=datetime.now(UTC))
    with pytest.raises(InvalidInput):
        await s3.delete_many(["a", ".growing/x"])
