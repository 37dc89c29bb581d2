"""Webhooks over HTTP."""

import json
from http import HTTPStatus

import httpx
import pytest
from tests.support.servers.webhooks import Receiver
from tests.support.waiting import until

from imagegallery import utc_now, verify_webhook


def test_from_making_one_to_a_verified_delivery_to_deleting_it(owner: httpx.Client, stranger: httpx.Client) -> None:
    with Receiver.running() as receiver:
        made = owner.post("/webhooks", json={"url": receiver.url, "event_types": ["gallery.changed"]})
        assert made.status_code == HTTPStatus.CREATED
        secret, webhook = made.json()["data"]["secret"], made.json()["data"]["webhook"]
        address = f"/webhooks/{webhook['id']}"
        assert made.headers["Location"].endswith(address)

        gallery_id = owner.post("/galleries", json={"name": "Lisbon"}).json()["data"]["id"]
        until(lambda: bool(receiver.received))
        (received,) = receiver.received
        verify_webhook(secret, received.headers, received.body, utc_now())
        assert json.loads(received.body)["data"]["gallery_id"] == gallery_id

    assert owner.get(address).json()["data"] == webhook
    assert owner.get("/webhooks").json()["data"] == [webhook]
    assert stranger.get(address).status_code == HTTPStatus.NOT_FOUND
    assert stranger.delete(address).status_code == HTTPStatus.NOT_FOUND
    assert owner.post(f"{address}/enable").json()["data"]["active"] is True
    assert owner.delete(address).status_code == HTTPStatus.NO_CONTENT
    assert owner.get(address).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://user:secret@127.0.0.1/"},
        {"url": "http://127.0.0.1/", "event_types": ["image.painted"]},
    ],
)
def test_what_cannot_be(owner: httpx.Client, body: dict[str, object]) -> None:
    answer = owner.post("/webhooks", json=body)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert owner.get("/webhooks").json()["data"] == []


def test_visitors_have_none(visitor: httpx.Client) -> None:
    assert visitor.get("/webhooks").status_code == HTTPStatus.UNAUTHORIZED
