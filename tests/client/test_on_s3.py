"""Uploads in parts straight to a bucket: by our client, and by hand, with boto3 looking into the bucket meanwhile."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from attrs import frozen
from tests.client.conftest import MakeFile
from tests.client.recording import Recorder
from tests.support.database import DatabaseServer
from tests.support.images import jpeg_of_size
from tests.support.served import ServedUploads, served_uploads
from tests.support.servers.object_store import SharedObjectStore

from imagegallery.client import GalleryClient, StateFile
from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options

PART = 5 * 1024 * 1024  # no store takes smaller ones, but for the last
SIZE = 2 * PART + 1_000


@pytest.fixture(scope="module")
def options(object_store_server: SharedObjectStore) -> S3Options:
    return object_store_server.options()


@pytest.fixture(scope="module")
def served(
    database_server: DatabaseServer, options: S3Options, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedUploads]:
    with served_uploads(
        database_server,
        tmp_path_factory.mktemp("served") / "data",
        uploads_parts_threshold=1_000_000,
        uploads_part_size=PART,
        storage_s3_bucket=options.bucket,
        storage_s3_prefix=options.prefix,
        storage_s3_endpoint_url=options.endpoint_url,
        storage_s3_path_style=options.path_style,
        aws_access_key_id=AWS.access_key_id,
        aws_secret_access_key=str(AWS.secret_access_key),
    ) as served:
        yield served


@frozen
class Bucket:
    """The bucket as its owner sees it."""

    s3: Any
    name: str
    prefix: str

    def objects(self, below: str = "") -> set[str]:
        found = self.s3.list_objects_v2(Bucket=self.name, Prefix=self.prefix + below).get("Contents", ())
        return {entry["Key"] for entry in found}

    def unfinished(self) -> list[tuple[str, str]]:
        found = self.s3.list_multipart_uploads(Bucket=self.name, Prefix=self.prefix).get("Uploads", ())
        return [(entry["Key"], entry["UploadId"]) for entry in found]

    def parts(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        found = self.s3.list_parts(Bucket=self.name, Key=key, UploadId=upload_id).get("Parts", ())
        return {part["PartNumber"]: (part["Size"], part["ETag"]) for part in found}

    def has(self, data: bytes) -> bool:
        """Whether an original of these bytes is there, and nothing that is on its way."""
        assert self.unfinished() == []
        assert self.objects("incoming/") == set()
        keys = [key for key in self.objects() if "/original." in key]
        return any(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read() == data for key in keys)


@pytest.fixture(scope="module")
def bucket(options: S3Options) -> Bucket:
    s3 = boto3.client(
        "s3",
        endpoint_url=options.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=AWS.access_key_id,
        aws_secret_access_key=str(AWS.secret_access_key),
    )
    return Bucket(s3, str(options.bucket), options.prefix)


@pytest.fixture
def ada(served: ServedUploads, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=served.api, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize("size", [5_000, SIZE])
async def test_the_client_sends_to_the_bucket_and_keeps_its_token(
    size: int, served: ServedUploads, bucket: Bucket, token: str, make_file: MakeFile
) -> None:
    path, recorder, told = make_file(f"{size}.jpg", size), Recorder(), [0]
    async with (
        httpx.AsyncClient(transport=recorder) as http,
        GalleryClient.open(served.api, token=token, http=http) as client,
    ):
        await client.upload(path, advance=told.append)
    to_the_api = [each for each in recorder.requests if str(each.url).startswith(f"{served.api}/")]
    to_the_store = [each for each in recorder.requests if each not in to_the_api]
    assert len(to_the_store) == (3 if size == SIZE else 1)
    assert all("Authorization" in each.headers for each in to_the_api)
    assert not any("Authorization" in each.headers for each in to_the_store)
    assert sum(told) == size
    assert bucket.has(path.read_bytes())


async def test_the_client_goes_on_with_what_is_in_the_bucket(
    served: ServedUploads, bucket: Bucket, ada: httpx.Client, token: str, tmp_path: Path, make_file: MakeFile
) -> None:
    path, recorder = make_file("begun.jpg", SIZE), Recorder()
    state = await StateFile.open(tmp_path / "state")
    async with GalleryClient.open(served.api, token=token, state=state, parallel_parts=1) as client:

        def shorten(count: int) -> None:
            if count:
                raise KeyError("a crash, after the first bytes")

        with pytest.raises((KeyError, BaseExceptionGroup)):
            await client.upload(path, advance=shorten)
    ((key, upload_id),) = bucket.unfinished()
    there = len(bucket.parts(key, upload_id))
    state = await StateFile.open(tmp_path / "state")
    async with (
        httpx.AsyncClient(transport=recorder) as http,
        GalleryClient.open(served.api, token=token, state=state, http=http) as client,
    ):
        await client.upload(path)
    assert recorder.parts_sent() == 3 - there
    assert bucket.has(path.read_bytes())


def planned(ada: httpx.Client, data: bytes) -> dict[str, object]:
    declared = {
        "filename": "tram.jpg",
        "content_type": "image/jpeg",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    session: dict[str, object] = ada.post("/uploads", json=declared).raise_for_status().json()["data"]
    return session


def send(part: dict[str, object], data: bytes) -> httpx.Response:
    start = (int(str(part["number"])) - 1) * PART
    return httpx.request(
        str(part["method"]), str(part["url"]), content=data[start : start + int(str(part["size"]))], timeout=60
    )


def test_presigned_parts_by_hand(ada: httpx.Client, bucket: Bucket) -> None:
    data = jpeg_of_size(SIZE, "by hand")
    session = planned(ada, data)
    upload, parts = f"/uploads/{session['id']}", session["parts"]["urls"]  # type: ignore[index]
    assert [part["size"] for part in parts] == [PART, PART, 1_000]
    sent = {part["number"]: send(part, data).raise_for_status().headers["ETag"] for part in (parts[2], parts[0])}
    ((key, upload_id),) = bucket.unfinished()
    assert bucket.parts(key, upload_id) == {1: (PART, sent[1]), 3: (1_000, sent[3])}
    early = ada.post(f"{upload}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload_incomplete")
    (missing,) = ada.get(f"{upload}/parts").json()["data"]["missing"]
    (signed,) = ada.post(f"{upload}/parts/sign", json={"numbers": [missing]}).json()["data"]["urls"]
    for _ in range(2):
        send(signed, data).raise_for_status()
    assert ada.post(f"{upload}/complete").status_code == 202
    assert bucket.has(data)


def test_giving_up_leaves_no_part_in_the_bucket(ada: httpx.Client, bucket: Bucket) -> None:
    data = jpeg_of_size(SIZE, "given up")
    session = planned(ada, data)
    send(session["parts"]["urls"][0], data).raise_for_status()  # type: ignore[index]
    assert len(bucket.unfinished()) == 1
    assert ada.delete(f"/uploads/{session['id']}").status_code == 204
    assert not bucket.has(data)


def test_an_address_that_was_altered_is_refused_by_the_bucket(ada: httpx.Client, bucket: Bucket) -> None:
    data = jpeg_of_size(SIZE, "altered")
    session = planned(ada, data)
    first, second, _ = session["parts"]["urls"]  # type: ignore[index]
    altered = {**first, "url": first["url"].replace("partNumber=1", "partNumber=2")}
    assert altered["url"] != first["url"]
    assert send(altered, data).status_code == 403
    assert send({**second, "size": PART - 1}, data).status_code in (400, 403), "the length is signed"
    ada.delete(f"/uploads/{session['id']}").raise_for_status()
    assert not bucket.has(data)
