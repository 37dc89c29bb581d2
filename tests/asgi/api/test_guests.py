"""Guests over HTTP: by every transport below a link, seen and taken back by themselves, decided about by the owner."""

import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image as Pillow
from tests.asgi import tus_client
from tests.asgi.conftest import ClientOf
from tests.support.servers.api import ApiServer

ADDING = {"permissions": ["view", "add_images"]}


def picture(side: int = 40) -> bytes:
    """Another one each time."""
    file = io.BytesIO()
    Pillow.effect_noise((side, side), 64).convert("RGB").save(file, "JPEG", quality=95)
    return file.getvalue()


def share(owner: httpx.Client, gallery_id: str, **said: object) -> dict[str, Any]:
    answer = owner.post("/shares", json={"targets": [{"gallery_id": gallery_id}], **ADDING, **said})
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    made: dict[str, Any] = answer.json()["data"]
    return made


def below(client: httpx.Client, made: dict[str, Any]) -> httpx.Client:
    """The client of a visitor, whose addresses begin at the link."""
    client.base_url = client.base_url.join(f"/api/v1/s/{made['token']}/")
    return client


def at(client: httpx.Client, path: str) -> str:
    """An address as it was told, from the root of the server."""
    return str(client.base_url.join(path))


def opened(client: httpx.Client) -> dict[str, Any]:
    """What the link itself answers."""
    told: dict[str, Any] = client.get(str(client.base_url).removesuffix("/")).json()["data"]
    return told


def named(client: httpx.Client, name: str = "Aunt Inês") -> dict[str, Any]:
    answer = client.post("/guests", json={"name": name})
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    guest: dict[str, Any] = answer.json()["data"]
    return guest


