"""Policies over HTTP: told beforehand, chosen by every way in, and what they refuse told in plain words."""

from typing import Any

import httpx
import pytest
from tests.asgi.conftest import MAX_UPLOAD
from tests.asgi.tus_client import metadata
from tests.support.photographs import photograph
from tests.support.waiting import until

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture(scope="session")
def small() -> bytes:
    """A picture that is too narrow for the policy ``item``."""
    return photograph(80, 60)


def make(owner: httpx.Client, policy: str) -> str:
    made = owner.post("/galleries", json={"name": "Lisbon", "policy": policy})
    assert made.status_code == 201, made.text
    return str(made.json()["data"]["id"])


def add(owner: httpx.Client, gallery: str, content: bytes, **query: str) -> httpx.Response:
    return owner.post(f"/galleries/{gallery}/images", params=query, content=content, headers=JPEG)


def told(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


def test_a_client_can_tell_beforehand_what_will_be_taken(owner: httpx.Client, visitor: httpx.Client) -> None:
    listed: dict[str | None, Any] = {each["name"]: each for each in visitor.get("/policies").json()["data"]}
    assert list(listed) == [None, "avatar", "item", "listing"]
    assert all(each["max_size"] == MAX_UPLOAD and "image/jpeg" in each["types"] for each in listed.values())
    assert (listed["avatar"]["single"], listed["avatar"]["presets"]) == (True, ["thumbnail"])
    assert (listed["item"]["min_width"], listed["item"]["max_images"]) == (100, 1)
    assert owner.get("/openapi.json").json()["x-policies"] == list(listed.values())
    gallery = owner.get(f"/galleries/{make(owner, 'item')}").json()["data"]
    assert (gallery["policy"], gallery["upload_policy"]) == ("item", listed["item"])


def test_others_are_not_told_what_the_owner_may_upload(owner: httpx.Client, visitor: httpx.Client) -> None:
    gallery = make(owner, "item")
    owner.patch(f"/galleries/{gallery}", json={"visibility": "public"})
    seen = visitor.get(f"/galleries/{gallery}").json()["data"]
    assert (seen["policy"], seen["upload_policy"]) == (None, None)


def test_a_gallery_gets_and_loses_its_policy(owner: httpx.Client, gallery: str) -> None:
    for policy, expected in (("item", "item"), (None, None)):
        changed = owner.patch(f"/galleries/{gallery}", json={"policy": policy}).json()["data"]
        assert (changed["policy"], changed["upload_policy"]["name"]) == (expected, expected)
    refused = owner.patch(f"/galleries/{gallery}", json={"policy": "itme"})
    assert told(refused)[:2] == (422, "invalid_input")
    assert refused.json()["faults"] == [{"path": ["body", "policy"], "message": "must be one of avatar, item, listing"}]


def test_every_way_in_is_held_to_the_policy_that_it_names(
    owner: httpx.Client, gallery: str, small: bytes, photo: bytes
) -> None:
    size = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(small), "policy": "item"}

    def session() -> httpx.Response:
        begun = owner.post("/uploads", json={**size, "gallery_id": gallery}).json()["data"]
        assert begun["policy"] == "item"
        httpx.request(begun["method"], owner.base_url.join(begun["url"]), content=small, headers=begun["headers"])
        return owner.post(f"/uploads/{begun['id']}/complete")

    def form() -> httpx.Response:
        fields = {"policy": "item"}
        return owner.post(
            f"/galleries/{gallery}/images", data=fields, files={"file": ("tram.jpg", small, "image/jpeg")}
        )

    def tus() -> httpx.Response:
        about = metadata(filename="tram.jpg", gallery_id=gallery, policy="item")
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(small)), "Upload-Metadata": about}
        headers["Content-Type"] = "application/offset+octet-stream"
        return owner.post("/uploads/resumable", content=small, headers=headers)

    def draft() -> httpx.Response:
        headers = {"Upload-Draft-Interop-Version": "8", "Upload-Complete": "?1", **JPEG}
        return owner.post("/uploads/resumable?policy=item&filename=tram.jpg", content=small, headers=headers)

    def uppy() -> httpx.Response:
        query = {"filename": "tram.jpg", "type": "image/jpeg", "metadata[policy]": "item"}
        begun = owner.get("/uploads/uppy/s3/params", params=query).json()
        files = {"file": ("tram.jpg", small, "image/jpeg")}
        return httpx.request(begun["method"], begun["url"], data=begun["fields"], files=files)

    ways = {
        "bytes": lambda: add(owner, gallery, small, policy="item"),
        **{each.__name__: each for each in (session, form, tus, draft, uppy)},
    }
    for name, way in ways.items():
        answer = way()
        assert told(answer) == (
            422,
            "wrong_dimensions",
            "The picture has 80 x 60 pixels; it must be at least 100 wide.",
        ), name
    assert owner.get(f"/galleries/{gallery}/images").json()["data"] == []
    image = add(owner, gallery, photo, policy="item").json()["data"]
    assert image["policy"] == "item"


def test_a_policy_comes_before_the_file_of_a_form(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    files = {"file": ("tram.jpg", photo, "image/jpeg"), "policy": (None, b"item", "text/plain")}
    late = owner.post(f"/galleries/{gallery}/images", files=files)
    assert late.json()["faults"] == [{"path": ["body", "policy"], "message": "must come before the file"}]
    assert owner.get(f"/galleries/{gallery}/images").json()["data"] == []


def test_a_full_gallery_is_told(owner: httpx.Client, photo: bytes) -> None:
    gallery = make(owner, "item")
    assert add(owner, gallery, photo).status_code == 202
    assert told(add(owner, gallery, photo)) == (
        409,
        "gallery_full",
        "This gallery may hold 1 images at most; remove one first.",
    )


def test_an_avatar_takes_the_place_of_the_one_before_and_has_fewer_variants(owner: httpx.Client, photo: bytes) -> None:
    gallery = make(owner, "avatar")
    first, second = [add(owner, gallery, photo).json()["data"]["id"] for _ in range(2)]
    assert [each["id"] for each in owner.get(f"/galleries/{gallery}/images").json()["data"]] == [second]
    assert [each["id"] for each in owner.get("/images?trashed=true").json()["data"]] == [first]
    until(lambda: owner.get(f"/images/{second}").json()["data"]["processing_status"] == "complete")
    assert {each["type"] for each in owner.get(f"/images/{second}").json()["data"]["variants"]} == {"thumbnail"}


def test_the_application_refuses_in_its_own_words(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    refused = add(owner, gallery, photo, policy="listing", filename="face.jpg")
    assert told(refused) == (422, "refused", "Your listing may show no faces.")
    assert refused.json()["details"] == {"faces": 1}
    failed = add(owner, gallery, photo, policy="listing", filename="bug.jpg")
    assert told(failed)[:2] == (503, "hook_failed")
    assert failed.headers["Retry-After"] == "5"
    assert owner.get(f"/galleries/{gallery}/images").json()["data"] == []
    assert owner.get("/uploads").json()["data"] == []
    assert add(owner, gallery, photo, policy="listing").status_code == 202
