"""Duplicates over HTTP: asked for before an upload, refused or answered by one, listed and dismissed."""

import hashlib

import httpx
import pytest
from tests.support.waiting import until

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def first(owner: httpx.Client, gallery: str, photo: bytes) -> str:
    """The id of an image of the photo."""
    image_id: str = owner.post(f"/galleries/{gallery}/uploads", content=photo, headers=JPEG).json()["data"]["id"]
    return image_id


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_client_asks_which_files_are_in(owner: httpx.Client, first: str, photo: bytes) -> None:
    answer = owner.post("/uploads/check", json={"sha256": [digest(photo).upper(), digest(b"else")]})

    assert answer.json() == {"data": {"known": [{"sha256": digest(photo), "image_id": first, "is_trashed": False}]}}
    assert owner.post("/uploads/check", json={"sha256": ["0"]}).status_code == 422
    assert owner.post("/uploads/check", json={"sha256": [digest(b"")] * 1001}).status_code == 422


def test_an_upload_says_what_becomes_of_a_duplicate(
    owner: httpx.Client, gallery: str, first: str, photo: bytes
) -> None:
    address = f"/galleries/{gallery}/images"

    refused = owner.post(address, content=photo, headers=JPEG, params={"on_duplicate": "reject"})
    returned = owner.post(address, content=photo, headers=JPEG, params={"on_duplicate": "return_existing"})
    kept = owner.post(address, content=photo, headers=JPEG, params={"on_duplicate": "keep_both"})

    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")
    assert refused.json()["details"] == {"image_id": first}
    assert returned.json()["data"]["id"] == first
    assert kept.json()["data"]["id"] != first
    assert owner.post(address, content=photo, headers=JPEG, params={"on_duplicate": "x"}).status_code == 422


def test_a_session_for_a_known_file_is_completed_at_once(owner: httpx.Client, first: str, photo: bytes) -> None:
    declared = {"filename": "a.jpg", "content_type": "image/jpeg", "size": len(photo), "sha256": digest(photo)}

    returned = owner.post("/uploads", json={**declared, "on_duplicate": "return_existing"})
    refused = owner.post("/uploads", json={**declared, "on_duplicate": "reject"})

    assert returned.status_code == 201
    data = returned.json()["data"]
    assert (data["state"], data["image_id"], data["url"]) == ("completed", first, None)
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")


def test_look_alikes_are_listed_until_they_are_dismissed(
    owner: httpx.Client, stranger: httpx.Client, gallery: str, first: str, photo: bytes
) -> None:
    second = owner.post(f"/galleries/{gallery}/uploads", content=photo, headers=JPEG).json()["data"]["id"]
    # Both are noted when they are processed; whichever is last, finds the other.
    until(lambda: bool(owner.get("/images/duplicates").json()["data"]))

    (found,) = owner.get("/images/duplicates").json()["data"]
    assert found["image"]["id"] == second
    assert [(each["image"]["id"], each["distance"], each["is_exact"]) for each in found["others"]] == [(first, 0, True)]
    assert stranger.post("/images/duplicates/dismiss", json={"image_ids": [first, second]}).status_code == 403

    assert owner.post("/images/duplicates/dismiss", json={"image_ids": [first, second]}).status_code == 204
    assert owner.get("/images/duplicates").json() == {
        "data": [],
        "pagination": {"nextCursor": None, "hasMore": False},
    }
    assert owner.post("/images/duplicates/dismiss", json={"image_ids": [first]}).status_code == 422
