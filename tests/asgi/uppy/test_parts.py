"""Files that go up in parts, over HTTP: the plan, its parts in any order, and what is not as planned."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.servers.api import ApiServer
from tests.support.studio import picture

Session = dict[str, Any]


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A photograph beyond the threshold of this server: see ``conftest.py``."""
    import skimage.data
    from PIL import Image

    path: Path = tmp_path_factory.mktemp("large") / "large.jpg"
    Image.fromarray(skimage.data.astronaut()).resize((2400, 2400), Image.Resampling.BICUBIC).save(path, quality=95)
    return path.read_bytes()


def begin(owner: httpx.Client, body: bytes, **more: object) -> Session:
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(body), **more}
    begun = owner.post("/uploads", json=declared)
    assert begun.status_code == 201, begun.text
    assert begun.headers["Cache-Control"] == "no-store"
    session: Session = begun.json()["data"]
    return session


def piece(session: Session, body: bytes, part: Session) -> bytes:
    start = (part["number"] - 1) * session["parts"]["size"]
    return body[start : start + part["size"]]


def send(owner: httpx.Client, part: Session, body: bytes) -> httpx.Response:
    """What the plan says, to the letter; no sign-in goes with it."""
    return httpx.request(part["method"], owner.base_url.join(part["url"]), headers=part["headers"], content=body)


def send_all(owner: httpx.Client, session: Session, body: bytes) -> list[Session]:
    """Last first, and answers what there is to claim."""
    claimed = []
    for part in session["parts"]["urls"][::-1]:
        sent = send(owner, part, piece(session, body, part))
        assert sent.status_code == 204, sent.text
        claimed.append({"number": part["number"], "etag": sent.headers["ETag"]})
    return claimed[::-1]


