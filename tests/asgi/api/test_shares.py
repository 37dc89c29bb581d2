"""Shares over HTTP: made and governed by their owner, opened by whoever has the link."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.asgi.conftest import ClientOf
from tests.support.servers.api import ApiServer


def share(owner: httpx.Client, gallery_id: str, **said: object) -> dict[str, Any]:
    answer = owner.post("/shares", json={"targets": [{"gallery_id": gallery_id}], **said})
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    made: dict[str, Any] = answer.json()["data"]
    assert answer.headers["Location"].endswith(f"/shares/{made['id']}")
    assert answer.headers["Cache-Control"] == "no-store"
    return made


def private_headers(answer: httpx.Response) -> bool:
    kept = answer.headers["Cache-Control"]
    is_private = kept in ("private, no-cache", "private, no-store", "no-store")
    return is_private and answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_from_making_a_share_to_ending_it(
    owner: httpx.Client, visitor: httpx.Client, stranger: httpx.Client, gallery: str, image: str
) -> None:
    made = share(owner, gallery, note="From our weekend", max_views=100)
    assert made["url"] == f"/s/{made['token']}"
    address = f"/shares/{made['id']}"
    got = owner.get(address)
    assert got.json()["data"] == {**{key: each for key, each in made.items() if key != "token"}, "url": None}
    assert made["token"] not in got.text + owner.get("/shares").text

    opened = visitor.get(f"/s/{made['token']}")
    assert private_headers(opened)
    told = opened.json()["data"]
    assert [each["id"] for each in told["galleries"]] == [gallery]
    assert (told["permissions"], told["metadata"], told["download"]) == (["view"], "basic", "none")
    assert told["note"] == "From our weekend"
    cookie, _ = opened.headers.get_list("Set-Cookie")
    assert told["visit"]["token"] in cookie
    assert {"HttpOnly", "SameSite=Lax", f"Path=/api/v1/s/{made['token']}"} <= set(cookie.split("; "))
    below = visitor.get(f"/s/{made['token']}/galleries/{gallery}/images")
    assert [each["id"] for each in below.json()["data"]] == [image]
    assert private_headers(below)

    changed = owner.patch(address, json={"note": "Look"}, headers={"If-Match": got.headers["ETag"]})
    assert changed.json()["data"]["note"] == "Look"
    stale = owner.patch(address, json={"note": "Again"}, headers={"If-Match": got.headers["ETag"]})
    assert stale.status_code == HTTPStatus.PRECONDITION_FAILED
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/link"), ("GET", "/accesses")):
        body = {"note": "Mine"} if method == "PATCH" else None
        assert stranger.request(method, address + path, json=body).status_code == HTTPStatus.NOT_FOUND

    (access,) = owner.get(f"{address}/accesses").json()["data"]
    assert (access["opened"], access["recipient"]) == (1, None)
    assert owner.delete(address).status_code == HTTPStatus.NO_CONTENT
    ended = visitor.get(f"/s/{made['token']}/galleries/{gallery}")
    assert (ended.status_code, ended.json()["details"]) == (HTTPStatus.GONE, {"reason": "revoked"})
    assert private_headers(ended)
    assert owner.get("/shares").json()["data"] == []
    assert owner.delete(address, params={"permanent": "true"}).status_code == HTTPStatus.NO_CONTENT
    assert visitor.get(f"/s/{made['token']}").status_code == HTTPStatus.NOT_FOUND


def test_every_wrong_link_has_one_answer(owner: httpx.Client, visitor: httpx.Client, gallery: str) -> None:
    token = share(owner, gallery)["token"]
    answers = set()
    for wrong in (token[:-1], token[1:], token + "A", token.swapcase(), uuid4().hex, "%00", "%ff", "x" * 5000, "a-b"):
        for below in ("", "/images/" + str(uuid4()), f"/galleries/{gallery}"):
            answer = visitor.get(f"/s/{wrong}{below}")
            told = {**answer.json(), "requestId": None}
            answers.add((answer.status_code, str(told), *sorted(set(answer.headers) - {"connection"})))
    assert len(answers) == 1
    assert next(iter(answers))[0] == HTTPStatus.NOT_FOUND


def test_a_password_opens_it_for_a_visit(owner: httpx.Client, client_of: ClientOf, gallery: str) -> None:
    made = share(owner, gallery, password="open sesame")
    link, browser, program = f"/s/{made['token']}", client_of(None), client_of(None)
    for path in (link, f"{link}/galleries/{gallery}", f"{link}/galleries/{gallery}/images"):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "password_required")
    wrong = browser.post(f"{link}/unlock", json={"password": "sesame"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_password")
    visit = browser.post(f"{link}/unlock", json={"password": "open sesame"}).json()["data"]["visit"]
    assert browser.get(f"{link}/galleries/{gallery}").status_code == HTTPStatus.OK
    assert browser.get(link).json()["data"]["visit"] is None
    program.headers["Share-Visit"] = visit["token"]
    assert program.get(f"{link}/galleries/{gallery}").status_code == HTTPStatus.OK
    owner.patch(f"/shares/{made['id']}", json={"password": "another"})
    assert browser.get(f"{link}/galleries/{gallery}").status_code == HTTPStatus.UNAUTHORIZED
    assert program.get(f"{link}/galleries/{gallery}").status_code == HTTPStatus.UNAUTHORIZED


def test_a_name_leads_there_and_an_earlier_one_to_it(owner: httpx.Client, visitor: httpx.Client, gallery: str) -> None:
    first, second = f"lisbon-{uuid4()}", f"porto-{uuid4()}"
    made = share(owner, gallery, slug=first)
    assert made["url"] == f"/s/{first}"
    assert visitor.get(f"/s/{first}").status_code == HTTPStatus.OK
    changed = owner.patch(f"/shares/{made['id']}", json={"slug": second}).json()["data"]
    assert changed["url"] == f"/s/{second}"
    moved = visitor.get(f"/s/{first}/galleries/{gallery}/images?limit=1")
    assert moved.status_code == HTTPStatus.PERMANENT_REDIRECT
    assert moved.headers["Location"] == f"/api/v1/s/{second}/galleries/{gallery}/images?limit=1"
    assert visitor.get(moved.headers["Location"].removeprefix("/api/v1")).status_code == HTTPStatus.OK
    taken = owner.post("/shares", json={"targets": [{"gallery_id": gallery}], "slug": first})
    assert taken.status_code == HTTPStatus.CONFLICT


def test_an_exhausted_link_says_so(owner: httpx.Client, client_of: ClientOf, gallery: str) -> None:
    made = share(owner, gallery, max_views=1)
    link, first, second = f"/s/{made['token']}", client_of(None), client_of(None)
    early = first.get(f"{link}/galleries/{gallery}")
    assert (early.status_code, early.json()["code"]) == (401, "visit_required")
    first.head(link)  # counts nothing
    assert first.get(link).status_code == HTTPStatus.OK
    assert first.get(f"{link}/galleries/{gallery}").status_code == HTTPStatus.OK
    for path in (link, f"{link}/galleries/{gallery}"):
        answer = second.get(path)
        assert (answer.status_code, answer.json()["details"]) == (410, {"reason": "exhausted"})


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"permissions": ["view", "delete"]}, ["body", "permissions", "1"]),
        ({"permissions": ["comment"]}, ["body", "permissions"]),
        ({"targets": [{}]}, ["body", "targets", "0"]),
        ({"targets": []}, ["body", "targets"]),
        ({"slug": "A"}, ["body", "slug"]),
        ({"recipients": [{"user": "ben", "group": "family"}]}, ["body", "recipients", "0"]),
        ({"recipients": [{"email": "nobody"}]}, ["body", "recipients", "0", "email"]),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ["body", "expires_at"]),
        ({"link": False}, ["body", "recipients"]),
        ({"download": "original", "permissions": ["view"]}, ["body", "download"]),
    ],
)
def test_what_cannot_be(owner: httpx.Client, gallery: str, said: dict[str, object], path: list[str]) -> None:
    answer = owner.post("/shares", json={"targets": [{"gallery_id": gallery}], **said})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert path in [each["path"] for each in answer.json()["faults"]]
    assert owner.get("/shares").json()["data"] == []


def test_others_things_cannot_be_shared(stranger: httpx.Client, gallery: str, image: str) -> None:
    for target in ({"gallery_id": gallery}, {"image_id": image}, {"gallery_id": str(uuid4())}):
        answer = stranger.post("/shares", json={"targets": [target]})
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert answer.json()["detail"].startswith("There is no such")


def test_a_link_is_no_user(owner: httpx.Client, gallery: str, image: str) -> None:
    """Not even its owner's: below it they see what visitors see, and can change nothing."""
    link = f"/s/{share(owner, gallery)['token']}"
    assert owner.get(f"{link}/galleries/{gallery}").json()["data"]["owner_id"] is None
    assert owner.get(f"{link}/images/{image}/download").status_code in (401, 403)
    for method, path in (("PATCH", f"/galleries/{gallery}"), ("DELETE", f"/images/{image}"), ("POST", "/shares")):
        answer = owner.request(method, link + path, json={})
        assert answer.status_code in (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_FOUND)


