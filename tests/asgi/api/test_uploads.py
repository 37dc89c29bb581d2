"""Uploads over HTTP: by session and in one call, and that a refused one leaves nothing."""

import hashlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from tests.support.servers.api import ApiServer
from tests.support.waiting import until

MAX_UPLOAD = 2_000_000
Content = bytes | Iterator[bytes]
JPEG = {"Content-Type": "image/jpeg"}


def begin(owner: httpx.Client, photo: bytes, **more: object) -> httpx.Response:
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(photo), **more}
    return owner.post("/uploads", json=declared)


def send(owner: httpx.Client, session: dict[str, object], body: bytes) -> httpx.Response:
    """What the session says, to the letter; no sign-in goes with it."""
    url = owner.base_url.join(str(session["url"]))
    headers = session["headers"]
    assert isinstance(headers, dict)
    return httpx.request(str(session["method"]), url, headers=headers, content=body)


def test_a_session_from_beginning_to_end(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    begun = begin(owner, photo, gallery_id=gallery, sha256=hashlib.sha256(photo).hexdigest().upper())
    assert begun.status_code == 201
    session = begun.json()["data"]
    assert begun.headers["Location"] == f"/api/v1/uploads/{session['id']}"
    assert (session["state"], session["image_id"]) == ("pending", None)
    early = owner.post(f"/uploads/{session['id']}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload_incomplete")
    assert send(owner, session, photo).status_code == 204
    done = owner.post(f"/uploads/{session['id']}/complete")
    assert done.status_code == 202
    image_id = done.json()["data"]["id"]
    assert owner.post(f"/uploads/{session['id']}/complete").json()["data"]["id"] == image_id
    ended = owner.get(f"/uploads/{session['id']}").json()["data"]
    assert (ended["state"], ended["image_id"]) == ("completed", image_id)
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1


@pytest.mark.parametrize("key", ["3f1c", '"3f1c"', '"3f\\"1c"'])
def test_a_session_that_is_asked_for_again_is_the_same_one(owner: httpx.Client, photo: bytes, key: str) -> None:
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(photo)}
    headers = {"Idempotency-Key": f"{key}"}
    first = owner.post("/uploads", json=declared, headers=headers)
    again = owner.post("/uploads", json=declared, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.headers["Location"] == again.headers["Location"]
    assert send(owner, again.json()["data"], photo).status_code == 204
    other = owner.post("/uploads", json={**declared, "filename": "bus.jpg"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert owner.delete(again.headers["Location"].removeprefix("/api/v1")).status_code == 204


def test_a_key_is_the_same_in_quotes_and_without(owner: httpx.Client) -> None:
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": 10}
    answers = [
        owner.post("/uploads", json=declared, headers={"Idempotency-Key": key}) for key in ("of both", '"of both"')
    ]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    empty = owner.post("/uploads", json=declared, headers={"Idempotency-Key": '""'})
    assert (empty.status_code, empty.json()["code"]) == (422, "invalid_input")


def test_a_session_is_nobody_elses(owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client) -> None:
    path = f"/uploads/{begin(owner, b'x' * 10).json()['data']['id']}"
    assert stranger.get(path).status_code == stranger.delete(path).status_code == 404
    assert visitor.get(path).status_code == 401
    assert owner.delete(path).status_code == 204
    assert owner.get(path).json()["data"]["state"] == "cancelled"


def test_a_signed_upload_url_works_only_as_signed(owner: httpx.Client, photo: bytes) -> None:
    session = begin(owner, photo).json()["data"]
    url = owner.base_url.join(session["url"])
    other_type = httpx.put(url, content=photo, headers={"Content-Type": "image/png"})
    assert (other_type.status_code, other_type.json()["code"]) == (422, "type_mismatch")
    too_much = httpx.put(url, content=photo + b"x", headers=JPEG)
    assert too_much.status_code == 413
    too_little = httpx.put(url, content=photo[:-1], headers=JPEG)
    assert (too_little.status_code, too_little.json()["code"]) == (422, "size_mismatch")
    reading = httpx.get(url)
    assert (reading.status_code, reading.json()["code"]) == (403, "signature_invalid")
    altered = httpx.put(str(url)[:-3] + "abc", content=photo, headers=JPEG)
    assert altered.status_code == 403
    sent = send(owner, session, photo)
    assert sent.status_code == 204
    again = send(owner, session, photo)
    assert (again.status_code, again.headers["ETag"]) == (204, sent.headers["ETag"])
    others = send(owner, session, photo[::-1])
    assert (others.status_code, others.json()["code"]) == (409, "precondition_failed")


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream", "IMAGE/JPEG; x=y", ""])
def test_one_call_takes_a_picture_as_what_it_is(
    owner: httpx.Client, gallery: str, photo: bytes, content_type: str
) -> None:
    added = owner.post(f"/galleries/{gallery}/uploads", content=photo, headers={"Content-Type": content_type})
    assert (added.status_code, added.json()["data"]["mime_type"]) == (202, "image/jpeg"), added.text
    assert added.json()["data"]["filename"] == "image.jpg"
    form = owner.post(f"/galleries/{gallery}/uploads", files={"file": ("tram.heic", photo, content_type or None)})
    assert (form.status_code, form.json()["data"]["mime_type"]) == (202, "image/jpeg"), form.text


@pytest.mark.parametrize(("end", "status"), [("complete", 204), ("cancel", 409)])
def test_once_its_session_has_ended_an_upload_url_brings_nothing_new(
    owner: httpx.Client, server: ApiServer, photo: bytes, end: str, status: int
) -> None:
    """What became an image is known again: the answer to it may have been lost."""
    session = begin(owner, photo).json()["data"]
    first = send(owner, session, photo)
    path = f"/uploads/{session['id']}"
    ended = owner.post(f"{path}/complete") if end == "complete" else owner.delete(path)
    assert ended.is_success
    late = send(owner, session, photo)
    assert late.status_code == status
    assert late.headers.get("ETag") in (first.headers["ETag"], None)
    others = send(owner, session, photo[::-1])
    assert (others.status_code, others.json()["code"]) == (409, "upload_ended")
    assert server.stored(f"incoming/{session['id']}") == set()


@pytest.mark.parametrize(
    ("declared", "status", "code"),
    [
        ({"content_type": "image/svg+xml"}, 415, "unsupported_type"),
        ({"size": 0}, 422, "empty_file"),
        ({"size": MAX_UPLOAD + 1}, 413, "too_large"),
        ({"size": "10"}, 422, "invalid_input"),
        ({"gallery_id": "01890c60-7a5c-7c2e-8d3f-0123456789ab"}, 404, "not_found"),
    ],
)
def test_a_bad_declaration_begins_nothing(
    owner: httpx.Client, declared: dict[str, object], status: int, code: str
) -> None:
    refused = begin(owner, b"x" * 10, **declared)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_one_call_with_the_image_as_body(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    images = f"/galleries/{gallery}/uploads"
    named = owner.post(images, content=photo, headers={**JPEG, "Content-Disposition": "attachment; filename=a.jpg"})
    assert named.status_code == 202
    assert named.json()["data"]["filename"] == "a.jpg"
    assert named.headers["Location"] == f"/api/v1/images/{named.json()['data']['id']}"
    untyped = owner.post(
        images,
        params={"filename": "../ü/b.jpg"},
        content=iter([photo[:1000], photo[1000:]]),  # chunked: no Content-Length
        headers={"Content-Type": "application/octet-stream"},
    )
    assert untyped.json()["data"]["mime_type"] == "image/jpeg"
    assert "/" not in untyped.json()["data"]["filename"]


def test_one_call_with_a_form(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    sent = owner.post(
        f"/galleries/{gallery}/uploads",
        data={"alt_text": "Ein Tram é"},
        files={"file": ("tram é.jpg", photo, "image/jpeg")},
    )
    assert sent.status_code == 202
    data = sent.json()["data"]
    assert (data["filename"], data["alt_text"]) == ("tram é.jpg", "Ein Tram é")


def test_one_call_into_the_library_alone(owner: httpx.Client, photo: bytes) -> None:
    for sent in ({"content": photo, "headers": JPEG}, {"files": {"file": ("tram.jpg", photo)}}):
        added = owner.post("/images", params={"filename": "tram.jpg"}, **sent)
        assert (added.status_code, added.json()["data"]["filename"]) == (202, "tram.jpg")
        assert owner.get(added.headers["Location"].removeprefix("/api/v1")).status_code == 200
    assert len(owner.get("/images").json()["data"]) == 2


def test_a_file_where_ids_belong_is_taken_and_told_of_as_deprecated(
    owner: httpx.Client, gallery: str, photo: bytes
) -> None:
    images = f"/galleries/{gallery}/images"
    taken = owner.post(images, params={"filename": "tram.jpg"}, content=photo, headers=JPEG)
    form = owner.post(images, files={"file": ("tram.jpg", photo, "image/jpeg")})
    refused = owner.post(images, content=b"", headers=JPEG)
    assert [each.status_code for each in (taken, form, refused)] == [202, 202, 422]
    for answer in (taken, form, refused):
        assert answer.headers["Deprecation"] == "@1795996800"
        assert f'</api/v1/galleries/{gallery}/uploads>; rel="successor-version"' in answer.headers["Link"]
        assert 'rel="deprecation"' in answer.headers["Link"]
    ids = owner.post(images, json={"image_ids": [taken.json()["data"]["id"]]})
    there = owner.post(f"/galleries/{gallery}/uploads", content=photo, headers=JPEG)
    assert (ids.status_code, there.status_code) == (200, 202)
    assert not {"deprecation", "link"} & {*ids.headers, *there.headers}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "malformed_request"),
        (b"[" * 60_000, 400, "malformed_request"),
        (b'"' + b"x" * 1_000_000 + b'"', 413, "too_large"),
    ],
)
def test_bad_ids_are_refused(owner: httpx.Client, gallery: str, content: bytes, status: int, code: str) -> None:
    headers = {"Content-Type": "application/json"}
    refused = owner.post(f"/galleries/{gallery}/images", content=content, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


class TestRefused:
    """Each is refused with its code, and no row of an image and no object is there afterwards."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, owner: httpx.Client, gallery: str, server: ApiServer) -> Iterator[None]:
        incoming = server.stored("incoming/")
        yield
        assert owner.get("/images").json()["data"] == []
        assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 0
        assert server.stored(gallery) == set()
        assert server.stored("incoming/") == incoming

    def post(
        self, owner: httpx.Client, gallery: str, content: bytes | Iterator[bytes], **headers: str
    ) -> httpx.Response:
        headers = {"Content-Type": "image/jpeg", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return owner.post(f"/galleries/{gallery}/uploads", content=content, headers=headers)

    @pytest.mark.parametrize(
        ("content", "headers", "status", "code"),
        [
            (b"", {}, 422, "empty_file"),
            (b"not an image at all", {}, 422, "type_mismatch"),
            (b"not an image at all", {"Content_Type": "application/octet-stream"}, 415, "unsupported_type"),
            (b"<svg/>", {"Content_Type": "image/svg+xml"}, 415, "unsupported_type"),
            (b"hello", {"Content_Type": "text/plain"}, 415, "unsupported_body"),
            (b"\xff\xd8\xff\xe0" + b"\0" * 100, {}, 422, "bad_image"),
            (b"x", {"Content_Encoding": "gzip"}, 415, "unsupported_body"),
            (b"x" * (MAX_UPLOAD + 1), {}, 413, "too_large"),
            (b"{}", {"Content_Type": "application/json"}, 415, "unsupported_body"),
            (b"x", {"Content_Type": "multipart/form-data"}, 400, "malformed_request"),
        ],
    )
    def test_bad_bodies(
        self, owner: httpx.Client, gallery: str, content: bytes, headers: dict[str, str], status: int, code: str
    ) -> None:
        refused = self.post(owner, gallery, content, **headers)
        assert (refused.status_code, refused.json()["code"]) == (status, code)

    def test_too_many_bytes_of_no_announced_number(self, owner: httpx.Client, gallery: str, photo: bytes) -> None:
        refused = self.post(owner, gallery, iter([photo, *[b"\0" * 100_000] * 30]))
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

    def test_a_fault_that_a_form_has_after_its_file(self, owner: httpx.Client, gallery: str, photo: bytes) -> None:
        file_first = {"file": ("tram.jpg", photo), "alt_text": (None, b"x" * 501)}
        refused = owner.post(f"/galleries/{gallery}/uploads", files=file_first)
        assert refused.status_code == 422
        assert refused.json()["faults"][0]["path"] == ["body", "alt_text"]

    def test_somebody_elses_gallery(
        self, stranger: httpx.Client, visitor: httpx.Client, gallery: str, photo: bytes
    ) -> None:
        assert self.post(stranger, gallery, photo).status_code == 403
        assert self.post(visitor, gallery, photo).status_code == 401

    def test_a_client_that_asks_first_sends_nothing(self, gallery: str, server: ApiServer, user: str) -> None:
        head = _head(server, user, gallery, f"Content-Length: {MAX_UPLOAD + 1}\r\nExpect: 100-continue")
        with _connected(server) as connection:
            connection.sendall(head)
            assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")

    @pytest.mark.parametrize("framing", ["Content-Length: 12000", "Transfer-Encoding: chunked"])
    def test_a_client_that_goes_away(
        self, owner: httpx.Client, gallery: str, photo: bytes, server: ApiServer, user: str, framing: str
    ) -> None:
        body = photo[:2000] if "Length" in framing else b"7d0\r\n" + photo[:2000] + b"\r\n"
        with _connected(server) as connection:
            connection.sendall(_head(server, user, gallery, framing) + body)
            until(lambda: bool(_sessions(server, user)))
        until(lambda: {row["state"] for row in _sessions(server, user)} == {"cancelled"})


def _sessions(server: ApiServer, user: str) -> list[asyncpg.Record]:
    return server.rows("SELECT id, state FROM upload_sessions WHERE owner_id = $1", user)


def _connected(server: ApiServer) -> socket.socket:
    where = urlsplit(server.url)
    return socket.create_connection((where.hostname, where.port), timeout=60)


def _head(server: ApiServer, user: str, gallery: str, framing: str) -> bytes:
    """Of a one-call upload."""
    lines = [
        f"POST /api/v1/galleries/{gallery}/uploads HTTP/1.1",
        f"Host: {urlsplit(server.url).netloc}",
        f"X-User: {user}",
        "Content-Type: image/jpeg",
        framing,
    ]
    return "\r\n".join([*lines, "", ""]).encode()
