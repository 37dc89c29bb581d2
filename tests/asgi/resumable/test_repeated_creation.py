"""A creation sent again with its ``Idempotency-Key``, because its answer was lost: one upload, wherever it is."""

import hashlib
from uuid import uuid4

import httpx
import pytest
from tests.asgi.resumable.test_ietf_uploads import JPEG, NEW, VERSION, Upload, code_of, digest, post
from tests.asgi.resumable.test_resumable_interruptions import half_sent
from tests.support.images import jpeg_of_size
from tests.support.servers.api import ApiServer
from tests.support.waiting import until

TUS = {"Tus-Resumable": "1.0.0", "Upload-Metadata": "filename dHJhbS5qcGc=,filetype aW1hZ2UvanBlZw=="}


@pytest.fixture
def key() -> str:
    return str(uuid4())


def at(client: httpx.Client, answer: httpx.Response) -> Upload:
    return Upload(client, answer.headers["Location"].removeprefix("/api/v1"))


def create(client: httpx.Client, key: str, photo: bytes, content: bytes = b"", complete: str = "?0") -> httpx.Response:
    return post(client, content, complete, Idempotency_Key=key, Upload_Length=str(len(photo)))


def test_a_repeat_is_the_same_upload_as_far_as_it_is(owner: httpx.Client, photo: bytes, key: str) -> None:
    upload = at(owner, create(owner, key, photo))
    upload.patch(photo[:100], 0)
    again = create(owner, key, photo)
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "100")
    assert at(owner, again) == upload
    assert upload.patch(photo[100:], 100, "?1").status_code == 202


def test_of_a_whole_file_that_broke_off_what_came_is_kept(
    owner: httpx.Client, server: ApiServer, photo: bytes, key: str
) -> None:
    """104 is not needed: the key finds it. And a digest of the whole is no reason to keep nothing."""
    told = {"Upload-Length": str(len(photo)), "Idempotency-Key": key, "Repr-Digest": digest(photo)}
    whole = {**VERSION, **JPEG, **told, "Upload-Complete": "?1"}
    with half_sent(owner, NEW, photo[:5000], len(photo), method="POST", headers=whole):
        pass
    until(lambda: bool(server.rows("SELECT FROM upload_sessions WHERE received_offset = 5000")))
    again = owner.post(NEW, headers={**whole, "Upload-Complete": "?0"})
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "5000")
    assert code_of(owner.post(NEW, content=photo, headers=whole)) == (409, "offset_mismatch")
    assert at(owner, again).patch(photo[5000:], 5000, "?1").status_code == 202


def test_a_digest_of_the_whole_is_checked_in_the_end(owner: httpx.Client, photo: bytes, key: str) -> None:
    wrong = {**VERSION, **JPEG, "Idempotency-Key": key, "Upload-Complete": "?1", "Repr-Digest": digest(b"another")}
    assert code_of(owner.post(NEW, content=photo, headers=wrong)) == (422, "checksum_mismatch")


def test_after_its_last_byte_a_repeat_answers_the_image(owner: httpx.Client, photo: bytes, key: str) -> None:
    done = create(owner, key, photo, photo, "?1")
    again = create(owner, key, photo)
    assert (done.status_code, again.status_code) == (202, 202)
    assert again.json()["data"]["id"] == done.json()["data"]["id"]
    assert again.json()["data"]["sha256"] == hashlib.sha256(photo).hexdigest()


def test_a_repeat_of_what_was_refused_is_refused_in_the_same_words(owner: httpx.Client, key: str) -> None:
    text = b"no picture" * 100
    refused, again = create(owner, key, text, text, "?1"), create(owner, key, text)
    assert code_of(refused) == code_of(again) == (422, "type_mismatch")
    assert refused.json()["detail"] == again.json()["detail"]


def test_a_key_is_of_one_file(owner: httpx.Client, photo: bytes, key: str) -> None:
    create(owner, key, photo)
    assert code_of(create(owner, key, photo[1:])) == (422, "idempotency_key_reused")


def test_what_is_over_is_not_begun_again_by_its_key(owner: httpx.Client, photo: bytes, key: str) -> None:
    upload = at(owner, create(owner, key, photo))
    assert owner.delete(upload.path).status_code == 204
    assert code_of(create(owner, key, photo)) == (410, "upload_ended")


def test_tus_takes_a_key_as_well(owner: httpx.Client, photo: bytes, key: str) -> None:
    headers = {**TUS, "Upload-Length": str(len(photo)), "Idempotency-Key": key}
    first, again = owner.post(NEW, headers=headers), owner.post(NEW, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["Location"] == again.headers["Location"]


def test_it_says_what_becomes_of_a_duplicate(owner: httpx.Client) -> None:
    photo = jpeg_of_size(9_000, "twice")
    headers = {**VERSION, "Content-Type": "image/jpeg", "Upload-Complete": "?1", "Repr-Digest": digest(photo)}

    def send(wanted: str) -> httpx.Response:
        return owner.post(f"{NEW}?filename=tram.jpg&on_duplicate={wanted}", content=photo, headers=headers)

    first = send("reject")
    assert first.status_code == 202
    assert code_of(send("reject")) == (409, "duplicate")
    assert send("return_existing").json()["data"]["id"] == first.json()["data"]["id"]
    assert send("keep_both").json()["data"]["id"] != first.json()["data"]["id"]
