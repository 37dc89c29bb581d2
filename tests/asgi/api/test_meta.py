"""``meta`` over HTTP: by every way in, changed, shown to whom, and refused."""

import json
from collections.abc import Callable

import httpx
import pytest
from tests.asgi.tus_client import NEW, TRAM, VERSION, encoded

META = {"sku": "A-1", "size": {"cm": [30, 40.5]}, "is_new": True, "é": "ü"}
TEXT = json.dumps(META)
JPEG = {"Content-Type": "image/jpeg"}
DECLARED = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": 10}


def by_session(owner: httpx.Client, text: str) -> httpx.Response:
    body = f'{{"filename": "tram.jpg", "size": 10, "meta": {text}}}'
    return owner.post("/uploads", content=body, headers={"Content-Type": "application/json"})


def by_tus(owner: httpx.Client, text: str) -> httpx.Response:
    return owner.post(
        NEW, headers={**VERSION, "Upload-Length": "10", "Upload-Metadata": f"{TRAM},meta {encoded(text)}"}
    )


def by_tus_with_query(owner: httpx.Client, text: str) -> httpx.Response:
    return owner.post(NEW, params={"meta": text}, headers={**VERSION, "Upload-Length": "10", "Upload-Metadata": TRAM})


def by_draft(owner: httpx.Client, text: str) -> httpx.Response:
    return owner.post(NEW, params={"meta": text}, headers={"Upload-Complete": "?0", **JPEG})


def by_uppy_form(owner: httpx.Client, text: str) -> httpx.Response:
    asked = {"filename": "tram.jpg", "type": "image/jpeg", "metadata[meta]": text}
    return owner.get("/uploads/uppy/s3/params", params=asked)


def by_uppy_parts(owner: httpx.Client, text: str) -> httpx.Response:
    file = {"filename": "tram.jpg", "type": "image/jpeg", "metadata": {"meta": text}}
    return owner.post("/uploads/uppy/s3/multipart", json=file)


Way = Callable[[httpx.Client, str], httpx.Response]
WAYS: list[Way] = [by_session, by_tus, by_tus_with_query, by_draft, by_uppy_form, by_uppy_parts]


def upload_of(owner: httpx.Client, begun: httpx.Response) -> dict[str, object]:
    """The upload, whatever the answer looks like."""
    assert begun.status_code in (200, 201), begun.text
    document = begun.json() if begun.content else {}
    found = document.get("key") or document.get("fields", {}).get("key") or begun.headers.get("Location")
    upload: dict[str, object] = owner.get(f"/uploads/{found.rpartition('/')[2]}").json()["data"]
    return upload


