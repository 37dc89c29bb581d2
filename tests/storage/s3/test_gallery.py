"""The main job on S3, by settings alone: the service with its worker, and a client that sends to the bucket."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.servers.object_store import SharedObjectStore
from tests.support.servers.service import running_service
from tests.support.studio import picture
from tests.support.waiting import until

from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options


@pytest.fixture(scope="module")
def options(object_store_server: SharedObjectStore) -> S3Options:
    return object_store_server.options()


@pytest.fixture(scope="module")
def api(
    database_server: DatabaseServer, options: S3Options, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the whole service, whose objects are in the bucket."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(database_server.clone()) as dsn:
        environment = {
            "IMAGEGALLERY_DATABASE_DSN": dsn,
            "IMAGEGALLERY_STORAGE_S3_BUCKET": str(options.bucket),
            "IMAGEGALLERY_STORAGE_S3_PREFIX": options.prefix,
            "IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL": str(options.endpoint_url),
            "IMAGEGALLERY_AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
            "IMAGEGALLERY_AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key),
            "IMAGEGALLERY_IMAGING_PROCESSES": "1",
        }
        data_dir = tmp_path_factory.mktemp("service") / "data"
        with (
            running_service(data_dir, environment=environment) as service,
            httpx.Client(base_url=f"{service.url}/api/v1", timeout=60) as client,
        ):
            yield client
        assert not (data_dir / "objects").exists(), "nothing is kept in files"


def stored(options: S3Options) -> set[str]:
    client = boto3.client(
        "s3",
        endpoint_url=options.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=AWS.access_key_id,
        aws_secret_access_key=str(AWS.secret_access_key),
    )
    entries = client.list_objects_v2(Bucket=options.bucket, Prefix=options.prefix).get("Contents", ())
    return {entry["Key"].removeprefix(options.prefix) for entry in entries}


def test_an_image_goes_through_the_bucket(api: httpx.Client, options: S3Options) -> None:
    body = picture(640, 480)
    gallery = api.post("/galleries", json={"name": "Lisbon", "visibility": "public"}).json()["data"]
    declared = {
        "filename": "tram.jpg",
        "content_type": "image/jpeg",
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "gallery_id": gallery["id"],
    }
    upload = api.post("/uploads", json=declared).json()["data"]
    assert (upload["method"], upload["url"]) == ("POST", f"{options.endpoint_url}/{options.bucket}")
    assert api.post(f"/uploads/{upload['id']}/complete").status_code == 409, "the bytes have not arrived"
    sent = httpx.post(upload["url"], data=upload["fields"], files={"file": ("tram.jpg", body)})
    assert sent.status_code == 201
    completed = api.post(f"/uploads/{upload['id']}/complete")
    assert completed.status_code == 202
    image_id = completed.json()["data"]["id"]
    until(lambda: api.get(f"/images/{image_id}").json()["data"]["processing_status"] == "complete")
    image = api.get(f"/images/{image_id}").json()["data"]

    variant = next(each for each in image["variants"] if each["type"] == "small")
    address = str(api.base_url.join(variant["url"]))
    public = api.get(address)
    assert (public.status_code, public.headers["content-type"]) == (200, "image/webp")
    assert len(public.content) == variant["file_size"]
    assert api.get(address, headers={"Range": "bytes=0-3"}).content == b"RIFF"
    assert api.get(address, headers={"If-None-Match": public.headers["etag"]}).status_code == 304

    download = api.get(f"/images/{image_id}/download", follow_redirects=True)
    assert (download.status_code, download.content) == (200, body)
    assert 'filename="tram.jpg"' in download.headers["content-disposition"]
    asked = api.head(f"/images/{image_id}/download", follow_redirects=True)
    assert (asked.status_code, asked.content, asked.headers["content-length"]) == (200, b"", str(len(body)))

    api.patch(f"/galleries/{gallery['id']}", json={"visibility": "private"})
    assert api.get(address).status_code == 404
    private = next(
        each["url"] for each in api.get(f"/images/{image_id}").json()["data"]["variants"] if each["type"] == "small"
    )
    assert private.startswith(f"{options.endpoint_url}/{options.bucket}/")
    assert httpx.get(private).content == public.content
    assert api.head(f"/images/{image_id}/view", follow_redirects=True).status_code == 200
    keys = stored(options)
    assert not any(key.startswith("incoming/") for key in keys)
    assert any(key.endswith("/original.jpg") for key in keys)


def test_what_is_not_as_declared_leaves_nothing(api: httpx.Client, options: S3Options) -> None:
    before = stored(options)
    body = b"not a picture at all"
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(body)}
    upload = api.post("/uploads", json=declared).json()["data"]
    assert httpx.post(upload["url"], data=upload["fields"], files={"file": ("x", body + b"!")}).status_code == 400
    assert httpx.post(upload["url"], data=upload["fields"], files={"file": ("x", body)}).status_code == 201
    assert api.post(f"/uploads/{upload['id']}/complete").json()["code"] == "type_mismatch"
    assert stored(options) == before


def test_uppy_sends_to_the_bucket_what_it_said_no_size_of(api: httpx.Client) -> None:
    body = picture(80, 60)
    uppy = "/uploads/uppy/s3"
    upload = api.post(f"{uppy}/multipart", json={"filename": "tram.jpg", "type": "image/jpeg"}).json()
    query = {"key": upload["key"]}
    part = api.get(f"{uppy}/multipart/{upload['uploadId']}/1", params=query).json()
    sent = httpx.put(part["url"], content=body, headers=part["headers"])
    assert sent.status_code == 200, sent.text
    parts = {"parts": [{"PartNumber": 1, "ETag": sent.headers["ETag"]}]}
    done = api.post(f"{uppy}/multipart/{upload['uploadId']}/complete", params=query, json=parts)
    assert done.status_code == 200, done.text
    assert api.get(done.json()["location"]).json()["data"]["file_size"] == len(body)

    whole = api.get(f"{uppy}/params", params={"filename": "tram.jpg", "type": "image/jpeg"}).json()
    assert httpx.post(whole["url"], data=whole["fields"], files={"file": ("x", body)}).status_code == 201


def test_a_file_may_also_be_sent_to_us(api: httpx.Client, tmp_path: Path) -> None:
    gallery = api.post("/galleries", json={"name": "Porto"}).json()["data"]
    body = picture(64, 48)
    answer = api.post(f"/galleries/{gallery['id']}/uploads", content=body, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 202
    image_id = answer.json()["data"]["id"]
    assert api.get(f"/images/{image_id}/download", follow_redirects=True).content == body