def test_a_photograph_in_parts_out_of_order_and_one_repeated(owner: httpx.Client, gallery: str, large: bytes) -> None:
    session = begin(owner, large, gallery_id=gallery)
    plan = session["parts"]
    assert (session["transport"], session["url"], session["method"]) == ("parts", None, None)
    assert plan["count"] == len(plan["urls"]) == -(-len(large) // plan["size"]) > 2
    assert send(owner, plan["urls"][0], bytes(plan["size"])).status_code == 204
    claimed = send_all(owner, session, large)
    listed = owner.get(f"/uploads/{session['id']}/parts").json()["data"]
    assert [part["number"] for part in listed["parts"]] == list(range(1, plan["count"] + 1))
    assert (sum(part["size"] for part in listed["parts"]), listed["missing"]) == (len(large), [])
    done = owner.post(f"/uploads/{session['id']}/complete", json={"parts": claimed})
    assert done.status_code == 202, done.text
    image = done.json()["data"]
    assert image["file_size"] == len(large)
    for again in ({"parts": claimed}, {}):
        assert owner.post(f"/uploads/{session['id']}/complete", json=again).json()["data"]["id"] == image["id"]
    assert owner.post(f"/uploads/{session['id']}/complete").json()["data"]["id"] == image["id"]
    assert owner.get(f"/images/{image['id']}/download", follow_redirects=True).content == large
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 1


def test_a_missing_part_is_named_and_can_still_come(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    send_all(owner, {**session, "parts": {**session["parts"], "urls": session["parts"]["urls"][1:]}}, large)
    early = owner.post(f"/uploads/{session['id']}/complete")
    assert (early.status_code, early.json()["code"]) == (409, "upload_incomplete")
    assert early.json()["details"] == {"missing": 1, "first": 1}
    missing = owner.get(f"/uploads/{session['id']}/parts").json()["data"]["missing"]
    signed = owner.post(f"/uploads/{session['id']}/parts/sign", json={"numbers": missing})
    assert signed.headers["Cache-Control"] == "no-store"
    (part,) = signed.json()["data"]["urls"]
    assert send(owner, part, piece(session, large, part)).status_code == 204
    assert owner.post(f"/uploads/{session['id']}/complete").status_code == 202


def test_a_short_part_is_refused_and_can_be_sent_again(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    first = session["parts"]["urls"][0]
    refused = send(owner, first, b"short")
    assert (refused.status_code, refused.json()["code"]) == (422, "size_mismatch")
    assert refused.json()["details"] == {"declared": first["size"], "received": 5}
    send_all(owner, session, large)
    assert owner.post(f"/uploads/{session['id']}/complete").status_code == 202


def test_a_part_can_be_sent_again_when_it_is_in_the_image(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    claimed = send_all(owner, session, large)
    assert owner.post(f"/uploads/{session['id']}/complete").status_code == 202
    signed = owner.post(f"/uploads/{session['id']}/parts/sign", json={"numbers": [2]}).json()["data"]["urls"][0]
    again = send(owner, signed, piece(session, large, signed))
    assert (again.status_code, again.headers["ETag"]) == (204, claimed[1]["etag"])
    others = send(owner, signed, bytes(signed["size"]))
    assert (others.status_code, others.json()["code"]) == (409, "upload_ended")


def test_claims_that_are_wrong_are_refused(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    claimed = send_all(owner, session, large)
    path = f"/uploads/{session['id']}/complete"
    for wrong in (claimed[::-1], [claimed[0], *claimed], [{"number": 0}], [], "all", [{**claimed[0], "size": 1}]):
        refused = owner.post(path, json={"parts": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input"), wrong
        assert refused.json()["faults"]
    swapped = [{**claimed[0], "etag": claimed[1]["etag"]}, *claimed[1:]]
    assert owner.post(path, json={"parts": swapped}).json()["code"] == "part_mismatch"
    assert owner.post(path, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert owner.post(path, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert owner.post(path, json={"parts": claimed}).status_code == 202


def test_a_part_url_takes_its_part_and_nothing_else(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    part = session["parts"]["urls"][0]
    assert send(owner, part, bytes(part["size"] + 1)).status_code == 413
    assert send(owner, {**part, "url": part["url"][:-3] + "abc"}, b"x").json()["code"] == "signature_invalid"
    assert httpx.get(owner.base_url.join(part["url"])).json()["code"] == "signature_invalid"
    assert owner.get(f"/uploads/{session['id']}/parts").json()["data"]["parts"] == []


def test_numbers_beyond_the_plan_are_not_signed(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    path = f"/uploads/{session['id']}/parts/sign"
    for numbers in ([], [0], [session["parts"]["count"] + 1], [1, 1], list(range(1, 102)), ["1"]):
        assert owner.post(path, json={"numbers": numbers}).status_code == 422, numbers


def test_an_upload_in_parts_is_nobody_elses(
    owner: httpx.Client, stranger: httpx.Client, visitor: httpx.Client, large: bytes
) -> None:
    path = f"/uploads/{begin(owner, large)['id']}"
    for client, status in ((stranger, 404), (visitor, 401)):
        assert client.get(f"{path}/parts").status_code == status
        assert client.post(f"{path}/parts/sign", json={"numbers": [1]}).status_code == status
        assert client.post(f"{path}/complete", json={"parts": [{"number": 1}]}).status_code == status
        assert client.delete(path).status_code == status


def test_giving_up_forgets_the_parts(owner: httpx.Client, server: ApiServer, large: bytes) -> None:
    session = begin(owner, large)
    send_all(owner, session, large)
    before = server.stored(".scratch/parts/")
    assert owner.delete(f"/uploads/{session['id']}").status_code == 204
    assert len(before - server.stored(".scratch/parts/")) == session["parts"]["count"]
    late = send(owner, session["parts"]["urls"][0], b"late")
    assert (late.status_code, late.json()["code"]) == (409, "upload_ended")
    assert owner.post(f"/uploads/{session['id']}/parts/sign", json={"numbers": [1]}).status_code == 409


def test_a_small_file_has_no_parts(owner: httpx.Client) -> None:
    small = picture(64, 48)
    session = begin(owner, small)
    assert (session["transport"], session["parts"]) == ("simple", None)
    assert owner.get(f"/uploads/{session['id']}/parts").status_code == 404
    assert owner.post(f"/uploads/{session['id']}/complete", json={"parts": [{"number": 1}]}).status_code == 404


def test_a_plan_is_told_again_without_its_urls(owner: httpx.Client, large: bytes) -> None:
    session = begin(owner, large)
    told = owner.get(f"/uploads/{session['id']}").json()["data"]
    assert told["parts"] == {**session["parts"], "urls": []}
