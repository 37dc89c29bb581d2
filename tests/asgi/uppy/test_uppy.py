"""The routes of Uppy's S3 plugin: what it sends, what it reads, and that its ids and keys open nothing else."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.servers.api import ApiServer
from tests.support.studio import picture

MULTIPART = "/uploads/uppy/s3/multipart"
PARAMS = "/uploads/uppy/s3/params"
Answer = dict[str, Any]


def create(owner: httpx.Client, **metadata: object) -> Answer:
    """As Uppy does: the metadata holds its own fields and whatever the page has put there."""
    body = {
        "filename": "tram.jpg",
        "type": "image/jpeg",
        "metadata": {"name": "tram.jpg", "type": "image/jpeg", "relativePath": None, **metadata},
    }
    created = owner.post(MULTIPART, json=body)
    assert created.status_code == 200, created.text
    answer: Answer = created.json()
    assert set(answer) == {"key", "uploadId", "bucket"}
    return answer


def send_part(owner: httpx.Client, upload: Answer, number: int, body: bytes) -> Answer:
    signed = owner.get(f"{MULTIPART}/{upload['uploadId']}/{number}", params={"key": upload["key"]})
    assert (signed.status_code, signed.headers["Cache-Control"]) == (200, "no-store"), signed.text
    answer = signed.json()
    assert 0 < answer["expires"] <= 3600
    sent = httpx.put(answer["url"], content=body, headers=answer["headers"])
    assert sent.status_code == 204, sent.text
    return {"PartNumber": number, "ETag": sent.headers["ETag"]}


def complete(owner: httpx.Client, upload: Answer, parts: list[Answer]) -> httpx.Response:
    return owner.post(
        f"{MULTIPART}/{upload['uploadId']}/complete", params={"key": upload["key"]}, json={"parts": parts}
    )


@pytest.mark.parametrize("quoted", [True, False])
def test_parts_become_an_image_in_a_gallery(owner: httpx.Client, gallery: str, photo: bytes, quoted: bool) -> None:
    upload = create(owner, gallery_id=gallery, size=len(photo))
    parts = [send_part(owner, upload, 2, photo[9_000:]), send_part(owner, upload, 1, photo[:9_000])][::-1]
    if not quoted:  # Uppy 6 takes the quotes off
        parts = [{**part, "ETag": part["ETag"].strip('"')} for part in parts]
    done = complete(owner, upload, parts)
    assert done.status_code == 200, done.text
    answer = done.json()
    assert set(answer) == {"location", "key", "bucket"}
    assert answer["key"] == upload["key"]
    image = owner.get(answer["location"]).json()["data"]
    assert (image["filename"], image["file_size"]) == ("tram.jpg", len(photo))
    assert complete(owner, upload, parts).json() == answer
    session = owner.get(f"/uploads/{upload['uploadId']}").json()["data"]
    assert (session["state"], session["image_id"]) == ("completed", image["id"])
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1


def test_what_has_arrived_is_listed_for_resuming(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner)
    sent = send_part(owner, upload, 2, photo[:100])
    listed = owner.get(f"{MULTIPART}/{upload['uploadId']}", params={"key": upload["key"]})
    assert listed.json() == [{"PartNumber": 2, "ETag": sent["ETag"], "Size": 100}]


def test_who_did_not_hear_that_it_is_done_goes_to_the_end_again(owner: httpx.Client, photo: bytes) -> None:
    """As Uppy does when its user tries again: what is listed is not sent, then it completes."""
    upload = create(owner)
    parts = [send_part(owner, upload, 1, photo[:9_000]), send_part(owner, upload, 2, photo[9_000:])]
    done = complete(owner, upload, parts).json()
    path, query = f"{MULTIPART}/{upload['uploadId']}", {"key": upload["key"]}
    listed = owner.get(path, params=query).json()
    assert listed == [{**parts[0], "Size": 9_000}, {**parts[1], "Size": len(photo) - 9_000}]
    assert owner.get(f"{path}/1", params=query).status_code == 200
    assert owner.get(f"{path}/batch", params={**query, "partNumbers": "1,2"}).status_code == 200
    assert (
        complete(owner, upload, [{each: part[each] for each in ("PartNumber", "ETag")} for part in listed]).json()
        == done
    )


def test_a_batch_of_urls(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner)
    query = {"key": upload["key"], "partNumbers": "1,3"}
    answer = owner.get(f"{MULTIPART}/{upload['uploadId']}/batch", params=query)
    assert list(answer.json()["presignedUrls"]) == ["1", "3"]
    assert httpx.put(answer.json()["presignedUrls"]["1"], content=photo).status_code == 204
    for wrong in ("", "1,", "a", "0", "1,1", "10001", ",".join(map(str, range(1, 102)))):
        refused = owner.get(f"{MULTIPART}/{upload['uploadId']}/batch", params={**query, "partNumbers": wrong})
        assert refused.status_code == 422, wrong


def test_giving_up_answers_an_empty_object(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    upload = create(owner)
    send_part(owner, upload, 1, photo)
    before = server.stored(".scratch/parts/")
    for _ in range(2):
        ended = owner.delete(f"{MULTIPART}/{upload['uploadId']}", params={"key": upload["key"]})
        assert (ended.status_code, ended.json()) == (200, {})
    assert len(before - server.stored(".scratch/parts/")) == 1
    assert owner.get(f"/uploads/{upload['uploadId']}").json()["data"]["state"] == "cancelled"


def calls(client: httpx.Client, upload: Answer) -> list[httpx.Response]:
    """Every call there is for an upload in parts."""
    path, query = f"{MULTIPART}/{upload['uploadId']}", {"key": upload["key"]}
    return [
        client.get(path, params=query),
        client.get(f"{path}/1", params=query),
        client.get(f"{path}/batch", params={**query, "partNumbers": "1"}),
        client.post(f"{path}/complete", params=query, json={"parts": [{"PartNumber": 1, "ETag": "x"}]}),
        client.delete(path, params=query),
    ]


def test_ids_and_keys_of_others_open_nothing(owner: httpx.Client, stranger: httpx.Client, photo: bytes) -> None:
    mine, other, theirs = create(owner), create(owner), create(stranger)
    simple = owner.post("/uploads", json={"filename": "a", "content_type": "image/jpeg", "size": 9}).json()["data"]
    wrong = [
        theirs,
        {**mine, "key": other["key"]},
        {**mine, "key": theirs["key"]},
        {**theirs, "key": mine["key"]},
        {**mine, "key": "library/images/x/original.jpg"},
        {"uploadId": simple["id"], "key": f"incoming/{simple['id']}"},
    ]
    for upload in wrong:
        assert {answer.status_code for answer in calls(owner, upload)} == {404}, upload
    assert owner.get(f"/uploads/{mine['uploadId']}").json()["data"]["state"] == "pending"


def test_problems_have_a_message(owner: httpx.Client, visitor: httpx.Client) -> None:
    upload = create(owner)
    refused = [
        *calls(owner, {**upload, "key": "x"}),
        *calls(visitor, upload),
        owner.get(f"{MULTIPART}/{upload['uploadId']}"),
        owner.get(f"{MULTIPART}/not-an-id?key=x"),
        owner.get(f"{MULTIPART}/{upload['uploadId']}/zero", params={"key": upload["key"]}),
        owner.put(MULTIPART),
        owner.post(MULTIPART, json={"filename": 7}),
        owner.post(MULTIPART, json={"filename": "a", "type": "text/html", "metadata": {}}),
        owner.post(MULTIPART, json={"filename": "a", "metadata": {"gallery_id": "mine"}}),
        owner.get(PARAMS),
        owner.get(PARAMS, params={"filename": "a", "type": "image/svg+xml"}),
        complete(owner, upload, []),
    ]
    for answer in refused:
        problem = answer.json()
        assert 400 <= answer.status_code < 500, answer.text
        assert problem["message"].startswith(problem["detail"])
        assert all(fault["message"] in problem["message"] for fault in problem["faults"])
    assert "message" not in owner.get("/uploads/nothing").json()


@pytest.mark.parametrize("header", ["Origin", "Referer"])
def test_a_page_that_came_by_tls_is_sent_to_tls(owner: httpx.Client, header: str) -> None:
    """Behind a proxy that ends TLS, with no setting that says so: a browser would let nothing else through."""
    page = {header: "https://photos.example/albums", "Host": "photos.example"}
    upload = create(owner)
    path, query = f"{MULTIPART}/{upload['uploadId']}", {"key": upload["key"]}
    by_tls = [
        owner.get(f"{path}/1", params=query, headers=page).json()["url"],
        owner.get(PARAMS, params={"filename": "a.jpg"}, headers=page).json()["url"],
    ]
    assert {urlsplit(url).scheme for url in by_tls} == {"https"}
    assert {urlsplit(url).netloc for url in by_tls} == {"photos.example"}
    plain = owner.get(f"{path}/1", params=query, headers={header: "http://photos.example/"}).json()["url"]
    assert urlsplit(plain).scheme == "http"


def test_a_page_elsewhere_is_sent_to_this_machine_as_it_can_be_reached(owner: httpx.Client) -> None:
    """Browsers let pages that came by TLS talk to loopback addresses without it."""
    host = owner.base_url.netloc.decode()
    for page, scheme in (
        ("https://photos.example", "http"),
        (f"https://{host}", "https"),
        (f"https://{host}0", "http"),
    ):
        url = owner.get(PARAMS, params={"filename": "a.jpg"}, headers={"Origin": page}).json()["url"]
        assert (urlsplit(url).scheme, urlsplit(url).netloc) == (scheme, host)


def test_parts_that_are_missing_can_still_come(owner: httpx.Client, photo: bytes) -> None:
    upload = create(owner)
    first = send_part(owner, upload, 1, photo[:9_000])
    early = complete(owner, upload, [first, {"PartNumber": 2, "ETag": "x"}])
    assert (early.status_code, early.json()["code"]) == (409, "upload_incomplete")
    second = send_part(owner, upload, 2, photo[9_000:])
    assert complete(owner, upload, [second, first]).status_code == 422
    assert complete(owner, upload, [first, {**second, "ETag": first["ETag"]}]).json()["code"] == "part_mismatch"
    assert complete(owner, upload, [first, second]).status_code == 200


# --- one request -------------------------------------------------------------------------------------------------


def params(owner: httpx.Client, **metadata: object) -> Answer:
    query = {"filename": "tram.jpg", "type": "image/jpeg", "metadata[name]": "tram.jpg", "metadata[x]": "[1]"}
    query |= {f"metadata[{name}]": str(value) for name, value in metadata.items()}
    answered = owner.get(PARAMS, params=query)
    assert (answered.status_code, answered.headers["Cache-Control"]) == (200, "no-store"), answered.text
    answer: Answer = answered.json()
    return answer


def post_form(answer: Answer, body: bytes, content_type: str = "image/jpeg") -> httpx.Response:
    """As Uppy 6 does: the fields, and the file last."""
    return httpx.post(answer["url"], data=answer["fields"], files={"file": ("blob", body, content_type)})


def session_of(owner: httpx.Client, answer: Answer) -> Answer:
    session: Answer = owner.get(f"/uploads/{answer['fields']['key'].removeprefix('incoming/')}").json()["data"]
    return session


def test_a_form_completes_by_itself(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    answer = params(owner, gallery_id=gallery, size=len(photo))
    assert (answer["method"], answer["headers"]) == ("POST", {})
    assert urlsplit(answer["url"]).scheme == "http"
    assert 0 < answer["expires"] <= 3600
    sent = post_form(answer, photo)
    assert (sent.status_code, sent.headers["Content-Type"]) == (201, "application/xml")
    assert f"<Key>{answer['fields']['key']}</Key><ETag>{sent.headers['ETag']}</ETag>" in sent.text
    session = session_of(owner, answer)
    assert session["state"] == "completed"
    assert owner.get(owner.base_url.join(sent.headers["Location"])).json()["data"]["id"] == session["id"]
    assert owner.get(f"/images/{session['image_id']}").json()["data"]["file_size"] == len(photo)
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1
    again = post_form(answer, photo)
    assert (again.status_code, again.headers["ETag"]) == (201, sent.headers["ETag"])
    assert post_form({**answer, "fields": {}}, photo).status_code == 204
    others = post_form(answer, photo[::-1])
    assert (others.status_code, others.json()["code"]) == (409, "upload_ended")
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1


def test_the_same_address_takes_the_file_alone(owner: httpx.Client, photo: bytes) -> None:
    answer = params(owner, gallery_id="null")
    sent = httpx.put(answer["url"], content=photo, headers={"Content-Type": "image/jpeg"})
    assert sent.status_code == 204
    assert session_of(owner, answer)["state"] == "completed"


def test_a_form_that_is_refused_leaves_nothing(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    answer = params(owner, size=len(photo))
    other_type = {**answer, "fields": {**answer["fields"], "Content-Type": "image/png"}}
    assert post_form(other_type, photo).json()["code"] == "type_mismatch"
    assert post_form(answer, photo + b"!").status_code == 413
    no_file = httpx.post(answer["url"], files={"other": (None, "x")})
    assert (no_file.status_code, no_file.json()["code"]) == (422, "invalid_input")
    assert httpx.post(answer["url"], content=photo).status_code == 415
    assert httpx.post(answer["url"][:-3] + "abc", files={"file": photo}).status_code == 403
    assert session_of(owner, answer)["state"] == "pending"
    assert server.stored(answer["fields"]["key"]) == set()
    noise = params(owner)
    for _ in range(2):
        refused = post_form(noise, b"\xff\xd8\xff\xe0" + bytes(1_000))
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_image")
    assert session_of(owner, noise)["failure"]["code"] == "bad_image"
    assert server.stored(noise["fields"]["key"]) == set()


def test_an_ordinary_upload_still_waits_to_be_completed(owner: httpx.Client) -> None:
    small = picture(64, 48)
    declared = {"filename": "a.jpg", "content_type": "image/jpeg", "size": len(small)}
    session = owner.post("/uploads", json=declared).json()["data"]
    url = owner.base_url.join(session["url"])
    assert httpx.put(url, content=small, headers=session["headers"]).status_code == 204
    assert owner.get(f"/uploads/{session['id']}").json()["data"]["state"] == "pending"
