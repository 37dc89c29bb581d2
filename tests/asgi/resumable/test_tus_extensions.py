"""tus 1.0.0 over HTTP: expiration, checksums, termination and concatenation."""

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from uuid import uuid4

import httpx
import pytest
from tests.asgi.tus_client import (
    NEW,
    TRAM,
    Upload,
    code_of,
    create,
    post,
)
from tests.support.servers.api import ApiServer

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
    image = upload.session()["image_id"]
    assert upload.delete().status_code == 204
    assert (upload.head().status_code, upload.delete().status_code) == (404, 404)
    assert owner.get(f"/images/{image}").status_code == 200


def test_terminating_a_refused_upload_forgets_why(owner: httpx.Client) -> None:
    upload = create(owner, 3)
    assert upload.patch(b"abc", 0).status_code == 422
    assert upload.delete().status_code == 204
    assert upload.head().status_code == 404


def test_only_uploads_of_this_kind_are_terminated_here(owner: httpx.Client) -> None:
    declared = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 9}
    upload = Upload(owner, f"{NEW}/{owner.post('/uploads', json=declared).json()['data']['id']}")
    assert upload.delete().status_code == 404
    assert upload.session()["state"] == "pending"


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


def joined(owner: httpx.Client, *parts: Upload, **headers: str) -> httpx.Response:
    urls = " ".join(f"/api/v1{part.path}" for part in parts)
    return post(owner, b"", Upload_Concat=f"final;{urls}", Upload_Metadata=TRAM, **headers)


def test_a_concatenation_whose_answer_was_lost_is_answered_again(owner: httpx.Client, photo: bytes) -> None:
    parts = [partial(owner, photo[:1000]), partial(owner, photo[1000:])]
    first, again = joined(owner, *parts), joined(owner, *parts)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    for name in ("Location", "Upload-Offset"):
        assert first.headers[name] == again.headers[name]
    told = Upload(owner, again.headers["Location"].removeprefix("/api/v1")).head().headers
    assert told["Upload-Offset"] == told["Upload-Length"] == again.headers["Upload-Offset"] == str(len(photo))
    assert len(owner.get("/images").json()["data"]) == 1


def test_concatenations_at_once_are_one(
    client_of: Callable[[str | None], httpx.Client], user: str, photo: bytes
) -> None:
    owner = client_of(user)
    parts = [partial(owner, photo[:1000]), partial(owner, photo[1000:])]
    with ThreadPoolExecutor(3) as pool:
        answers = [*pool.map(lambda _: joined(client_of(user), *parts), range(3))]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.headers["Location"] for answer in answers}) == 1


def test_parts_of_one_concatenation_make_no_other(owner: httpx.Client, photo: bytes) -> None:
    parts = [partial(owner, photo[:1000]), partial(owner, photo[1000:])]
    assert joined(owner, *parts).status_code == 201
    assert code_of(joined(owner, *parts[::-1]))[1] == "upload_ended"


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