def test_no_log_has_a_token(owner: httpx.Client, visitor: httpx.Client, gallery: str, server: ApiServer) -> None:
    made = share(owner, gallery, password="open sesame")
    visitor.get(f"/s/{made['token']}/galleries/{gallery}")
    visitor.post(f"/s/{made['token']}/unlock", json={"password": "open sesame"})
    metrics = httpx.get(f"{server.url}/metrics").text
    assert "/s/{link}" in metrics
    assert made["token"] not in metrics


def test_a_private_gallery_is_there_below_its_link_and_nowhere_else(
    owner: httpx.Client, visitor: httpx.Client, photo: bytes
) -> None:
    gallery = owner.post("/galleries", json={"name": "Lisbon"}).json()["data"]["id"]
    other = owner.post("/galleries", json={"name": "Porto"}).json()["data"]["id"]
    jpeg = {"Content-Type": "image/jpeg"}
    image = owner.post(f"/galleries/{gallery}/uploads", content=photo, headers=jpeg).json()["data"]["id"]
    link = f"/s/{share(owner, gallery)['token']}"
    for path in (f"/galleries/{gallery}", f"/galleries/{gallery}/images", f"/images/{image}"):
        assert visitor.get(path).status_code == HTTPStatus.NOT_FOUND
        below = visitor.get(link + path)
        assert below.status_code == HTTPStatus.OK
        assert below.headers["Cache-Control"] == "private, no-cache"
        again = visitor.get(link + path, headers={"If-None-Match": below.headers["ETag"]})
        assert again.status_code == HTTPStatus.NOT_MODIFIED
        assert private_headers(again)
    assert visitor.get(f"{link}/galleries/{other}").status_code == HTTPStatus.NOT_FOUND
    assert visitor.get(f"{link}/images").status_code == HTTPStatus.NOT_FOUND  # it is of no library


