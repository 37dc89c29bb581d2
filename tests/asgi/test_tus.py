"""tus 1.0.0 over HTTP, requirement by requirement: https://tus.io/protocols/resumable-upload."""

import base64
import hashlib
from email.utils import parsedate_to_datetime
from uuid import uuid4

import httpx
import pytest
from attrs import frozen

from imagegallery.testing.api import ApiServer

MAX_UPLOAD = 2_000_000  # as the server of these tests is set
NEW = "/uploads/resumable"
BYTES = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def metadata(**values: str) -> str:
    return ",".join(f"{key} {encoded(value)}" for key, value in values.items())


TRAM = metadata(filename="tram.jpg", filetype="image/jpeg")


@frozen
class Upload:
    """A tus upload as its client has it."""

    client: httpx.Client
    path: str

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    def head(self) -> httpx.Response:
        return self.client.head(self.path, headers=VERSION)

    def offset(self) -> int:
        answer = self.head()
        assert answer.status_code == 204
        return int(answer.headers["Upload-Offset"])

    def patch(self, data: bytes, offset: int | str, **more: str) -> httpx.Response:
        headers = {**VERSION, "Content-Type": BYTES, "Upload-Offset": str(offset), **_headers(more)}
        return self.client.patch(self.path, content=data, headers=headers)

    def delete(self) -> httpx.Response:
        return self.client.delete(self.path, headers=VERSION)

    def session(self) -> dict[str, object]:
        found: dict[str, object] = self.client.get(f"/uploads/{self.id}").json()["data"]
        return found


def _headers(values: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in values.items()}


def post(client: httpx.Client, content: bytes = b"", **headers: str) -> httpx.Response:
    return client.post(NEW, content=content, headers={**VERSION, **_headers(headers)})


def create(client: httpx.Client, size: int | None, **headers: str) -> Upload:
    length = {"Upload_Defer_Length": "1"} if size is None else {"Upload_Length": str(size)}
    answer = post(client, b"", **{"Upload_Metadata": TRAM, **length, **headers})
    assert answer.status_code == 201, answer.text
    return Upload(client, answer.headers["Location"].removeprefix("/api/v1"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


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
    assert [answer.status_code for answer in answers] == [204, 204, 409, 400, 400, 401, 404, 422, 405, 204]
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


# --- Creation ------------------------------------------------------------------------------------------------


def test_a_new_upload_has_an_address_of_its_own(owner: httpx.Client) -> None:
    answer = post(owner, Upload_Length="10", Upload_Metadata=TRAM)
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith("/api/v1/uploads/resumable/")
    assert answer.headers["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload-Defer-Length": "0"},
        {"Upload-Defer-Length": "2"},
        {"Upload-Defer-Length": "1", "Upload-Length": "10"},
        {"Upload-Length": "-1"},
        {"Upload-Length": "ten"},
        {"Upload-Length": ""},
    ],
)
def test_a_length_that_makes_no_sense_is_refused(headers: dict[str, str], owner: httpx.Client) -> None:
    answer = owner.post(NEW, headers={**VERSION, "Upload-Metadata": TRAM, **headers})
    assert code_of(answer) == (400, "malformed_request")


def test_more_than_the_maximum_is_refused(owner: httpx.Client) -> None:
    answer = post(owner, Upload_Length=str(MAX_UPLOAD + 1), Upload_Metadata=TRAM)
    assert code_of(answer) == (413, "too_large")


def test_an_empty_file_is_complete_at_once_and_no_image(owner: httpx.Client) -> None:
    assert code_of(post(owner, Upload_Length="0", Upload_Metadata=TRAM)) == (422, "empty_file")


def test_metadata_is_told_again_to_the_letter(owner: httpx.Client) -> None:
    raw = f"name {encoded('tram.jpg')},type {encoded('image/jpeg')}, relativePath {encoded('null')},is_secret,odd! "
    raw = raw.strip()
    upload = create(owner, 10, Upload_Metadata=raw)
    assert upload.head().headers["Upload-Metadata"] == raw
    assert (upload.session()["filename"], upload.session()["content_type"]) == ("tram.jpg", "image/jpeg")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ",",
        "filename",
        "filename dHJhbS5qcGc",
        "filename dHJhbS5qcGc=,filename dHJhbS5qcGc=",
        "filename dHJhbS5qcGc= dHJhbS5qcGc=",
        "filename !!!!",
        "filename dHJhbS5qcGc=,,other",
        "filename /w==",
        f"filename dHJhbS5qcGc=,gallery_id {encoded('no id')}",
        f"filename dHJhbS5qcGc=,other {encoded('x')[:-1]}",
    ],
)
def test_altered_metadata_is_refused(raw: str, owner: httpx.Client) -> None:
    answer = post(owner, Upload_Length="10", Upload_Metadata=raw)
    if raw == "filename":  # an empty value is allowed: then there is no name that would tell the type
        assert code_of(answer) == (415, "unsupported_type")
    else:
        assert code_of(answer) == (400, "malformed_request")


