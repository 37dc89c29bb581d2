"""The IETF draft over HTTP, requirement by requirement: draft-ietf-httpbis-resumable-upload, interop version 8."""

import base64
import hashlib
from uuid import uuid4

import httpx
import pytest
from attrs import frozen
from tests.support.servers.api import ApiServer

MAX_UPLOAD = 2_000_000  # as the server of these tests is set
NEW = "/uploads/resumable"
PARTIAL = "application/partial-upload"
VERSION = {"Upload-Draft-Interop-Version": "8"}
JPEG = {"Content-Type": "image/jpeg", "Content-Disposition": 'inline; filename="../tram.jpg"'}
IANA = "https://iana.org/assignments/http-problem-types#"


def digest(data: bytes, algorithm: str = "sha256", name: str = "sha-256") -> str:
    return f"{name}=:{base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}:"


def _headers(values: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in values.items()}


def post(client: httpx.Client, content: bytes = b"", complete: str = "?0", **more: str) -> httpx.Response:
    headers = {**VERSION, **JPEG, "Upload-Complete": complete, **_headers(more)}
    return client.post(NEW, content=content, headers=headers)


@frozen
class Upload:
    """An upload resource as its client has it."""

    client: httpx.Client
    path: str

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    def head(self) -> httpx.Response:
        return self.client.head(self.path, headers=VERSION)

    def offset(self) -> int:
        return int(self.head().headers["Upload-Offset"])

    def patch(self, data: bytes, offset: int | str, complete: str = "?0", **more: str) -> httpx.Response:
        fields = {"Content-Type": PARTIAL, "Upload-Offset": str(offset), "Upload-Complete": complete}
        return self.client.patch(self.path, content=data, headers={**VERSION, **fields, **_headers(more)})

    def state(self) -> object:
        return self.client.get(f"/uploads/{self.id}").json()["data"]["state"]


