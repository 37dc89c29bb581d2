"""tus 1.0.0 over HTTP, its core: https://tus.io/protocols/resumable-upload."""

import hashlib
from uuid import uuid4

import httpx
import pytest
from tests.asgi.tus_client import BYTES, MAX_UPLOAD, NEW, VERSION, Upload, code_of, create, post
from tests.support.servers.api import ApiServer

# --- Core protocol -------------------------------------------------------------------------------------------


def test_an_upload_in_pieces_becomes_an_image(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    assert upload.head().headers["Upload-Length"] == str(len(photo))
    for offset in range(0, len(photo), 10_000):
        piece = photo[offset : offset + 10_000]
        answer = upload.patch(piece, offset)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(offset + len(piece)))
    session = upload.session()
    assert session["state"] == "completed"
    image = owner.get(f"/images/{session['image_id']}").json()["data"]
    assert image["filename"] == "tram.jpg"
    assert image["sha256"] == hashlib.sha256(photo).hexdigest()


def test_head_tells_the_offset_also_at_the_start_and_at_the_end(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    assert upload.offset() == 0
    upload.patch(photo, 0)
    assert upload.offset() == len(photo)


def test_head_is_not_cached(owner: httpx.Client) -> None:
    assert create(owner, 10).head().headers["Cache-Control"] == "no-store"


def test_head_of_nothing_has_no_offset(owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client) -> None:
    nothing = Upload(owner, f"{NEW}/{uuid4()}")
    elsewhere = Upload(stranger, create(owner, 10).path)
    for upload in (nothing, elsewhere):
        answer = upload.head()
        assert answer.status_code == 404
        assert "Upload-Offset" not in answer.headers
        assert upload.patch(b"x", 0).status_code == 404
        assert upload.delete().status_code == 404
    assert Upload(visitor, elsewhere.path).head().status_code == 401


def test_every_answer_names_the_version(owner: httpx.Client, visitor: httpx.Client) -> None:
    upload = create(owner, 10)
    answers = [
        upload.head(),
        upload.patch(b"x", 0),
        upload.patch(b"x", 0),
        upload.patch(b"x", "no number"),
        post(owner),
        post(visitor, Upload_Length="10"),
        Upload(owner, f"{NEW}/{uuid4()}").head(),
        Upload(owner, f"{NEW}/no-id").head(),
        upload.client.put(upload.path, headers=VERSION),
        upload.delete(),
    ]
    assert [answer.status_code for answer in answers] == [204, 204, 409, 400, 400, 401, 404, 404, 405, 204]
    assert all(answer.headers["Tus-Resumable"] == "1.0.0" for answer in answers)


@pytest.mark.parametrize("version", ["0.2.2", "1.0.1", "", "latest"])
def test_another_version_is_refused_and_nothing_done(version: str, owner: httpx.Client) -> None:
    upload = create(owner, 10)
    wrong = {"Tus-Resumable": version, "Content-Type": BYTES, "Upload-Offset": "0", "Upload-Length": "10"}
    answers = [
        owner.post(NEW, headers=wrong),
        owner.patch(upload.path, content=b"x", headers=wrong),
        owner.delete(upload.path, headers=wrong),
    ]
    for answer in answers:
        assert code_of(answer) == (412, "unsupported_version")
        assert answer.headers["Tus-Version"] == "1.0.0"
    assert owner.head(upload.path, headers=wrong).status_code == 412
    assert upload.offset() == 0


def test_options_tell_what_is_offered_whatever_the_version(visitor: httpx.Client, owner: httpx.Client) -> None:
    for path in (NEW, create(owner, 10).path):
        for headers in ({}, {"Tus-Resumable": "0.1"}):
            answer = visitor.options(path, headers=headers)
            assert answer.status_code == 204
            assert answer.headers["Tus-Version"] == "1.0.0"
            assert answer.headers["Tus-Max-Size"] == str(MAX_UPLOAD)
            assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
            assert answer.headers["Tus-Extension"].split(",") == [
                "creation",
                "creation-with-upload",
                "creation-defer-length",
                "expiration",
                "checksum",
                "termination",
                "concatenation",
            ]


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/octet-stream", None])
def test_a_patch_of_another_type_is_refused(content_type: str | None, owner: httpx.Client) -> None:
    upload = create(owner, 10)
    headers = {**VERSION, "Upload-Offset": "0", **({"Content-Type": content_type} if content_type else {})}
    answer = owner.patch(upload.path, content=b"x", headers=headers)
    assert code_of(answer) == (415, "unsupported_body")
    assert upload.offset() == 0


@pytest.mark.parametrize("offset", ["", "-1", "1.0", "0x0", "one", "9" * 30])
def test_an_offset_that_is_no_number_is_refused(offset: str, owner: httpx.Client) -> None:
    upload = create(owner, 10)
    assert code_of(upload.patch(b"x", offset)) == (400, "malformed_request")
    headers = {**VERSION, "Content-Type": BYTES}
    assert owner.patch(upload.path, content=b"x", headers=headers).status_code == 400
    assert upload.offset() == 0


def test_another_offset_is_a_conflict_and_changes_nothing(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    upload.patch(photo[:100], 0)
    for offset in (0, 99, 101, len(photo)):
        answer = upload.patch(photo[100:], offset)
        assert code_of(answer) == (409, "offset_mismatch")
        assert answer.json()["details"] == {"expected": 100, "provided": offset}
    assert upload.offset() == 100


def test_a_method_in_disguise_counts(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    headers = {**VERSION, "X-HTTP-Method-Override": "PATCH", "Content-Type": BYTES, "Upload-Offset": "0"}
    assert owner.post(upload.path, content=photo[:100], headers=headers).headers["Upload-Offset"] == "100"
    for method, status in (("HEAD", 204), ("DELETE", 204), ("HEAD", 410), ("BREW", 405)):
        disguised = {**VERSION, "X-HTTP-Method-Override": method}
        assert owner.post(upload.path, headers=disguised).status_code == status


def test_a_method_in_disguise_counts_for_uploads_alone(owner: httpx.Client, gallery: str) -> None:
    answer = owner.get(f"/galleries/{gallery}", headers={**VERSION, "X-HTTP-Method-Override": "DELETE"})
    assert answer.status_code == 200
    assert "Tus-Resumable" not in answer.headers


# --- metrics -------------------------------------------------------------------------------------------------


def counted(server: ApiServer, result: str) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    name = f'imagegallery_uploads_total{{result="{result}"}} '
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_uploads_are_counted_when_they_end(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    accepted, refused = counted(server, "accepted"), counted(server, "type_mismatch")
    upload = create(owner, len(photo))
    assert upload.patch(photo[:100], 0).status_code == 204
    assert upload.patch(photo, 7).status_code == 409
    assert counted(server, "accepted") == accepted
    assert upload.patch(photo[100:], 100).status_code == 204
    assert counted(server, "accepted") == accepted + 1
    create(owner, 6).patch(b"<svg/>", 0)
    assert counted(server, "type_mismatch") == refused + 1


# --- what is no image ----------------------------------------------------------------------------------------


def test_what_is_no_image_is_told_and_leaves_nothing(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    for body, code in ((b"<svg/>" + bytes(500), "type_mismatch"), (photo[:500], "bad_image")):
        upload = create(owner, len(body))
        answer = upload.patch(body, 0)
        assert code_of(answer) == (422, code)
        assert upload.head().status_code == 422
        assert "Upload-Offset" not in upload.head().headers
        session = upload.session()
        assert session["state"] == "rejected"
        assert isinstance(session["failure"], dict)
        assert session["failure"]["code"] == code
        assert not server.stored(upload.id)


def test_more_than_was_said_is_refused_and_not_kept(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    upload.patch(photo[:100], 0)
    assert code_of(upload.patch(photo[100:] + b"x", 100)) == (413, "too_large")
    assert upload.offset() == 100

    def chunks() -> object:
        yield photo[100:]
        yield b"x"

    headers = {**VERSION, "Content-Type": BYTES, "Upload-Offset": "100"}
    answer = owner.patch(upload.path, content=chunks(), headers=headers)  # type: ignore[arg-type]
    assert code_of(answer) == (413, "too_large")
    assert upload.offset() == 100
    assert upload.patch(photo[100:], 100).status_code == 204


def test_a_body_in_chunks_is_as_good(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    headers = {**VERSION, "Content-Type": BYTES, "Upload-Offset": "0"}
    pieces = (photo[start : start + 7000] for start in range(0, len(photo), 7000))
    assert owner.patch(upload.path, content=pieces, headers=headers).status_code == 204
    assert upload.session()["state"] == "completed"


def test_what_speaks_neither_protocol_is_refused(owner: httpx.Client) -> None:
    assert code_of(owner.post(NEW)) == (400, "malformed_request")
    assert owner.post(NEW, headers={"Content-Encoding": "gzip"}).status_code == 415