def test_a_path_in_a_filename_is_cleaned(owner: httpx.Client) -> None:
    upload = create(owner, 10, Upload_Metadata=metadata(filename="../../etc/\x00tr\nam.jpg", filetype="image/jpeg"))
    assert upload.session()["filename"] == "tr am.jpg"


def test_an_image_goes_to_the_gallery_it_names(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    raw = metadata(filename="tram.jpg", filetype="image/jpeg", gallery_id=gallery)
    upload = create(owner, len(photo), Upload_Metadata=raw)
    assert upload.patch(photo, 0).status_code == 204
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1


def test_a_gallery_that_is_not_ours_is_refused(stranger: httpx.Client, gallery: str) -> None:
    raw = metadata(filename="tram.jpg", gallery_id=gallery)
    assert code_of(post(stranger, Upload_Length="10", Upload_Metadata=raw)) == (403, "forbidden")
    raw = metadata(filename="tram.jpg", gallery_id=str(uuid4()))
    assert code_of(post(stranger, Upload_Length="10", Upload_Metadata=raw)) == (404, "not_found")


def test_a_type_that_is_not_allowed_is_refused(owner: httpx.Client) -> None:
    raw = metadata(filename="page.html", filetype="text/html")
    assert code_of(post(owner, Upload_Length="10", Upload_Metadata=raw)) == (415, "unsupported_type")


# --- Creation With Upload ------------------------------------------------------------------------------------


def test_the_first_bytes_may_come_at_once(owner: httpx.Client, photo: bytes) -> None:
    headers = {"Upload_Length": str(len(photo)), "Upload_Metadata": TRAM, "Content_Type": BYTES}
    answer = post(owner, photo[:100], **headers)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "100")
    upload = Upload(owner, answer.headers["Location"].removeprefix("/api/v1"))
    assert upload.patch(photo[100:], 100).status_code == 204
    whole = post(owner, photo, **{**headers, "Upload_Metadata": TRAM + f",copy {encoded('2')}"})
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(photo)))


def test_first_bytes_of_another_type_are_refused(owner: httpx.Client, server: ApiServer, user: str) -> None:
    answer = post(owner, b"abc", Upload_Length="10", Upload_Metadata=TRAM, Content_Type="image/jpeg")
    assert code_of(answer) == (415, "unsupported_body")


def test_first_bytes_that_are_refused_leave_no_upload(owner: httpx.Client, server: ApiServer, user: str) -> None:
    wrong = f"sha1 {base64.b64encode(bytes(20)).decode()}"
    headers = {"Upload_Length": "10", "Upload_Metadata": TRAM, "Content_Type": BYTES}
    assert post(owner, b"abc", **headers, Upload_Checksum=wrong).status_code == 460
    assert post(owner, bytes(11), **headers).status_code == 413
    rows = server.rows("SELECT state FROM upload_sessions WHERE owner_id = $1", user)
    assert [row["state"] for row in rows] == ["cancelled", "cancelled"]


# --- Creation Defer Length -----------------------------------------------------------------------------------


def test_the_length_may_come_with_a_later_patch_and_then_stays(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, None)
    upload.patch(photo[:100], 0)
    told = upload.head().headers
    assert (told["Upload-Defer-Length"], "Upload-Length" in told) == ("1", False)
    assert upload.patch(photo[100:200], 100, Upload_Length=str(len(photo))).status_code == 204
    told = upload.head().headers
    assert (told["Upload-Length"], "Upload-Defer-Length" in told) == (str(len(photo)), False)
    answer = upload.patch(b"", 200, Upload_Length="300")
    assert code_of(answer) == (400, "inconsistent_upload_length")
    assert upload.patch(photo[200:], 200).status_code == 204
    assert upload.session()["state"] == "completed"


def test_a_length_that_comes_late_keeps_to_the_maximum(owner: httpx.Client) -> None:
    upload = create(owner, None)
    assert code_of(upload.patch(b"x", 0, Upload_Length=str(MAX_UPLOAD + 1))) == (413, "too_large")
    assert code_of(upload.patch(bytes(MAX_UPLOAD + 1), 0)) == (413, "too_large")
    assert upload.offset() == 0


# --- Expiration ----------------------------------------------------------------------------------------------


def test_the_end_of_its_time_is_told(owner: httpx.Client) -> None:
    answer = post(owner, Upload_Length="10", Upload_Metadata=TRAM)
    upload = Upload(owner, answer.headers["Location"].removeprefix("/api/v1"))
    for told in (answer, upload.patch(b"x", 0)):
        expires = parsedate_to_datetime(told.headers["Upload-Expires"])
        assert expires.isoformat()[:19] == str(upload.session()["expires_at"])[:19]


def test_an_expired_upload_is_gone(owner: httpx.Client, server: ApiServer) -> None:
    upload = create(owner, 10)
    server.rows("UPDATE upload_sessions SET expires_at = now() - interval '1 second' WHERE id = $1", upload.id)
    assert upload.head().status_code == 410
    assert "Upload-Offset" not in upload.head().headers
    assert code_of(upload.patch(b"x", 0)) == (410, "upload_expired")