def carefully(client: httpx.Client, **more: str) -> Upload:
    """An empty request that only makes the resource."""
    answer = post(client, b"", **more)
    assert answer.status_code == 201, answer.text
    return Upload(client, answer.headers["Location"].removeprefix("/api/v1"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- creation ------------------------------------------------------------------------------------------------


def test_a_careful_creation_makes_a_resource(owner: httpx.Client, photo: bytes) -> None:
    answer = post(owner, Upload_Length=str(len(photo)))
    assert answer.status_code == 201
    assert answer.headers["Upload-Complete"] == "?0"
    assert answer.headers["Upload-Limit"].startswith(f"max-size={MAX_UPLOAD}, max-age=")
    upload = Upload(owner, answer.headers["Location"].removeprefix("/api/v1"))
    assert upload.offset() == 0
    session = owner.get(f"/uploads/{upload.id}").json()["data"]
    assert (session["filename"], session["content_type"]) == ("tram.jpg", "image/jpeg")


def test_a_whole_file_in_one_request_is_answered_as_an_upload(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    headers = {**VERSION, **JPEG, "Upload-Complete": "?1", "Repr-Digest": digest(photo)}
    answer = owner.post(f"{NEW}?gallery_id={gallery}", content=photo, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Upload-Complete"] == "?1"
    assert answer.headers["Repr-Digest"] == digest(photo)
    image = answer.json()["data"]
    assert answer.headers["Location"] == f"/api/v1/images/{image['id']}"
    assert (image["filename"], image["sha256"]) == ("tram.jpg", hashlib.sha256(photo).hexdigest())
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1


def test_the_first_part_may_come_with_the_creation(owner: httpx.Client, photo: bytes) -> None:
    answer = post(owner, photo[:100], Upload_Length=str(len(photo)))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "100")
    upload = Upload(owner, answer.headers["Location"].removeprefix("/api/v1"))
    assert upload.patch(photo[100:], 100, "?1").status_code == 202


def test_without_resumption_the_same_resource_takes_a_file_of_unknown_length(owner: httpx.Client, photo: bytes) -> None:
    pieces = (photo[start : start + 9000] for start in range(0, len(photo), 9000))
    answer = owner.post(NEW, content=pieces, headers={**JPEG, "Upload-Complete": "?1"})
    assert answer.status_code == 202


@pytest.mark.parametrize("complete", ["1", "true", "?2", "", "?1, ?1", '"?1"'])
def test_a_completeness_of_another_form_is_ignored(complete: str, owner: httpx.Client) -> None:
    assert code_of(post(owner, complete=complete)) == (400, "malformed_request")


def test_too_long_an_upload_is_refused_with_the_limit(owner: httpx.Client) -> None:
    answer = post(owner, Upload_Length=str(MAX_UPLOAD + 1))
    assert code_of(answer) == (413, "too_large")
    assert answer.headers["Upload-Limit"] == f"max-size={MAX_UPLOAD}"


def test_lengths_that_disagree_are_refused(owner: httpx.Client, photo: bytes, server: ApiServer, user: str) -> None:
    answer = post(owner, photo, "?1", Upload_Length=str(len(photo) + 1))
    assert code_of(answer) == (400, "inconsistent_upload_length")
    assert answer.json()["type"] == f"{IANA}inconsistent-upload-length"
    assert not server.rows(
        "SELECT FROM upload_sessions WHERE owner_id = $1 AND state NOT IN ('cancelled', 'rejected')", user
    )


# --- offset retrieval ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_the_offset_is_told(method: str, owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner, Upload_Length=str(len(photo)))
    upload.patch(photo[:100], 0)
    answer = owner.request(method, upload.path, headers=VERSION)
    assert answer.status_code == 204
    assert answer.headers["Upload-Offset"] == "100"
    assert answer.headers["Upload-Complete"] == "?0"
    assert answer.headers["Upload-Length"] == str(len(photo))
    assert answer.headers["Upload-Limit"].startswith(f"max-size={MAX_UPLOAD}, max-age=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Tus-Resumable" not in answer.headers


def test_an_unknown_length_is_not_told(owner: httpx.Client) -> None:
    assert "Upload-Length" not in carefully(owner).head().headers


def test_a_completed_upload_says_so(owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner)
    assert upload.patch(photo, 0, "?1").status_code == 202
    told = upload.head().headers
    assert (told["Upload-Complete"], told["Upload-Offset"]) == ("?1", str(len(photo)))


# --- append --------------------------------------------------------------------------------------------------


def test_an_upload_in_parts_becomes_an_image(owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner)
    for offset in range(0, len(photo), 10_000):
        answer = upload.patch(photo[offset : offset + 10_000], offset)
        assert (answer.status_code, answer.headers["Upload-Complete"]) == (204, "?0")
    assert upload.state() == "uploading", "the length is reached, and nobody has said that this is all"
    answer = upload.patch(b"", len(photo), "?1")
    assert (answer.status_code, answer.headers["Upload-Complete"]) == (202, "?1")
    assert answer.json()["data"]["sha256"] == hashlib.sha256(photo).hexdigest()


@pytest.mark.parametrize("complete", ["?0", "?1"])
def test_a_completed_upload_takes_nothing_and_names_its_image(complete: str, owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner)
    image_id = upload.patch(photo, 0, "?1").json()["data"]["id"]
    again = upload.patch(b"", len(photo), complete)
    assert code_of(again) == (410, "completed_upload")
    assert again.json()["type"] == f"{IANA}completed-upload"
    assert (again.headers["Upload-Complete"], again.headers["Location"]) == ("?1", f"/api/v1/images/{image_id}")
    assert upload.offset() == len(photo)
    more = upload.patch(b"more", len(photo), complete)
    assert (code_of(more), more.headers["Upload-Complete"]) == ((400, "inconsistent_upload_length"), "?1")
    elsewhere = upload.patch(b"", 0, complete)
    assert (elsewhere.status_code, elsewhere.headers["Upload-Complete"]) == (409, "?1")


def test_another_offset_is_a_conflict_that_tells_the_right_one(owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner)
    upload.patch(photo[:100], 0)
    answer = upload.patch(photo[200:], 200)
    assert answer.status_code == 409
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Complete"]) == ("100", "?0")
    problem = answer.json()
    assert problem["type"] == f"{IANA}mismatching-upload-offset"
    assert (problem["expected-offset"], problem["provided-offset"]) == (100, 200)
    assert upload.offset() == 100


@pytest.mark.parametrize(
    "fields",
    [
        {"Upload-Offset": "-1", "Upload-Complete": "?0"},
        {"Upload-Offset": "1.0", "Upload-Complete": "?0"},
        {"Upload-Offset": '"0"', "Upload-Complete": "?0"},
        {"Upload-Offset": "0, 0", "Upload-Complete": "?0"},
        {"Upload-Offset": "0"},
        {"Upload-Complete": "?0"},
    ],
)
def test_an_append_without_its_fields_is_refused(fields: dict[str, str], owner: httpx.Client) -> None:
    upload = carefully(owner)
    answer = owner.patch(upload.path, content=b"x", headers={**VERSION, "Content-Type": PARTIAL, **fields})
    assert code_of(answer) == (400, "malformed_request")
    assert upload.offset() == 0


def test_a_patch_of_another_type_is_refused(owner: httpx.Client) -> None:
    upload = carefully(owner)
    assert code_of(upload.patch(b"x", 0, Content_Type="image/jpeg")) == (415, "unsupported_body")


def test_a_length_once_told_stays(owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner)
    upload.patch(photo[:100], 0, Upload_Length=str(len(photo)))
    answer = upload.patch(photo[100:], 100, Upload_Length=str(len(photo) + 1))
    assert (answer.status_code, answer.json()["type"]) == (400, f"{IANA}inconsistent-upload-length")
    assert answer.headers["Upload-Complete"] == "?0"
    answer = upload.patch(photo[100:200], 100, "?1")
    assert code_of(answer) == (400, "inconsistent_upload_length")
    assert upload.offset() == 100
    assert upload.patch(photo[100:], 100, "?1").status_code == 202


def test_what_exceeds_its_length_is_invalid_from_then_on(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    upload = carefully(owner, Upload_Length="150")
    upload.patch(photo[:100], 0)

    def chunks() -> object:
        yield photo[100:200]

    fields = {"Content-Type": PARTIAL, "Upload-Offset": "100", "Upload-Complete": "?0"}
    answer = owner.patch(upload.path, content=chunks(), headers={**VERSION, **fields})  # type: ignore[arg-type]
    assert code_of(answer) == (413, "too_large")
    assert upload.patch(photo[100:150], 100, "?1").status_code == 413
    assert upload.head().status_code == 413
    assert upload.state() == "rejected"


# --- cancellation, limits, authorization ---------------------------------------------------------------------


def test_a_cancelled_upload_is_gone(owner: httpx.Client) -> None:
    upload = carefully(owner)
    assert owner.delete(upload.path, headers=VERSION).status_code == 204
    assert upload.head().status_code == 410
    assert code_of(upload.patch(b"x", 0)) == (410, "upload_ended")


def test_options_tell_the_limits(visitor: httpx.Client) -> None:
    answer = visitor.options(NEW)
    assert (answer.status_code, answer.headers["Upload-Limit"]) == (204, f"max-size={MAX_UPLOAD}")
    assert answer.headers["Accept-Patch"] == "application/partial-upload"


def test_only_the_owner_gets_at_it(owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client) -> None:
    path = carefully(owner).path
    for client, status in ((stranger, 404), (visitor, 401)):
        upload = Upload(client, path)
        assert upload.head().status_code == status
        assert upload.patch(b"x", 0).status_code == status
        assert client.delete(path, headers=VERSION).status_code == status
    assert post(visitor).status_code == 401
    assert Upload(owner, f"{NEW}/{uuid4()}").head().status_code == 404


# --- digests (RFC 9530) --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("algorithm", "name"), [("sha256", "sha-256"), ("sha512", "sha-512")])
def test_content_with_another_digest_is_not_appended(
    algorithm: str, name: str, owner: httpx.Client, photo: bytes
) -> None:
    upload = carefully(owner)
    right = digest(photo[:100], algorithm, name)
    answer = upload.patch(photo[:99], 0, Content_Digest=right)
    assert code_of(answer) == (400, "digest_mismatch")
    assert (answer.headers["Upload-Complete"], upload.offset()) == ("?0", 0)
    assert upload.patch(photo[:100], 0, Content_Digest=f"md5=:AAAA:, {right}").status_code == 204
    assert upload.offset() == 100


@pytest.mark.parametrize("field", ["sha-256", "sha-256=:AAAA:", "sha-256=1", "sha-256=:???:", "=,"])
def test_a_digest_that_cannot_be_one_is_refused(field: str, owner: httpx.Client) -> None:
    upload = carefully(owner)
    assert code_of(upload.patch(b"x", 0, Content_Digest=field)) == (400, "malformed_request")
    assert upload.offset() == 0


def test_a_file_with_another_digest_fails_and_says_that_it_was_processed(owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner, Repr_Digest=digest(b"another"))
    answer = upload.patch(photo, 0, "?1")
    assert code_of(answer) == (422, "checksum_mismatch")
    assert answer.headers["Upload-Complete"] == "?1"
    assert upload.state() == "rejected"


@pytest.mark.parametrize(("algorithm", "name"), [("sha256", "sha-256"), ("sha512", "sha-512")])
def test_a_whole_file_with_another_digest_leaves_nothing(
    algorithm: str, name: str, owner: httpx.Client, photo: bytes, server: ApiServer, user: str
) -> None:
    answer = post(owner, photo, "?1", Repr_Digest=digest(b"another", algorithm, name))
    assert answer.status_code == 400
    states = [row["state"] for row in server.rows("SELECT state FROM upload_sessions WHERE owner_id = $1", user)]
    assert states == ["cancelled"]


# --- what is no image ----------------------------------------------------------------------------------------


def test_what_is_no_image_is_told_as_the_end_of_the_upload(owner: httpx.Client, photo: bytes) -> None:
    upload = carefully(owner)
    answer = upload.patch(b"<svg/>" + bytes(500), 0, "?1")
    assert code_of(answer) == (422, "type_mismatch")
    assert answer.headers["Upload-Complete"] == "?1"
    assert upload.state() == "rejected"
    assert code_of(post(owner, complete="?1")) == (422, "empty_file")
