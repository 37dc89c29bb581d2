"""Every step of an upload, sent to the filesystem store and to a bucket: the same is taken, the same is refused."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from tests.asgi.conftest import SMALL
from tests.support.database import DatabaseServer
from tests.support.servers.api import ApiServer, running_api
from tests.support.servers.object_store import SharedObjectStore
from tests.support.studio import picture

from imagegallery.dev_stack.object_store import AWS
from imagegallery.storage.options import S3Options

MIB = 1024 * 1024
UPPY = "/uploads/uppy/s3"
BODY = picture(64, 48)
LARGE = BODY + bytes(6 * MIB)  # two parts, as large as S3 wants the first; bytes after its end do a JPEG no harm
OTHER = BODY[:-1] + b"!"
Answer = dict[str, Any]
Step = Callable[["Client"], httpx.Response]


@frozen
class Client:
    """Somebody whom the service does not know yet."""

    http: httpx.Client

    def begun(self, body: bytes = BODY, **declared: object) -> Answer:
        plan = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(body), **declared}
        answer: Answer = self.http.post("/uploads", json=plan).raise_for_status().json()["data"]
        return answer

    def form(self, **metadata: object) -> Answer:
        query = {"filename": "tram.jpg", "type": "image/jpeg"} | {f"metadata[{k}]": str(v) for k, v in metadata.items()}
        answer: Answer = self.http.get(f"{UPPY}/params", params=query).raise_for_status().json()
        return answer

    def send(self, request: Answer, body: bytes, **changed: str) -> httpx.Response:
        """What a session, a form or a part asks for; ``changed`` are fields, or headers, of another value."""
        url = self.http.base_url.join(request["url"])
        if request["method"] == "POST":
            return httpx.post(url, data={**request["fields"], **changed}, files={"file": ("blob", body, "a/b")})
        return httpx.request(request["method"], url, headers={**request["headers"], **changed}, content=body)

    def complete(self, session: Answer) -> httpx.Response:
        return self.http.post(f"/uploads/{session['id']}/complete")

    def part(self, session: Answer, number: int, body: bytes) -> httpx.Response:
        asked = self.http.post(f"/uploads/{session['id']}/parts/sign", json={"numbers": [number]})
        return self.send(asked.raise_for_status().json()["data"]["urls"][0], body)

    def sent(self) -> Answer:
        """A session whose bytes have come."""
        session = self.begun()
        assert self.send(session, BODY).is_success
        return session

    def in_parts(self) -> Answer:
        """A session whose parts have come."""
        session = self.begun(LARGE)
        size = session["parts"]["size"]
        for number in (1, 2):
            assert self.part(session, number, LARGE[size * (number - 1) : size * number]).is_success
        return session

    def completed(self, session: Answer) -> Answer:
        assert self.complete(session).is_success
        return session


def first_part(session: Answer) -> bytes:
    return LARGE[: session["parts"]["size"]]


def repeated(ask: Callable[[], httpx.Response]) -> httpx.Response:
    assert ask().is_success
    return ask()


def part_again(client: Client) -> httpx.Response:
    session = client.in_parts()
    return client.part(session, 1, first_part(session))


def of_type(client: Client, content_type: str, filename: str) -> httpx.Response:
    session = client.begun(content_type=content_type, filename=filename)
    assert client.send(session, BODY).is_success
    done = client.complete(session)
    assert done.json()["data"]["mime_type"] == "image/jpeg"
    return done


def form_of_type(client: Client, content_type: str, filename: str) -> httpx.Response:
    asked = {"filename": filename, "type": content_type}
    form = client.http.get(f"{UPPY}/params", params=asked).raise_for_status().json()
    assert client.send(form, BODY).is_success
    return client.http.post(f"/uploads/{form['fields']['key'].rpartition('/')[2]}/complete")


def short_part(client: Client) -> httpx.Response:
    session = client.begun(LARGE)
    return client.part(session, 1, first_part(session)[:-1])


def long_part(client: Client) -> httpx.Response:
    session = client.begun(LARGE)
    return client.part(session, 1, first_part(session) + b"!")


def form_again(client: Client) -> httpx.Response:
    form = client.form(size=len(BODY))
    return repeated(lambda: client.send(form, BODY))


def with_digest(client: Client, body: bytes) -> httpx.Response:
    return client.send(client.begun(sha256=hashlib.sha256(BODY).hexdigest()), body)


def uppy_goes_to_the_end_again(client: Client) -> httpx.Response:
    asked = {"filename": "tram.jpg", "type": "image/jpeg"}
    upload = client.http.post(f"{UPPY}/multipart", json=asked).raise_for_status().json()
    path, query = f"{UPPY}/multipart/{upload['uploadId']}", {"key": upload["key"]}
    url = client.http.get(f"{path}/1", params=query).json()["url"]
    etag = httpx.put(str(client.http.base_url.join(url)), content=BODY).raise_for_status().headers["ETag"]
    parts = [{"PartNumber": 1, "ETag": etag}]
    done = client.http.post(f"{path}/complete", params=query, json={"parts": parts}).raise_for_status().json()
    listed = client.http.get(path, params=query).raise_for_status().json()
    assert listed == [{**parts[0], "Size": len(BODY)}]
    client.http.get(f"{path}/1", params=query).raise_for_status()
    again = client.http.post(f"{path}/complete", params=query, json={"parts": parts})
    assert again.json() == done
    return again


# What is done, whether it is taken, and how.
STEPS: list[tuple[str, bool, Step]] = [
    ("the file", True, lambda client: client.send(client.begun(), BODY)),
    ("the file again", True, lambda client: client.send(client.sent(), BODY)),
    ("the file again, after its end", True, lambda client: client.send(client.completed(client.sent()), BODY)),
    ("a byte too few", False, lambda client: client.send(client.begun(), BODY[:-1])),
    ("a byte too many", False, lambda client: client.send(client.begun(), BODY + b"!")),
    ("nothing", False, lambda client: client.send(client.begun(), b"")),
    ("another declared type", False, lambda client: client.send(client.begun(), BODY, **{"Content-Type": "image/png"})),
    ("other bytes than the digest's", False, lambda client: with_digest(client, OTHER)),
    ("the digest's bytes", True, lambda client: with_digest(client, BODY)),
    ("complete, before it came", False, lambda client: client.complete(client.begun())),
    ("complete", True, lambda client: client.complete(client.sent())),
    ("complete again", True, lambda client: client.complete(client.completed(client.sent()))),
    ("a file of no declared type", True, lambda client: of_type(client, "", "tram")),
    ("a file of unknown type", True, lambda client: of_type(client, "application/octet-stream", "tram.heic")),
    ("a file of another type", True, lambda client: of_type(client, "image/png", "tram.png")),
    ("a form of unknown type", True, lambda client: form_of_type(client, "Application/Octet-Stream", "tram.HEIC")),
    ("a form", True, lambda client: client.send(client.form(size=len(BODY)), BODY)),
    ("a form again", True, form_again),
    ("a form, of unknown size", True, lambda client: client.send(client.form(), BODY)),
    ("a form, a byte too few", False, lambda client: client.send(client.form(size=len(BODY)), BODY[:-1])),
    ("a form, too large", False, lambda client: client.send(client.form(), BODY + bytes(8 * MIB))),
    ("a form, nothing", False, lambda client: client.send(client.form(), b"")),
    ("a part again", True, part_again),
    ("a part, a byte too few", False, short_part),
    ("a part, a byte too many", False, long_part),
    ("complete parts", True, lambda client: client.complete(client.in_parts())),
    ("complete parts again", True, lambda client: client.complete(client.completed(client.in_parts()))),
    ("Uppy, which heard nothing of the end", True, uppy_goes_to_the_end_again),
]


@pytest.fixture(scope="module")
def bucket(object_store_server: SharedObjectStore) -> S3Options:
    return object_store_server.options()


@pytest.fixture(scope="module", params=["filesystem", "bucket"])
def api(
    request: pytest.FixtureRequest,
    database_server: DatabaseServer,
    tmp_path_factory: pytest.TempPathFactory,
    bucket: S3Options,
) -> Iterator[ApiServer]:
    """The same service over either store."""
    in_bucket = {
        "IMAGEGALLERY_STORAGE_S3_BUCKET": str(bucket.bucket),
        "IMAGEGALLERY_STORAGE_S3_PREFIX": bucket.prefix,
        "IMAGEGALLERY_STORAGE_S3_ENDPOINT_URL": str(bucket.endpoint_url),
        "IMAGEGALLERY_AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
        "IMAGEGALLERY_AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key),
    }
    sizes = {
        "IMAGEGALLERY_UPLOADS_MAX_SIZE": str(8 * MIB),
        "IMAGEGALLERY_UPLOADS_PARTS_THRESHOLD": str(5 * MIB),
        "IMAGEGALLERY_UPLOADS_PART_SIZE": str(5 * MIB),
    }
    script = Path(__file__).with_name("served.py")
    settings = {**SMALL, **sizes, **(in_bucket if request.param == "bucket" else {})}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database_server.clone()) as dsn,
        running_api(script, dsn, tmp_path_factory.mktemp(request.param), settings) as running,
    ):
        yield running


def test_both_stores_take_and_refuse_the_same(api: ApiServer, request: pytest.FixtureRequest) -> None:
    wrong = []
    for name, is_taken, step in STEPS:
        headers = {"X-User": f"user-{uuid4()}"}
        with httpx.Client(base_url=f"{api.url}/api/v1", headers=headers, timeout=60) as http:
            answer = step(Client(http))
        print(f"{request.node.callspec.id} | {name} | {answer.status_code}")
        if answer.is_success is not is_taken or answer.is_server_error:
            wrong.append((name, answer.status_code, answer.text))
    assert wrong == []
