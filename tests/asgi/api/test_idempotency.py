"""``Idempotency-Key`` on every request that makes something: once, however often it is sent; or refused."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.support.studio import picture

from imagegallery_asgi.framework.operations import Operation, Repeats
from imagegallery_asgi.routes import OPERATIONS

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": f'"{uuid4()}"'}


def makes_something(operation: Operation) -> bool:
    """A signed URL is a key by itself: it makes one thing, however often it is used."""
    statuses = {operation.status, *operation.answers} & {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
    located = any("Location" in answer.headers for answer in operation.answers.values())
    return (
        operation.needs_principal
        and operation.method == "POST"
        and bool(statuses)
        and (HTTPStatus.CREATED in statuses or located)
    )


MAKING = [operation for operation in OPERATIONS if makes_something(operation)]


@pytest.mark.parametrize("operation", MAKING, ids=lambda operation: operation.name)
def test_every_request_that_makes_something_takes_a_key_or_refuses_it(operation: Operation) -> None:
    assert operation.repeats is not Repeats.HARMLESS


def test_a_gallery_is_made_once(owner: httpx.Client, stranger: httpx.Client, key: dict[str, str]) -> None:
    asked = {"name": "Lisbon", "description": "Trams"}
    made = owner.post("/galleries", json=asked, headers=key)
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/api/v1")
    owner.patch(path, json={"name": "Lisboa"})
    again = owner.post("/galleries", json=asked, headers=key)
    assert (again.status_code, again.headers["Location"]) == (201, made.headers["Location"])
    assert again.json()["data"]["name"] == "Lisboa", "as it is now"
    assert len(owner.get("/galleries").json()["data"]) == 1
    other = owner.post("/galleries", json={**asked, "name": "Porto"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert stranger.post("/galleries", json=asked, headers=key).headers["Location"] != made.headers["Location"]


def test_a_webhook_is_made_once_and_its_secret_told_to_who_did_not_hear_it(
    owner: httpx.Client, key: dict[str, str]
) -> None:
    asked = {"url": "http://127.0.0.1:9/", "event_types": ["image.ready"]}
    made, again = (owner.post("/webhooks", json=asked, headers=key) for _ in range(2))
    assert made.status_code == again.status_code == 201, made.text
    assert again.json() == made.json()
    assert len(owner.get("/webhooks").json()["data"]) == 1
    other = owner.post("/webhooks", json={"url": "http://127.0.0.1:10/"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def as_body(owner: httpx.Client, gallery: str, photo: bytes, key: dict[str, str]) -> httpx.Response:
    return owner.post(f"/galleries/{gallery}/uploads?filename=a.jpg", content=photo, headers={**JPEG, **key})


def as_form(owner: httpx.Client, gallery: str, photo: bytes, key: dict[str, str]) -> httpx.Response:
    form: dict[str, Any] = {"data": {"alt_text": "A tram"}, "files": {"file": ("a.jpg", photo, "image/jpeg")}}
    return owner.post(f"/galleries/{gallery}/images", headers=key, **form)


@pytest.mark.parametrize("send", [as_body, as_form])
def test_one_call_makes_one_image(
    owner: httpx.Client, gallery: str, photo: bytes, key: dict[str, str], send: Any
) -> None:
    made = send(owner, gallery, photo, key)
    assert made.status_code == 202, made.text
    path = made.headers["Location"].removeprefix("/api/v1")
    owner.patch(path, json={"alt_text": "Tram 28"})
    again = send(owner, gallery, photo, key)
    assert (again.status_code, again.headers["Location"]) == (202, made.headers["Location"])
    assert again.json()["data"]["alt_text"] == "Tram 28", "a repeat takes nothing back"
    assert len(owner.get("/images").json()["data"]) == 1
    others = picture(320, 200)
    other = send(owner, gallery, others, key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(owner.get("/images").json()["data"]) == 1


def test_one_call_that_was_refused_is_refused_again(owner: httpx.Client, gallery: str, key: dict[str, str]) -> None:
    refused = [as_body(owner, gallery, b"\xff\xd8\xff\xe0" + bytes(100), key) for _ in range(2)]
    assert [each.json()["code"] for each in refused] == ["bad_image"] * 2


def test_a_key_that_would_be_in_vain_is_refused(owner: httpx.Client, key: dict[str, str]) -> None:
    uppy = {"filename": "tram.jpg", "type": "image/jpeg"}
    for refused in (
        owner.post("/uploads/uppy/s3/multipart", json=uppy, headers=key),
        owner.get("/uploads/uppy/s3/params", params=uppy, headers=key),
    ):
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_not_taken")
