"""tus 1.0.0 over HTTP: how an upload begins, with its bytes or without, of known length or not."""

import base64
from uuid import uuid4

import httpx
import pytest
from tests.asgi.tus_client import (
    BYTES,
    MAX_UPLOAD,
    NEW,
    TRAM,
    VERSION,
    Upload,
    code_of,
    create,
    encoded,
    metadata,
    post,
)
from tests.support.servers.api import ApiServer

# --- Creation ------------------------------------------------------------------------------------------------


def test_a_new_upload_has_an_address_of_its_own(owner: httpx.Client) -> None:
    answer = post(owner, Upload_Length="10", Upload_Metadata=TRAM)
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith("/api/v1/uploads/resumable/")
    assert answer.headers["Upload-Offset"] == "0"


def test_an_upload_has_the_address_of_the_description_too(owner: httpx.Client) -> None:
    upload = create(owner, 10)
    described = Upload(owner, f"/uploads/{upload.id}/resumable")
    assert described.patch(b"0123", 0).headers["Upload-Offset"] == "4"
    assert (described.offset(), upload.offset(), Upload(owner, f"{described.path}/").offset()) == (4, 4, 4)


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
    if raw == "filename":  # an empty value is allowed: then the bytes will tell the type
        assert answer.status_code == 201
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
    assert not server.rows("SELECT state FROM upload_sessions WHERE owner_id = $1", user)


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
