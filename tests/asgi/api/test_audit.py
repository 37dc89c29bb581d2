"""Owners see what was done to their things, by whom and from where."""

from http import HTTPStatus

import httpx
import pytest


def acts(client: httpx.Client, **asked: str) -> list[str]:
    answered = client.get("/audit", params=asked)
    assert answered.status_code == HTTPStatus.OK
    return [each["act"] for each in answered.json()["data"]]


def test_owners_see_what_was_done_to_a_gallery(owner: httpx.Client, stranger: httpx.Client, gallery: str) -> None:
    headers = {"X-Request-ID": "audit-test", "User-Agent": "test/1"}
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"}, headers=headers)
    (kept,) = owner.get("/audit", params={"gallery_id": gallery}).json()["data"]
    assert kept["act"] == "gallery.visibility_changed"
    assert kept["actor"] == {"kind": "user", "id": owner.headers["X-User"]}
    assert (kept["grant"], kept["gallery_id"]) == ("owner", gallery)
    assert kept["details"] == {"from": "public", "to": "private"}
    assert (kept["address"], kept["request_id"], kept["user_agent"]) == ("127.0.0.0/24", "audit-test", "test/1")
    assert acts(stranger, gallery_id=gallery) == acts(stranger) == []


def test_the_records_of_a_thing_outlive_it_page_by_page(owner: httpx.Client, gallery: str) -> None:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    owner.delete(f"/galleries/{gallery}")
    first = owner.get("/audit", params={"limit": 1}).json()
    assert [each["act"] for each in first["data"]] == ["gallery.deleted"]
    assert first["pagination"]["hasMore"]
    cursor = first["pagination"]["nextCursor"]
    assert acts(owner, limit="1", cursor=cursor) == ["gallery.visibility_changed"]


@pytest.mark.parametrize("asked", [{"image_id": "1"}, {"limit": "0"}, {"cursor": "x"}, {"act": "image.purged"}])
def test_what_cannot_be_asked(owner: httpx.Client, visitor: httpx.Client, asked: dict[str, str]) -> None:
    assert owner.get("/audit", params=asked).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert visitor.get("/audit", params=asked).status_code == HTTPStatus.UNAUTHORIZED


def test_everything_is_for_administrators(owner: httpx.Client, visitor: httpx.Client) -> None:
    assert owner.get("/admin/audit").json()["code"] == "forbidden"
    assert visitor.get("/admin/audit").status_code == HTTPStatus.UNAUTHORIZED
