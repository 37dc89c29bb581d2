"""Credentials that end in the middle of an upload: one clear answer, and nothing lost when there are new ones."""

import base64
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import attrs
import httpx
import pytest
from botocore.exceptions import CredentialRetrievalError
from tests.support.studio import picture

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.dev_stack.object_store import AWS
from imagegallery.errors import ConfigurationError, Unavailable
from imagegallery.storage.options import MEBIBYTE, S3Options, StorageOptions
from imagegallery.storage.s3.errors import translate_errors
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, keys, read
from imagegallery_asgi import create_app

BODY = random.Random(1).randbytes(18_000_000)
VERSION = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def s3_options(s3_options: S3Options) -> S3Options:
    return attrs.evolve(s3_options, multipart_threshold=5 * MEBIBYTE, part_size=5 * MEBIBYTE, parallel_parts=1)


@contextmanager
def ended(store: object) -> Iterator[None]:
    """The store's credentials are refused, by the real server, while this is open."""
    assert isinstance(store, S3Store)
    credentials = vars(store._bucket.client)["_request_signer"]._credentials
    valid, credentials.access_key = credentials.access_key, "ended"
    try:
        yield
    finally:
        credentials.access_key = valid


async def test_a_put_whose_credentials_end_stores_nothing_and_says_why(s3: S3Store) -> None:
    with ended(s3), pytest.raises(ConfigurationError, match=r"permission|access key"):
        await s3.put("a", bytes_chunks(BODY), content_type=TYPE)
    assert await keys(s3) == []
    await s3.put("a", bytes_chunks(BODY), content_type=TYPE, if_absent=True)
    assert await read(s3, "a") == BODY


async def test_an_append_whose_credentials_end_keeps_what_was_durable(s3: S3Store) -> None:
    append_id = await s3.begin_append("a", content_type=TYPE)

    with ExitStack() as ending:

        async def stream() -> AsyncIterator[bytes]:
            yield BODY[: 7 * MEBIBYTE]
            with anyio.fail_after(30):
                while await s3.appended("a", append_id) == 0:
                    await anyio.sleep(0.01)
            ending.enter_context(ended(s3))
            yield BODY[7 * MEBIBYTE :]

        with pytest.raises(ConfigurationError):
            await s3.append("a", append_id, stream(), offset=0)
    offset = await s3.appended("a", append_id)
    assert offset == 5 * MEBIBYTE
    await s3.append("a", append_id, bytes_chunks(BODY[offset:]), offset=offset)
    assert (await s3.finish_append("a", append_id)).size == len(BODY)
    assert await read(s3, "a") == BODY


@pytest.mark.parametrize(
    "failure",
    [
        CredentialRetrievalError(provider="role", error_msg="secret details"),
        RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
    ],
)
def test_keys_of_a_role_that_are_not_renewed_are_unavailable(failure: Exception) -> None:
    with pytest.raises(Unavailable) as caught, translate_errors("photos"):
        raise failure
    assert "secret details" not in caught.value.message


@asynccontextmanager
async def api(directory: Path, dsn: str, options: S3Options) -> AsyncIterator[tuple[ImageGallery, httpx.AsyncClient]]:
    settings = Settings(data_dir=directory, database=DatabaseOptions(dsn=dsn), storage=StorageOptions(options), aws=AWS)
    async with ImageGallery.open(settings) as gallery:
        transport = httpx.ASGITransport(create_app(gallery, authenticate=lambda _: Principal.user("me")))
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            yield gallery, client


async def test_a_client_is_told_to_try_again_and_its_upload_goes_on(
    tmp_path: Path, database_dsn: str, s3_options: S3Options, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "imagegallery_asgi")
    photo = picture(640, 480)
    half = len(photo) // 2
    names = {"filename": b"tram.jpg", "filetype": b"image/jpeg"}
    metadata = ",".join(f"{name} {base64.b64encode(value).decode()}" for name, value in names.items())
    piece = {**VERSION, "Content-Type": "application/offset+octet-stream"}
    async with api(tmp_path, database_dsn, s3_options) as (gallery, client):
        begun = await client.post(
            "/uploads/resumable",
            headers={**VERSION, "Upload-Length": str(len(photo)), "Upload-Metadata": metadata},
        )
        upload = str(begun.url.join(begun.headers["Location"]))
        sent = await client.patch(upload, content=photo[:half], headers={**piece, "Upload-Offset": "0"})
        assert sent.status_code == 204
        with ended(gallery.server.store):
            refused = await client.patch(upload, content=photo[half:], headers={**piece, "Upload-Offset": str(half)})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert str(s3_options.bucket) not in refused.text
        assert str(s3_options.bucket) in caplog.text, "those who run the service are told which, and why"

        offset = (await client.head(upload, headers=VERSION)).headers["Upload-Offset"]
        last = await client.patch(upload, content=photo[int(offset) :], headers={**piece, "Upload-Offset": offset})
        assert last.status_code == 204
        image_id = (await client.get(f"/uploads/{upload.rpartition('/')[2]}")).json()["data"]["image_id"]
        assert (await client.get(f"/images/{image_id}")).json()["data"]["file_size"] == len(photo)


async def test_what_was_refused_is_told_although_its_bytes_cannot_be_deleted_now(
    tmp_path: Path, database_dsn: str, s3_options: S3Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"not a picture at all"
    async with api(tmp_path, database_dsn, s3_options) as (gallery, client):
        declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(body)}
        upload = (await client.post("/uploads", json=declared)).json()["data"]
        async with httpx.AsyncClient() as browser:
            await browser.post(upload["url"], data=upload["fields"], files={"file": ("tram.jpg", body)})
        delete = S3Store.delete

        async def refused(self: S3Store, key: str) -> None:
            with ended(self):
                await delete(self, key)

        monkeypatch.setattr(S3Store, "delete", refused)
        told = await client.post(f"/uploads/{upload['id']}/complete")
        assert (told.status_code, told.json()["code"]) == (422, "type_mismatch")
        assert [info.key async for info in gallery.server.store.list("incoming/")], "the sweeper's to delete, later"