# --- Checksum ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_piece_with_its_checksum_is_kept_and_with_another_not(
    algorithm: str, owner: httpx.Client, photo: bytes
) -> None:
    upload = create(owner, len(photo))
    digest = base64.b64encode(hashlib.new(algorithm, photo[:5000]).digest()).decode()
    wrong = upload.patch(photo[:4999], 0, Upload_Checksum=f"{algorithm} {digest}")
    assert code_of(wrong) == (460, "chunk_checksum_mismatch")
    assert upload.offset() == 0
    assert upload.patch(photo[:5000], 0, Upload_Checksum=f"{algorithm} {digest}").headers["Upload-Offset"] == "5000"


@pytest.mark.parametrize("checksum", ["md5 AAAA", "SHA1 AAAA", "sha1", "sha1 AAAA", "sha1 ???", ""])
def test_a_checksum_that_cannot_be_checked_is_refused(checksum: str, owner: httpx.Client) -> None:
    upload = create(owner, 10)
    assert code_of(upload.patch(b"x", 0, Upload_Checksum=checksum)) == (400, "malformed_request")
    assert upload.offset() == 0


# --- Termination ---------------------------------------------------------------------------------------------


def test_a_terminated_upload_is_gone(owner: httpx.Client, server: ApiServer) -> None:
    upload = create(owner, 10)
    upload.patch(b"x", 0)
    assert len(server.stored("scratch/growing")) >= 1
    assert upload.delete().status_code == 204
    assert upload.head().status_code == 410
    assert code_of(upload.patch(b"x", 1)) == (410, "upload_ended")
    assert upload.delete().status_code in (204, 410)
    assert upload.session()["state"] == "cancelled"


def test_terminating_a_completed_upload_leaves_its_image(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner, len(photo))
    upload.patch(photo, 0)
    assert upload.delete().status_code == 204
    assert owner.get(f"/images/{upload.session()['image_id']}").status_code == 200


# --- Concatenation -------------------------------------------------------------------------------------------


def partial(owner: httpx.Client, data: bytes) -> Upload:
    answer = post(owner, Upload_Length=str(len(data)), Upload_Concat="partial")
    assert answer.status_code == 201
    upload = Upload(owner, answer.headers["Location"].removeprefix("/api/v1"))
    assert upload.patch(data, 0).status_code == 204
    return upload


def test_partial_uploads_become_one_image(owner: httpx.Client, photo: bytes) -> None:
    parts = [partial(owner, photo[:1000]), partial(owner, photo[1000:2000]), partial(owner, photo[2000:])]
    assert parts[0].head().headers["Upload-Concat"] == "partial"
    assert parts[0].session()["image_id"] is None
    urls = [f"/api/v1{parts[0].path}", f"https://photos.example/api/v1{parts[1].path}", f"/api/v1{parts[2].path}"]
    concat = f"final;{' '.join(urls)}"
    answer = post(owner, Upload_Concat=concat, Upload_Metadata=TRAM)
    assert answer.status_code == 201, answer.text
    final = Upload(owner, answer.headers["Location"].removeprefix("/api/v1"))
    told = final.head().headers
    assert told["Upload-Offset"] == told["Upload-Length"] == str(len(photo))
    assert told["Upload-Concat"] == concat
    assert told["Upload-Metadata"] == TRAM
    assert code_of(final.patch(b"", len(photo))) == (403, "forbidden")
    image = owner.get(f"/images/{final.session()['image_id']}").json()["data"]
    assert image["sha256"] == hashlib.sha256(photo).hexdigest()


def test_a_concatenation_that_cannot_be_is_refused(owner: httpx.Client, stranger: httpx.Client, photo: bytes) -> None:
    part = partial(owner, photo[:1000])
    unfinished = post(owner, Upload_Length="10", Upload_Concat="partial").headers["Location"]
    url = f"/api/v1{part.path}"
    cases = [
        ({"Upload_Concat": "final;"}, 400),
        ({"Upload_Concat": "half"}, 400),
        ({"Upload_Concat": "final;/elsewhere"}, 400),
        ({"Upload_Concat": "final;https://[broken"}, 400),
        ({"Upload_Concat": f"final;{url}", "Upload_Length": "1000"}, 400),
        ({"Upload_Concat": f"final;{NEW}/{uuid4()}"}, 404),
        ({"Upload_Concat": f"final;{url} {unfinished}"}, 409),
    ]
    for headers, status in cases:
        assert post(owner, b"", **{"Upload_Metadata": TRAM, **headers}).status_code == status, headers
    assert post(stranger, Upload_Metadata=TRAM, Upload_Concat=f"final;{url}").status_code == 404
    assert part.offset() == 1000


# --- what is no image ----------------------------------------------------------------------------------------


def test_what_is_no_image_is_told_and_leaves_nothing(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    for body, code in ((b"GIF89a" + bytes(500), "type_mismatch"), (photo[: len(photo) // 2], "bad_image")):
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
    assert code_of(owner.post(NEW, headers={"Upload-Length": "10"})) == (400, "malformed_request")
    assert owner.post(NEW, headers={"Upload-Length": "10", "Content-Encoding": "gzip"}).status_code == 415