@pytest.mark.parametrize("way", WAYS)
def test_it_comes_with_an_upload_by_every_way(owner: httpx.Client, way: Way) -> None:
    assert upload_of(owner, way(owner, TEXT))["meta"] == META


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", ['{"a": 1e300}', '{"a\\u0000": 1}', '{"a":' * 20 + "1" + "}" * 20, "[]"])
def test_what_it_cannot_be_is_refused_by_every_way_and_leaves_no_upload(
    owner: httpx.Client, way: Way, text: str
) -> None:
    refused = way(owner, text)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert "meta" in refused.json()["faults"][0]["path"]
    assert owner.get("/uploads").json()["data"] == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", ["[" * 5_000, '{"a": NaN}', '{"a": "\\ud800"}', "{"])
def test_what_is_no_json_is_refused_by_every_way(owner: httpx.Client, way: Way, text: str) -> None:
    refused = way(owner, text)
    assert refused.status_code in (400, 422), refused.text
    assert owner.get("/uploads").json()["data"] == []


VISIBLE: list[Callable[[httpx.Client, str], httpx.Response]] = [
    lambda owner, visibility: owner.post("/uploads", json={**DECLARED, "visibility": visibility}),
    lambda owner, visibility: owner.post(
        NEW,
        headers={
            **VERSION,
            "Upload-Length": "10",
            "Upload-Metadata": f"{TRAM},visibility {encoded(visibility)}",
        },
    ),
    lambda owner, visibility: owner.post(
        NEW, params={"visibility": visibility}, headers={"Upload-Complete": "?0", **JPEG}
    ),
    lambda owner, visibility: owner.get(
        "/uploads/uppy/s3/params", params={"filename": "tram.jpg", "metadata[visibility]": visibility}
    ),
    lambda owner, visibility: owner.post(
        "/uploads/uppy/s3/multipart", json={"filename": "tram.jpg", "metadata": {"visibility": visibility}}
    ),
]


@pytest.mark.parametrize("way", VISIBLE)
def test_how_open_an_image_is_comes_by_every_way_too(owner: httpx.Client, way: Way) -> None:
    assert upload_of(owner, way(owner, "unlisted"))["visibility"] == "unlisted"
    refused = way(owner, "open")
    assert (refused.status_code, refused.json()["faults"][0]["path"][-1]) == (422, "visibility")


def test_it_comes_with_a_form_and_with_a_file_alone(owner: httpx.Client, gallery: str, photo: bytes) -> None:
    address, file = f"/galleries/{gallery}/images", {"file": ("tram.jpg", photo, "image/jpeg")}
    said = {"meta": TEXT, "visibility": "public"}
    by_form = owner.post(address, data={**said, "alt_text": "A tram"}, files=file)
    by_body = owner.post(address, params=said, content=photo, headers=JPEG)
    for added in (by_form, by_body):
        assert added.status_code == 202, added.text
        assert (added.json()["data"]["meta"], added.json()["data"]["visibility"]) == (META, "public")
    for refused in (
        owner.post(address, data={"meta": "[]"}, files=file),
        owner.post(address, params={"meta": "[]"}, content=photo, headers=JPEG),
    ):
        assert (refused.status_code, refused.json()["faults"][0]["path"][-1]) == (422, "meta")
    assert owner.get(f"/galleries/{gallery}").json()["data"]["image_count"] == 2


def test_a_megabyte_is_too_much_everywhere(owner: httpx.Client, gallery: str) -> None:
    much = {"meta": {"a": "x" * 1_000_000}}
    for refused in (
        owner.post("/galleries", json={"name": "Lisbon", **much}),
        owner.patch(f"/galleries/{gallery}", json=much),
        owner.post("/uploads", json={**DECLARED, **much}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    more = owner.patch(f"/galleries/{gallery}", json={"meta": {"a": "x" * 16_400}})
    assert (more.status_code, more.json()["faults"][0]["path"]) == (422, ["body", "meta"])


def test_a_gallery_has_it_and_changes_it_by_a_merge_patch(owner: httpx.Client) -> None:
    made = owner.post("/galleries", json={"name": "Lisbon", "meta": META}).json()["data"]
    assert made["meta"] == META
    at = f"/galleries/{made['id']}"
    changed = owner.patch(at, json={"meta": {"size": {"cm": None, "inch": 12}, "is_new": None}})
    assert changed.json()["data"]["meta"] == {"sku": "A-1", "size": {"inch": 12}, "é": "ü"}
    assert owner.get(at).json()["data"]["meta"] == changed.json()["data"]["meta"]
    assert owner.patch(at, json={"name": "Lisboa"}).json()["data"]["meta"] == changed.json()["data"]["meta"]
    (listed,) = owner.get("/galleries").json()["data"]
    (asked_for,) = owner.get("/galleries?with_meta=true").json()["data"]
    assert asked_for == {**listed, "meta": changed.json()["data"]["meta"]}
    assert "meta" not in listed
    assert owner.patch(at, json={"meta": None}).json()["data"]["meta"] == {}


def test_public_galleries_show_the_keys_that_all_see(owner: httpx.Client, visitor: httpx.Client) -> None:
    made = owner.post("/galleries", json={"name": "Lisbon", "visibility": "public", "meta": META}).json()["data"]
    address = f"/galleries?view=public&with_meta=true&ids={made['id']}"
    assert [each["meta"] for each in visitor.get(address).json()["data"]] == [{}]
    assert [each["meta"] for each in owner.get(address).json()["data"]] == [META]


def test_an_image_has_it_in_its_details_and_in_lists_that_ask_for_it(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str
) -> None:
    at, members = f"/images/{image}", f"/galleries/{gallery}/images"
    before = owner.get(members).json()["data"][0].keys()
    assert owner.patch(at, json={"meta": META}).json()["data"]["meta"] == META
    assert owner.get(at).json()["data"]["meta"] == META
    assert owner.get(members).json()["data"][0].keys() == before
    assert owner.get(members, params={"fields": "meta"}).json()["data"] == [{"meta": META}]
    assert owner.get("/images", params={"fields": "meta"}).json()["data"] == [{"meta": META}]
    for hidden in (visitor.get(at), visitor.get(members, params={"fields": "meta"})):
        data = hidden.json()["data"]
        assert (data if isinstance(data, dict) else data[0])["meta"] == {}
    assert owner.patch(at, json={"meta": None}).json()["data"]["meta"] == {}


def test_a_key_stands_for_one_meta(owner: httpx.Client) -> None:
    key = {"Idempotency-Key": "once"}
    first = owner.post("/uploads", json={**DECLARED, "meta": META}, headers=key)
    again = owner.post("/uploads", json={**DECLARED, "meta": META}, headers=key)
    other = owner.post("/uploads", json={**DECLARED, "meta": {}}, headers=key)
    assert (first.json()["data"]["id"], other.json()["code"]) == (again.json()["data"]["id"], "idempotency_key_reused")
    reordered = dict(reversed(META.items()))
    metas: list[object] = [META, reordered, {"a": 1}]
    made = [owner.post("/galleries", json={"name": "A", "meta": meta}, headers=key) for meta in metas]
    assert made[0].json()["data"]["id"] == made[1].json()["data"]["id"]
    assert made[2].json()["code"] == "idempotency_key_reused"


def test_lists_show_what_is_asked_for_by_meta_and_by_ids(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str
) -> None:
    owner.patch(f"/images/{image}", json={"meta": {"sku": 3, "tags": ["tram", "red"], "a.b[c]": "x"}})
    owner.patch(f"/galleries/{gallery}", json={"meta": {"shop": "3"}})
    for address, wanted in (("/images", image), (f"/galleries/{gallery}/images", image), ("/galleries", gallery)):
        key = "shop" if wanted == gallery else "sku"
        for query, is_there in (
            (f"meta.{key}=3", True),
            (f"meta[{key}]=3", True),
            (f"meta.{key}=4", False),
            (f"meta.{key}=3&meta.other=1", False),
            (f"ids={wanted}", True),
            (f"ids={wanted},{gallery}&meta.{key}=3", True),
            ("ids=01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52", False),
        ):
            found = owner.get(f"{address}?{query}")
            assert found.status_code == 200, found.text
            assert [each["id"] for each in found.json()["data"]] == ([wanted] if is_there else []), query
        for query in (f"meta.{key}=3&meta[{key}]=3", "meta=3", "ids=", f"ids={'x' * 9}", f"meta.{key}=%00"):
            assert owner.get(f"{address}?{query}").status_code == 422, query
    for query in ('meta.tags=["tram"]', "meta.a.b[c]=x", "meta[a.b[c]]=x"):
        assert [each["id"] for each in owner.get(f"/images?{query}").json()["data"]] == [image], query
    assert owner.get("/images?trashed=true&meta.sku=3").json()["data"] == []
    refused = visitor.get(f"/galleries/{gallery}/images?meta.sku=3")
    assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, ["query", "meta.sku"])
    assert visitor.get(f"/galleries/{gallery}/images?ids={image}").json()["data"][0]["id"] == image


def test_a_gallery_is_deleted_with_its_images(owner: httpx.Client, gallery: str, image: str) -> None:
    assert owner.delete(f"/galleries/{gallery}?with_images=true").status_code == 204
    assert [each["id"] for each in owner.get("/images?trashed=true").json()["data"]] == [image]


def test_a_public_picture_needs_no_gallery_and_is_gone_when_it_is_closed(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str
) -> None:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    at = f"/images/{image}"
    assert visitor.get(at).status_code == 404
    opened = owner.patch(at, json={"visibility": "public"}).json()["data"]
    address = opened["src"].removeprefix("/api/v1")
    assert opened["expires_at"] is None
    for _ in range(2):  # again, as what is remembered of it
        assert visitor.get(address).status_code == 200
    seen = visitor.get(at).json()["data"]
    assert (seen["src"], seen["visibility"]) == (opened["src"], None)
    assert owner.get("/images?visibility=public&fields=id").json()["data"] == [{"id": image}]
    owner.patch(at, json={"visibility": "private"})
    assert visitor.get(address).status_code == 404
    assert visitor.get(at).status_code == 404
    owner.patch(at, json={"visibility": "unlisted"})
    assert visitor.get(address).status_code == 200
    owner.delete(at)
    assert visitor.get(address).status_code == 404
