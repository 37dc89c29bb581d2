"""What means the same by every way in: no gallery, ids in capitals, no body; and addresses with a slash at the end."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from tests.asgi.tus_client import BYTES, NEW, TRAM, VERSION, encoded

NOTHING = ["", "null", "undefined"]
JPEG = {"Content-Type": "image/jpeg"}
DRAFT = {"Upload-Complete": "?0", **JPEG}


def by_session(owner: httpx.Client, gallery_id: object) -> httpx.Response:
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": 10, "gallery_id": gallery_id}
    return owner.post("/uploads", json=declared)


def by_tus(owner: httpx.Client, gallery_id: object) -> httpx.Response:
    metadata = f"{TRAM},gallery_id {encoded(str(gallery_id))}".strip()
    return owner.post(NEW, headers={**VERSION, "Upload-Length": "10", "Upload-Metadata": metadata})


def by_draft(owner: httpx.Client, gallery_id: object) -> httpx.Response:
    return owner.post(NEW, params={"gallery_id": str(gallery_id)}, headers=DRAFT)


def by_uppy_form(owner: httpx.Client, gallery_id: object) -> httpx.Response:
    asked = {
        "filename": "tram.jpg",
        "type": "image/jpeg",
        "metadata[gallery_id]": str(gallery_id),
        "metadata[size]": "",
    }
    return owner.get("/uploads/uppy/s3/params", params=asked)


def by_uppy_parts(owner: httpx.Client, gallery_id: object) -> httpx.Response:
    metadata = {"gallery_id": gallery_id, "size": "null"}
    file = {"filename": "tram.jpg", "type": "image/jpeg", "metadata": metadata}
    return owner.post("/uploads/uppy/s3/multipart", json=file)


Way = Callable[[httpx.Client, object], httpx.Response]
WAYS: list[Way] = [by_session, by_tus, by_draft, by_uppy_form, by_uppy_parts]


def gallery_of(owner: httpx.Client, begun: httpx.Response) -> object:
    """The gallery of an upload, whatever its answer looks like."""
    assert begun.status_code in (200, 201), begun.text
    document = begun.json() if begun.content else {}
    key = document.get("key") or document.get("fields", {}).get("key") or begun.headers.get("Location")
    return owner.get(f"/uploads/{key.rpartition('/')[2]}").json()["data"]["gallery_id"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("nothing", NOTHING)
def test_no_gallery_is_said_in_three_words_by_every_way(owner: httpx.Client, way: Way, nothing: str) -> None:
    assert gallery_of(owner, way(owner, nothing)) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_gallery_is_one_in_capitals_too(owner: httpx.Client, gallery: str, way: Way) -> None:
    assert gallery_of(owner, way(owner, gallery.upper())) == gallery


def test_any_other_word_is_no_gallery(owner: httpx.Client) -> None:
    refused = by_session(owner, "None")
    assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, ["body", "gallery_id"])
    assert by_tus(owner, "None").json()["code"] == "malformed_request"


def test_ids_in_capitals_are_ids_in_paths_bodies_and_headers(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    image = owner.post(f"/galleries/{gallery.upper()}/uploads", content=photo, headers=JPEG).json()["data"]["id"]
    assert owner.get(f"/images/{image.upper()}").json()["data"]["id"] == image
    removed = owner.post(f"/galleries/{gallery}/images/remove", json={"image_ids": [image.upper()]})
    assert removed.json()["data"]["image_count"] == 0
    partial = owner.post(NEW, headers={**VERSION, "Upload-Length": "3", "Upload-Concat": "partial"}).headers["Location"]
    at = partial.removeprefix("/api/v1")
    owner.patch(
        at.upper().replace("/UPLOADS/RESUMABLE", NEW),
        content=b"abc",
        headers={**VERSION, "Content-Type": BYTES, "Upload-Offset": "0"},
    )
    root, _, name = partial.rpartition("/")
    final = {**VERSION, "Upload-Concat": f"final;{root}/{name.upper()}/", "Upload-Metadata": TRAM}
    assert owner.post(NEW, headers=final).json()["code"] == "type_mismatch", "it was found, and put together"


def test_the_resumable_endpoint_is_found_with_a_slash_at_its_end(owner: httpx.Client) -> None:
    for headers in ({**VERSION, "Upload-Length": "10", "Upload-Metadata": TRAM}, DRAFT):
        begun = owner.post(f"{NEW}/", headers=headers)
        assert begun.status_code == 201
        at = begun.headers["Location"].removeprefix("/api/v1")
        assert owner.head(f"{at}/", headers={} if headers is DRAFT else VERSION).headers["Upload-Offset"] == "0"
        assert owner.delete(f"{at}/", headers={} if headers is DRAFT else VERSION).status_code == 204
    assert owner.options(f"{NEW}/").headers["Tus-Version"] == "1.0.0"


def no_bytes() -> Iterator[bytes]:
    """A body in chunks, of which there are none."""
    yield from ()


def test_a_body_without_a_byte_is_no_body(owner: httpx.Client) -> None:
    upload = by_session(owner, None).json()["data"]["id"]
    assert owner.post(f"/uploads/{upload}/complete", content=no_bytes()).json()["code"] == "upload_incomplete"
    assert (
        owner.post(
            NEW, content=no_bytes(), headers={**VERSION, "Upload-Length": "10", "Upload-Metadata": TRAM}
        ).status_code
        == 201
    )
    assert owner.post(NEW, content=no_bytes(), headers=DRAFT).status_code == 201


def test_a_body_of_an_unknown_kind_is_refused_however_it_is_sent(owner: httpx.Client) -> None:
    upload = by_session(owner, None).json()["data"]["id"]
    headers = {**VERSION, "Upload-Length": "10", "Upload-Metadata": TRAM}
    for content in (b"{}", iter([b"{}"])):
        assert owner.post(f"/uploads/{upload}/complete", content=content).json()["code"] == "unsupported_body"
    for content in (b"abc", iter([b"abc"])):
        assert owner.post(NEW, content=content, headers=headers).json()["code"] == "unsupported_body"


def test_null_is_not_the_same_as_no_body(owner: httpx.Client) -> None:
    upload = by_session(owner, None).json()["data"]["id"]
    sent = owner.post(
        f"/uploads/{upload}/complete", content=json.dumps(None), headers={"Content-Type": "application/json"}
    )
    assert sent.json()["code"] == "invalid_input"
