"""Who asks comes before what they ask; a body is no larger, and holds the loop no longer, than its operation needs."""

import re
import threading

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.types import Message

from imagegallery import TooLarge
from imagegallery.errors import Fault
from imagegallery_asgi.api.requests import CompleteUpload
from imagegallery_asgi.framework import bodies
from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.framework.operations import JSON, JSON_LIMIT, Operation
from imagegallery_asgi.framework.parsing import parse_json
from imagegallery_asgi.routes import OPERATIONS

FOR_USERS = [each for each in OPERATIONS if each.needs_user]
ID = "01890c60-7a5c-7c2e-8d3f-0123456789ab"


def test_whatever_changes_something_is_for_users() -> None:
    changes = {each.name for each in OPERATIONS if each.method not in ("GET", "OPTIONS")}
    by_address = {
        "files.put_object",
        "files.post_object",
        "files.make_gallery_cookies",
        "links.unlock_share",
        "links.join_share",
        "links.name_guest",
    }
    assert changes - {each.name for each in FOR_USERS} == by_address


@pytest.mark.parametrize("operation", FOR_USERS, ids=lambda each: each.name)
def test_a_visitor_is_turned_away_before_the_body_is_read(operation: Operation, visitor: httpx.Client) -> None:
    path = re.sub(r"{\w++}", ID, operation.path)
    answer = visitor.request(operation.method, path, content=b"{" * 100_000, headers={"Content-Type": JSON})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_body_has_as_many_bytes_as_its_operation_needs(owner: httpx.Client) -> None:
    for path, limit in (("/images/batch", JSON_LIMIT), (f"/uploads/{ID}/complete", 1024 * 1024)):
        answer = owner.post(path, content=b" " * (limit + 1), headers={"Content-Type": JSON})
        assert (answer.status_code, answer.json()["details"]) == (413, {"limit": limit})
        answer = owner.post(path, content=b" " * limit, headers={"Content-Type": JSON})
        assert answer.status_code == 400


def test_a_thousand_wrong_ids_are_told_of_in_a_short_answer(owner: httpx.Client) -> None:
    answer = owner.post("/images/batch", json={"action": "trash", "ids": [0] * 1000})
    assert (answer.status_code, len(answer.json()["faults"])) == (422, 50)
    answer = owner.post("/images/batch", json={"action": "trash", "ids": [0] * 30_000})
    assert [fault["message"] for fault in answer.json()["faults"]] == ["must have 1 to 1,000 entries"]


def test_the_description_tells_the_limits() -> None:
    paths = msgspec.json.decode(Description(OPERATIONS).at("/"))["paths"]
    batch = paths["/images/batch"]["post"]["requestBody"]["content"][JSON]
    complete = paths["/uploads/{upload_id}/complete"]["post"]["requestBody"]["content"][JSON]
    assert (batch["x-max-bytes"], complete["x-max-bytes"]) == (65_536, 1_048_576)
    image = paths["/galleries/{gallery_id}/uploads"]["post"]["requestBody"]["content"]["application/octet-stream"]
    assert "x-max-bytes" not in image


def asking(body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", JSON.encode())]}, receive)


@pytest.mark.parametrize(("parts", "in_loop"), [(10, True), (10_000, False)])
async def test_a_large_body_is_read_beside_the_loop(parts: int, in_loop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noted(kind: type, value: object, path: tuple[str, ...], faults: list[Fault]) -> object:
        threads.append(threading.current_thread())
        return parse_json(kind, value, path, faults)

    monkeypatch.setattr(bodies, "parse_json", noted)
    body = msgspec.json.encode({"parts": [{"number": number + 1, "etag": "x" * 32} for number in range(parts)]})
    found = await bodies.read_json(CompleteUpload, asking(body), 1024 * 1024, [])
    assert found is not None
    assert found.parts is not None
    assert len(found.parts) == parts
    assert (threads == [threading.main_thread()]) is in_loop


async def test_what_is_too_long_is_not_kept_while_it_comes() -> None:
    with pytest.raises(TooLarge):
        await bodies.read_json(CompleteUpload, asking(b" " * 101), 100, [])