def test_a_link_to_a_library_reads_it_by_time(owner: httpx.Client, visitor: httpx.Client, photo: bytes) -> None:
    image = owner.post("/images", content=photo, headers={"Content-Type": "image/jpeg"}).json()["data"]["id"]
    made = owner.post("/shares", json={"targets": [{"library": True}]}).json()["data"]
    link = f"/s/{made['token']}"
    assert visitor.get(link).json()["data"]["library"] is True
    assert [each["id"] for each in visitor.get(f"{link}/images").json()["data"]] == [image]
    (month,) = visitor.get(f"{link}/images/timeline").json()["data"]["months"]
    assert visitor.get(f"{link}/images/timeline/{month['month']}/images").json()["data"]["id"] == [image]
    assert visitor.get("/images").status_code == HTTPStatus.UNAUTHORIZED


def test_a_recipient_who_opens_the_link_is_named_to_the_owner(
    owner: httpx.Client, client_of: ClientOf, gallery: str
) -> None:
    ben = f"ben-{uuid4()}"
    made = share(owner, gallery, recipients=[{"user": ben, "download": "original"}])
    (recipient,) = owner.get(f"/shares/{made['id']}").json()["data"]["recipients"]
    assert (recipient["user"], recipient["permissions"]) == (ben, ["view", "download"])
    client_of(ben).get(f"/s/{made['token']}")
    (access,) = owner.get(f"/shares/{made['id']}/accesses").json()["data"]
    assert access["recipient"]["user"] == ben


def test_the_visit_is_for_the_link_where_the_api_is_mounted(
    owner: httpx.Client, server: ApiServer, gallery: str
) -> None:
    made = share(owner, gallery)
    opened = httpx.get(f"{server.url}/pictures/api/v1/s/{made['token']}")
    assert f"Path=/pictures/api/v1/s/{made['token']}" in opened.headers["Set-Cookie"]
    assert "Secure" not in opened.headers["Set-Cookie"]  # this is plain HTTP


def test_another_link_and_none(owner: httpx.Client, visitor: httpx.Client, gallery: str) -> None:
    made = share(owner, gallery)
    again = owner.post(f"/shares/{made['id']}/link").json()["data"]
    assert again["token"] != made["token"]
    assert visitor.get(f"/s/{made['token']}").status_code == HTTPStatus.NOT_FOUND
    assert visitor.get(f"/s/{again['token']}").status_code == HTTPStatus.OK
    assert owner.delete(f"/shares/{made['id']}/link").status_code == HTTPStatus.NO_CONTENT
    assert visitor.get(f"/s/{again['token']}").status_code == HTTPStatus.NOT_FOUND
    assert owner.get(f"/shares/{made['id']}").json()["data"]["has_link"] is False


def test_a_share_is_not_made_twice_by_a_key(owner: httpx.Client, gallery: str) -> None:
    """Its token is told once: a repetition could not tell it again."""
    body = {"targets": [{"gallery_id": gallery}]}
    answer = owner.post("/shares", json=body, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_not_taken")
