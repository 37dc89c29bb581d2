"""A change that was meant for what its client has seen changes nothing else: nobody's text is lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from imagegallery import Role
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.routes import OPERATIONS

STALE = ({"If-Match": '"0-0"'}, {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"})


def is_refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (412, "condition_failed")


@pytest.fixture(params=["image", "gallery"])
def path(request: pytest.FixtureRequest, image: str, gallery: str) -> str:
    return f"/images/{image}" if request.param == "image" else f"/galleries/{gallery}"


def text(path: str, value: str) -> dict[str, str]:
    return {"alt_text": value} if path.startswith("/images") else {"description": value}


def test_a_stale_change_loses_nobodys_text(owner: httpx.Client, path: str) -> None:
    tag = owner.get(path).headers["ETag"]
    mine = owner.patch(path, json=text(path, "mine"), headers={"If-Match": tag})
    assert mine.status_code == 200, mine.text
    for stale in ({"If-Match": tag}, {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        for refused in (
            owner.patch(path, json=text(path, "late"), headers=stale),
            owner.delete(path, headers=stale),
        ):
            assert is_refused(refused)
    now = owner.get(path)
    assert now.json()["data"].items() >= text(path, "mine").items()
    assert now.headers["ETag"] == mine.headers["ETag"]
    assert owner.delete(path, headers={"If-Match": now.headers["ETag"]}).status_code == 204


def test_of_several_changes_at_once_one_is_made(owner: httpx.Client, path: str) -> None:
    tag = owner.get(path).headers["ETag"]

    def change(number: int) -> int:
        return owner.patch(path, json=text(path, f"{number}"), headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(change, range(4))) == [200, 412, 412, 412]


def test_what_is_put_into_a_gallery_moved_or_taken_out_goes_by_the_gallery(
    owner: httpx.Client, gallery: str, image: str, photo: bytes
) -> None:
    images = f"/galleries/{gallery}/images"
    uploads = f"/galleries/{gallery}/uploads"
    other = owner.post(uploads, content=photo, headers={"Content-Type": "image/jpeg"}).json()["data"]["id"]
    jpeg = {"Content-Type": "image/jpeg"}
    before = [each["id"] for each in owner.get(images).json()["data"]]
    for stale in STALE:
        assert is_refused(owner.post(images, json={"image_ids": [image]}, headers=stale))
        assert is_refused(owner.post(images, content=photo, headers={**jpeg, **stale}))
        assert is_refused(owner.post(uploads, content=photo, headers={**jpeg, **stale}))
        assert is_refused(owner.post(f"{images}/move", json={"image_ids": [other], "before": image}, headers=stale))
        assert is_refused(owner.post(f"{images}/remove", json={"image_ids": [image]}, headers=stale))
        assert is_refused(owner.delete(f"{images}/{image}", headers=stale))
    assert [each["id"] for each in owner.get(images).json()["data"]] == before

    def tag() -> dict[str, str]:
        return {"If-Match": owner.get(f"/galleries/{gallery}").headers["ETag"]}

    moved = owner.post(f"{images}/move", json={"image_ids": [other], "before": image}, headers=tag())
    assert moved.status_code == 200
    assert moved.headers["ETag"] == tag()["If-Match"]
    removed = owner.post(f"{images}/remove", json={"image_ids": [other]}, headers=tag())
    added = owner.post(images, json={"image_ids": [other]}, headers={"If-Match": removed.headers["ETag"]})
    assert added.status_code == 200
    assert owner.delete(f"{images}/{image}", headers={"If-Match": added.headers["ETag"]}).status_code == 204


def test_what_comes_back_or_goes_for_good_goes_by_the_image(owner: httpx.Client, image: str) -> None:
    path = f"/images/{image}"
    for stale in STALE:
        assert is_refused(owner.post(f"{path}/restore", headers=stale))
        assert is_refused(owner.post(f"{path}/retry", headers=stale))
    owner.delete(path)
    for stale in STALE:
        assert is_refused(owner.post(f"{path}/restore", headers=stale))
        assert is_refused(owner.delete(f"{path}?permanent=true", headers=stale))
    restored = owner.post(f"{path}/restore", headers={"If-Match": "*"})
    assert owner.delete(path, headers={"If-Match": restored.headers["ETag"]}).status_code == 204
    trashed = owner.get("/images?trashed=true&fields=updated_at").json()["data"][0]["updated_at"]
    since = datetime.fromisoformat(trashed).astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert owner.delete(f"{path}?permanent=true", headers={"If-Unmodified-Since": since}).status_code == 204


def test_a_page_is_given_only_as_it_was_named(owner: httpx.Client, visitor: httpx.Client, path: str) -> None:
    for client in (owner, visitor):
        tag = client.get(path).headers["ETag"]
        assert client.get(path, headers={"If-Match": tag}).status_code == 200
        assert is_refused(client.get(path, headers={"If-Match": '"other"'}))


def test_nothing_is_changed_that_must_not_be_there(owner: httpx.Client, path: str) -> None:
    tag = owner.get(path).headers["ETag"]
    for named in ("*", tag):
        assert is_refused(owner.patch(path, json=text(path, "late"), headers={"If-None-Match": named}))
    assert owner.patch(path, json=text(path, "new"), headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_change_goes_by_the_version_whatever_addresses_were_signed_since(owner: httpx.Client, path: str) -> None:
    tag = owner.get(path).headers["ETag"]
    version, _, bytes_then = tag.strip('"').partition("-")
    signed_anew = f'"{version}-{bytes_then[::-1]}"'
    assert owner.get(path, headers={"If-None-Match": signed_anew}).status_code == 200
    assert owner.patch(path, json=text(path, "mine"), headers={"If-Match": signed_anew}).status_code == 200
    assert is_refused(owner.patch(path, json=text(path, "late"), headers={"If-Match": signed_anew}))


def ask(client: httpx.Client, operation: Operation, **headers: str) -> httpx.Response:
    """Without a body, about things that are not there: other faults come later, or are no 412."""
    return client.request(operation.method, re.sub(r"{\w+(:path)?}", str(uuid4()), operation.path), headers=headers)


WITHOUT_TAGS = [
    each for each in OPERATIONS if not each.holds_conditions and each.method != "OPTIONS" and each.role is Role.MEMBER
]


@pytest.mark.parametrize("operation", WITHOUT_TAGS, ids=lambda each: f"{each.method} {each.path}")
def test_a_condition_on_what_has_no_tag_does_not_hold(owner: httpx.Client, operation: Operation) -> None:
    assert is_refused(ask(owner, operation, **{"If-Match": '"x"'}))
    if operation.method != "GET":
        assert is_refused(ask(owner, operation, **{"If-Unmodified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}))


def test_anything_is_there_where_something_is_and_nowhere_else(owner: httpx.Client) -> None:
    by_place = {(each.method, each.path): each for each in OPERATIONS}
    delete = by_place["DELETE", "/webhooks/{webhook_id}"]
    assert ask(owner, delete, **{"If-Match": "*"}).status_code == 404
    assert is_refused(ask(owner, delete, **{"If-None-Match": "*"}))
    for place in (("PUT", "/objects/{token:path}"), ("PUT", "/uploads/{upload_id}/content")):
        assert is_refused(ask(owner, by_place[place], **{"If-Match": "*"}))
        assert ask(owner, by_place[place], **{"If-None-Match": "*"}).status_code != 412
