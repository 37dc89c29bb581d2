"""Server-sent events over a real connection."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.servers.service import running_service
from tests.support.waiting import until

Block = dict[str, str]


def blocks(response: httpx.Response) -> Iterator[Block]:
    """The stream's blocks by field name; comments are left out."""
    block: Block = {}
    for line in response.iter_lines():
        if not line:
            yield block
            block = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            block[name] = value


def events(response: httpx.Response) -> Iterator[Any]:
    """The events' JSON."""
    for block in blocks(response):
        if "data" in block:
            document = json.loads(block["data"])
            assert (document["id"], document["type"]) == (block["id"], block["event"])
            yield document


def make_gallery(client: httpx.Client) -> str:
    return str(client.post("/galleries", json={"name": "Lisbon"}).json()["data"]["id"])


def test_an_image_from_upload_to_ready(owner: httpx.Client, photo: bytes) -> None:
    gallery_id = make_gallery(owner)
    with owner.stream("GET", "/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"].startswith("no-store")
        jpeg = {"Content-Type": "image/jpeg"}
        image = owner.post(f"/galleries/{gallery_id}/uploads", content=photo, headers=jpeg).json()["data"]
        seen = []
        for event in events(stream):
            seen.append(event)
            if event["type"] == "image.ready":
                break
    assert {event["type"] for event in seen} == {"gallery.changed", "image.uploaded", "variant.ready", "image.ready"}
    uploaded = next(event["data"] for event in seen if event["type"] == "image.uploaded")
    assert (uploaded["image_id"], uploaded["gallery_id"]) == (image["id"], gallery_id)
    assert [int(event["id"]) for event in seen] == sorted({int(event["id"]) for event in seen})


def test_who_comes_back_misses_nothing(owner: httpx.Client, stranger: httpx.Client) -> None:
    with owner.stream("GET", "/events") as stream:
        start = next(blocks(stream))["id"]
    missed = [make_gallery(owner) for _ in range(3)]
    make_gallery(stranger)
    with owner.stream("GET", "/events", params={"after": start}) as stream:
        following = events(stream)
        seen = [next(following) for _ in range(2)]
    with owner.stream("GET", f"/events?after={start}", headers={"Last-Event-ID": seen[-1]["id"]}) as stream:
        seen.append(next(events(stream)))
    assert [event["data"]["gallery_id"] for event in seen] == missed


def test_visitors_hear_nothing(visitor: httpx.Client) -> None:
    for method in ("GET", "HEAD"):
        assert visitor.request(method, "/events").status_code == HTTPStatus.UNAUTHORIZED


def test_head_does_not_wait_for_events(owner: httpx.Client) -> None:
    answer = owner.head("/events")
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/event-stream")


@pytest.mark.parametrize(("after", "status"), [("x", 422), ("-1", 422), ("9" * 19, 410)])
def test_where_nothing_can_be_resumed(owner: httpx.Client, after: str, status: int) -> None:
    assert owner.get("/events", params={"after": after}).status_code == status
    assert owner.get("/events", headers={"Last-Event-ID": after}).status_code == status


def test_the_end_of_the_service_ends_the_stream(database_dsn: str, tmp_path: Path) -> None:
    environment = {"IMAGEGALLERY_DATABASE_DSN": database_dsn}
    with (
        running_service(tmp_path / "data", "--no-worker", "--drain", "1", environment=environment) as service,
        # Longer than the drain, for which streams go on.
        httpx.stream("GET", f"{service.url}/api/v1/events", timeout=60) as stream,
    ):
        following = blocks(stream)
        next(following)
        service.process.terminate()
        assert list(following) == [{}]  # whole, and with nothing but the last words
        until(lambda: service.process.poll() is not None)
