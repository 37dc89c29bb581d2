"""Who asks too often, or uploads too much, over HTTP: a server with tight limits."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.servers.api import ApiServer, running_api
from tests.support.servers.redis import RedisServer

TIGHT = {
    "IMAGEGALLERY_RATES_VISITORS": "5/hour",
    "IMAGEGALLERY_RATES_USERS": "10/hour",
    "IMAGEGALLERY_RATES_UPLOADS": "3/hour",
    "IMAGEGALLERY_UPLOADS_MAX_OPEN": "2",
    "IMAGEGALLERY_IMAGING_PROCESSES": "1",
    "IMAGEGALLERY_CLIENT_STALL": "0.5",
}
UPLOAD = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10}


@pytest.fixture(scope="module")
def tight_server(
    database_server: DatabaseServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    script = Path(__file__).with_name("served.py")
    settings = {**TIGHT, "IMAGEGALLERY_REDIS_URL": redis_server.url}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database_server.clone()) as dsn,
        running_api(script, dsn, tmp_path_factory.mktemp("tight"), settings) as running,
    ):
        yield running


@pytest.fixture
def api(tight_server: ApiServer, redis_server: RedisServer) -> Iterator[httpx.Client]:
    redis_server.command("FLUSHALL")
    with httpx.Client(base_url=f"{tight_server.url}/api/v1", timeout=60) as client:
        yield client


def is_refused(answer: httpx.Response, code: str) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert 1 <= int(answer.headers["Retry-After"]) <= 3_600
    assert answer.json()["details"]["retry_after"] == int(answer.headers["Retry-After"])
    return True


def test_a_visitor_who_asks_too_often_is_told_when_to_come_back(api: httpx.Client) -> None:
    assert [api.get("/galleries").status_code for _ in range(5)] == [200] * 5
    assert is_refused(api.get("/galleries"), "rate_limited")
    assert api.get("/galleries", headers={"X-User": "ana"}).status_code == 200


def test_a_page_that_is_kept_counts_like_any_other(api: httpx.Client) -> None:
    ana = {"X-User": "ana"}
    made = api.post("/galleries", json={"name": "Lisbon", "visibility": "public"}, headers=ana).json()["data"]
    answers = [api.get(f"/galleries/{made['id']}/images") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3


def test_a_user_has_a_rate_of_their_own(api: httpx.Client) -> None:
    for user in ("ana", "ben"):
        answers = [api.get("/images", headers={"X-User": user}) for _ in range(11)]
        assert [answer.status_code for answer in answers[:10]] == [200] * 10
        assert is_refused(answers[10], "rate_limited")


def test_the_probes_are_never_refused(api: httpx.Client, tight_server: ApiServer) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert {api.get(tight_server.url + path).status_code for _ in range(20)} == {200}


def test_uploads_are_limited_each_way_with_its_own_code(api: httpx.Client) -> None:
    ana = {"X-User": "ana"}
    opened = [api.post("/uploads", json=UPLOAD, headers=ana) for _ in range(3)]
    assert [answer.status_code for answer in opened[:2]] == [201, 201]
    assert (opened[2].status_code, opened[2].json()["code"]) == (409, "too_many_open_uploads")
    api.delete(f"/uploads/{opened[0].json()['data']['id']}", headers=ana)
    assert is_refused(api.post("/uploads", json=UPLOAD, headers=ana), "upload_rate_exceeded")


def test_without_redis_the_service_answers_and_limits_all_the_same(
    api: httpx.Client, tight_server: ApiServer, redis_server: RedisServer
) -> None:
    redis_server.kill()
    try:
        assert api.get(f"{tight_server.url}/readyz").status_code == 200
        statuses = [api.get("/images", headers={"X-User": "cleo"}).status_code for _ in range(12)]
        assert statuses == [200] * 10 + [429] * 2
    finally:
        redis_server.start()


@pytest.mark.parametrize("path", ["/uploads", "/galleries"])
def test_the_description_tells_of_it(api: httpx.Client, tight_server: ApiServer, path: str) -> None:
    document = api.get(f"{tight_server.url}/openapi.json").json()
    refusal = document["paths"][path]["post"]["responses"]["429"]
    assert "rate_limited" in refusal["description"]
    assert "Retry-After" in refusal["headers"]


def stalled(server: ApiServer, method: str, path: str, headers: dict[str, str], sent: bytes) -> tuple[str, bytes]:
    """What is answered, until the connection is closed, to who announces a thousand bytes and sends some of them."""
    at = urlsplit(server.url)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {at.netloc}", "Content-Length: 1000"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((at.hostname, at.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
        with connection.makefile("rb") as answer:
            return answer.readline().decode(), answer.read()


def test_who_stalls_is_told_and_leaves_nothing_behind(api: httpx.Client, tight_server: ApiServer) -> None:
    ira = {"X-User": "ira"}
    made = api.post("/galleries", json={"name": "Lisbon"}, headers=ira).json()["data"]
    path, headers = f"/api/v1/galleries/{made['id']}/uploads", {**ira, "Content-Type": "image/jpeg"}
    status, answer = stalled(tight_server, "POST", path, headers, b"\xff\xd8\xff")
    assert status.startswith("HTTP/1.1 408 ")
    assert b"body_stalled" in answer
    assert api.get("/images", headers=ira).json()["data"] == []
    assert api.get("/me", headers=ira).json()["data"]["open_uploads"] == 0
    assert not tight_server.stored("incoming")


def test_what_had_arrived_of_a_resumable_upload_that_stalls_is_kept(api: httpx.Client, tight_server: ApiServer) -> None:
    tus = {"X-User": "jo", "Tus-Resumable": "1.0.0"}
    made = api.post("/uploads/resumable", headers={**tus, "Upload-Length": "1000"})
    path = httpx.URL(made.headers["Location"]).path
    appending = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    status, _ = stalled(tight_server, "PATCH", path, appending, b"x" * 400)
    assert status.startswith("HTTP/1.1 408 ")
    assert api.head(f"{tight_server.url}{path}", headers=tus).headers["Upload-Offset"] == "400"