def mine(guest: httpx.Client) -> list[dict[str, Any]]:
    answer = guest.get("/guest-uploads/mine")
    assert answer.status_code == HTTPStatus.OK, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def inbox(owner: httpx.Client, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = owner.get("/guest-uploads", params=query).json()["data"]
    return found


# --- transports ---------------------------------------------------------------------------------------------


def in_one_request(guest: httpx.Client, gallery: str, _: str) -> None:
    answer = guest.post(f"/galleries/{gallery}/uploads", content=picture(), headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
    assert guest.get(at(guest, answer.headers["Location"])).status_code == HTTPStatus.OK


def as_a_form(guest: httpx.Client, gallery: str, _: str) -> None:
    form = {"file": ("tram.jpg", picture(), "image/jpeg")}
    answer = guest.post(f"/galleries/{gallery}/uploads", files=form, data={"alt_text": "A tram"})
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text


def begun(guest: httpx.Client, gallery: str, size: int) -> dict[str, Any]:
    said = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": size, "gallery_id": gallery}
    answer = guest.post("/uploads", json=said)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    session: dict[str, Any] = answer.json()["data"]
    assert answer.headers["Location"] == f"{guest.base_url.path}uploads/{session['id']}"
    return session


def straight_to_the_store(guest: httpx.Client, gallery: str, _: str) -> None:
    data = picture()
    session = begun(guest, gallery, len(data))
    sent = guest.request(session["method"], at(guest, session["url"]), content=data, headers=session["headers"])
    assert sent.is_success, sent.text
    done = guest.post(f"/uploads/{session['id']}/complete")
    assert done.status_code == HTTPStatus.ACCEPTED, done.text


def in_parts(guest: httpx.Client, gallery: str, _: str) -> None:
    data = picture(1000)
    session = begun(guest, gallery, len(data))
    urls = guest.post(f"/uploads/{session['id']}/parts/sign", json={"numbers": [1, 2]}).json()["data"]["urls"]
    size = session["parts"]["size"]
    count = session["parts"]["count"]
    for number in range(1, count + 1):
        url = next(each for each in (*urls, *session["parts"]["urls"]) if each["number"] == number)
        piece = data[(number - 1) * size : number * size]
        assert guest.request(url["method"], at(guest, url["url"]), content=piece, headers=url["headers"]).is_success
    done = guest.post(f"/uploads/{session['id']}/complete")
    assert done.status_code == HTTPStatus.ACCEPTED, done.text


def by_tus(guest: httpx.Client, gallery: str, _: str) -> None:
    data = picture()
    told = tus_client.metadata(filename="tram.jpg", filetype="image/jpeg", gallery_id=gallery)
    made = tus_client.post(guest, Upload_Length=str(len(data)), Upload_Metadata=told)
    assert made.status_code == HTTPStatus.CREATED, made.text
    assert made.headers["Location"].startswith(guest.base_url.path)
    upload = tus_client.Upload(guest, at(guest, made.headers["Location"]))
    assert upload.patch(data[:100], 0).status_code == HTTPStatus.NO_CONTENT
    assert upload.offset() == 100
    assert upload.patch(data[100:], 100).status_code == HTTPStatus.NO_CONTENT


def by_the_ietf_draft(guest: httpx.Client, gallery: str, _: str) -> None:
    said = {"Upload-Complete": "?1", "Content-Type": "image/jpeg"}
    answer = guest.post("/uploads/resumable", params={"gallery_id": gallery}, content=picture(), headers=said)
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text


def by_uppy(guest: httpx.Client, gallery: str, server_url: str) -> None:
    data = picture()
    query = {
        "filename": "a.jpg",
        "type": "image/jpeg",
        "metadata[gallery_id]": gallery,
        "metadata[size]": str(len(data)),
    }
    answer = guest.get("/uploads/uppy/s3/params", params=query)
    assert answer.status_code == HTTPStatus.OK, answer.text
    asked = answer.json()
    assert asked["url"].startswith(server_url)
    sent = guest.post(asked["url"], data=asked["fields"], files={"file": ("a.jpg", data, "image/jpeg")})
    assert sent.is_success, sent.text


def by_uppy_in_parts(guest: httpx.Client, gallery: str, _: str) -> None:
    data = picture()
    said = {"filename": "a.jpg", "type": "image/jpeg", "metadata": {"gallery_id": gallery, "size": len(data)}}
    begun = guest.post("/uploads/uppy/s3/multipart", json=said).json()
    address, key = f"/uploads/uppy/s3/multipart/{begun['uploadId']}", {"key": begun["key"]}
    url = guest.get(f"{address}/1", params=key).json()
    sent = guest.put(url["url"], content=data, headers=url.get("headers", {}))
    parts = [{"PartNumber": 1, "ETag": sent.headers["ETag"]}]
    done = guest.post(f"{address}/complete", params=key, json={"parts": parts})
    assert done.status_code == HTTPStatus.OK, done.text


Transport = Callable[[httpx.Client, str, str], None]
TRANSPORTS: list[Transport] = [
    in_one_request,
    as_a_form,
    straight_to_the_store,
    in_parts,
    by_tus,
    by_the_ietf_draft,
    by_uppy,
    by_uppy_in_parts,
]


def test_by_every_transport(owner: httpx.Client, client_of: ClientOf, gallery: str, server: ApiServer) -> None:
    made = share(owner, gallery)
    guest, other = below(client_of(None), made), below(client_of(None), made)
    before = owner.get(f"/galleries/{gallery}").json()["data"]["image_count"]
    named(other, "Tom")
    for send in TRANSPORTS:
        guest.cookies.clear()
        named(guest)
        send(guest, gallery, server.url)
        (added,) = mine(guest)
        assert added["image"]["filename"] != f"{added['image']['id']}.jpg"
        assert (added["state"], added["added_by"]) == ("pending", {"kind": "guest", "name": "Aunt Inês"}), send
        assert mine(other) == []
        assert other.get(f"/images/{added['image']['id']}").status_code == HTTPStatus.NOT_FOUND
    waiting = inbox(owner, share_id=made["id"])
    assert len(waiting) == len(TRANSPORTS)
    me = owner.get("/me").json()["data"]
    assert (me["pending_guest_uploads"], me["open_uploads"]) == (len(TRANSPORTS), 0)
    assert me["storage_used"] >= sum(each["size"] for each in waiting)
    detail = owner.get(f"/images/{waiting[0]['image']['id']}").json()["data"]
    assert (detail["is_pending"], detail["added_by"]) == (True, {"kind": "guest", "name": "Aunt Inês"})
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == before
    both = owner.post("/guest-uploads/approve", json={"all": True, "image_ids": [detail["id"]]})
    assert both.status_code == owner.post("/guest-uploads/approve", json={}).status_code == 422
    verdict = owner.post("/guest-uploads/approve", json={"all": True, "share_id": made["id"]}).json()["data"]
    assert len(verdict["done"]) == len(TRANSPORTS)
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == before + len(TRANSPORTS)
    assert inbox(owner) == []
    assert len(inbox(owner, state="approved")) == len(TRANSPORTS)
    shown = other.get(f"/images/{detail['id']}").json()["data"]
    assert (shown["is_pending"], shown["added_by"]) == (False, None)


def test_who_gave_no_name_adds_nothing(owner: httpx.Client, client_of: ClientOf, gallery: str) -> None:
    made = share(owner, gallery)
    visitor = below(client_of(None), made)
    answer = visitor.post(f"/galleries/{gallery}/uploads", content=picture(), headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.json()["code"]) == (401, "name_required")
    assert visitor.get("/guest-uploads/mine").json()["code"] == "name_required"
    for name in ("", " ", "a\nb", "x" * 101, "\u202eevil"):
        assert visitor.post("/guests", json={"name": name}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY, name
    looking = share(owner, gallery, permissions=["view"])
    only_looking = below(client_of(None), looking)
    told = [opened(each) for each in (visitor, only_looking)]
    assert [each["takes_uploads"] for each in told] == [True, False]
    assert [each["guest_name"] for each in told] == [None, None]
    assert only_looking.post("/guests", json={"name": "Tom"}).status_code == HTTPStatus.FORBIDDEN
    assert inbox(owner) == []


def test_the_cookie_is_of_the_link_alone_and_of_no_use_when_altered(
    owner: httpx.Client, client_of: ClientOf, gallery: str
) -> None:
    made, elsewhere = share(owner, gallery), share(owner, gallery)
    guest = below(client_of(None), made)
    answer = guest.post("/guests", json={"name": "<b>Inês</b>"})
    token = answer.json()["data"]["token"]
    assert {"HttpOnly", "SameSite=Lax", f"Path=/api/v1/s/{made['token']}"} <= set(
        answer.headers["Set-Cookie"].split("; ")
    )
    in_one_request(guest, gallery, "")
    program = below(client_of(None), made)
    program.headers["Share-Guest"] = token
    assert [each["added_by"]["name"] for each in mine(program)] == ["<b>Inês</b>"]
    assert opened(program)["guest_name"] == "<b>Inês</b>"
    assert named(program, "Inês")["id"] == answer.json()["data"]["id"]  # the same guest, under another name
    for place in range(len(token)):
        for other in {"A", "b", "."} - {token[place]}:
            program.headers["Share-Guest"] = token[:place] + other + token[place + 1 :]
            assert program.get("/guest-uploads/mine").json()["code"] == "name_required", place
    stranger = below(client_of(None), elsewhere)
    stranger.headers["Share-Guest"] = token
    assert stranger.get("/guest-uploads/mine").json()["code"] == "name_required"
    owner.patch(f"/shares/{made['id']}", json={"password": "open sesame"})
    program.headers["Share-Guest"] = token
    program.post("/unlock", json={"password": "open sesame"})
    assert program.get("/guest-uploads/mine").json()["code"] == "name_required"


def test_nobody_touches_the_upload_of_another_guest(
    owner: httpx.Client, stranger: httpx.Client, client_of: ClientOf, gallery: str
) -> None:
    made, elsewhere = share(owner, gallery), share(owner, gallery)
    guest, other, outsider = (below(client_of(None), each) for each in (made, made, elsewhere))
    for each in (guest, other, outsider):
        named(each)
    session = begun(guest, gallery, 9)
    address = f"/uploads/{session['id']}"
    for who in (other, outsider, stranger):
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/complete"), ("GET", "/parts")):
            assert who.request(method, address + path).status_code == HTTPStatus.NOT_FOUND
    assert client_of(None).get(address).status_code == HTTPStatus.UNAUTHORIZED
    assert guest.delete(address).status_code == HTTPStatus.NO_CONTENT


def test_a_share_that_is_revoked_under_way_takes_nothing(
    owner: httpx.Client, client_of: ClientOf, gallery: str
) -> None:
    made = share(owner, gallery)
    guest, data = below(client_of(None), made), picture()
    named(guest)
    session = begun(guest, gallery, len(data))
    guest.request(session["method"], at(guest, session["url"]), content=data, headers=session["headers"])
    owner.delete(f"/shares/{made['id']}")
    answer = guest.post(f"/uploads/{session['id']}/complete")
    assert (answer.status_code, answer.json()["details"]) == (410, {"reason": "revoked"})
    assert inbox(owner) == []


def test_taken_back_and_rejected(owner: httpx.Client, client_of: ClientOf, gallery: str) -> None:
    made = share(owner, gallery)
    guest = below(client_of(None), made)
    named(guest)
    for _ in range(2):
        in_one_request(guest, gallery, "")
    first, second = (each["image"]["id"] for each in mine(guest))
    assert guest.delete(f"/guest-uploads/mine/{first}").status_code == HTTPStatus.NO_CONTENT
    assert guest.delete(f"/guest-uploads/mine/{first}").status_code == HTTPStatus.NOT_FOUND
    assert owner.get(f"/images/{first}").status_code == HTTPStatus.NOT_FOUND
    assert owner.post("/guest-uploads/reject", json={"image_ids": [second]}).json()["data"]["done"] == [second]
    assert mine(guest) == inbox(owner) == []


def test_the_limits_of_a_share(owner: httpx.Client, client_of: ClientOf, gallery: str) -> None:
    made = share(owner, gallery, guest_max_images=1, approval=False)
    assert (made["guest_max_images"], made["approval"]) == (1, False)
    guest = below(client_of(None), made)
    named(guest)
    in_one_request(guest, gallery, "")
    assert mine(guest)[0]["state"] == "approved"
    full = guest.post(f"/galleries/{gallery}/uploads", content=picture(), headers={"Content-Type": "image/jpeg"})
    told = full.json()
    assert (full.status_code, told["code"], told.get("details")) == (403, "quota_exceeded", {})
    changed = owner.patch(f"/shares/{made['id']}", json={"guest_max_images": 2, "guest_max_bytes": 10})
    assert changed.json()["data"]["guest_max_bytes"] == 10
    for name in ("guest_max_images", "guest_max_bytes"):
        assert owner.patch(f"/shares/{made['id']}", json={name: -1}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("field", ["visibility", "meta"])
def test_what_the_owner_alone_says(owner: httpx.Client, client_of: ClientOf, gallery: str, field: str) -> None:
    guest = below(client_of(None), share(owner, gallery))
    named(guest)
    said = {"visibility": "public"} if field == "visibility" else {"meta": {"sku": str(uuid4())}}
    session = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 9, "gallery_id": gallery, **said}
    answer = guest.post("/uploads", json=session)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [each["path"] for each in answer.json()["faults"]] == [["body", field]]
