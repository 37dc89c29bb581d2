"""Images over HTTP: what is told to whom, and the ways to the bytes."""

import httpx
import pytest
from PIL import Image as Pillow
from tests.support.studio import picture


def test_an_image_is_told_with_all_that_a_page_needs(owner: httpx.Client, image: str) -> None:
    data = owner.get(f"/images/{image}").json()["data"]
    assert list(data)[:6] == ["id", "filename", "width", "height", "frames", "alt_text"]
    assert (data["filename"], data["mime_type"], data["width"], data["height"]) == ("tram.jpg", "image/jpeg", 640, 480)
    assert {variant["type"] for variant in data["variants"]} >= {"thumbnail", "small", "medium"}
    assert data["src"].startswith("/api/v1/files/")
    assert data["expires_at"] is None
    candidates = data["srcSet"].split(", ")
    assert candidates
    assert all(candidate.startswith("/api/v1/files/") for candidate in candidates)
    assert data["sizes"]["slideshow"] == "100vw"
    assert data["ratio"] == 1.3333
    assert data["blurhash"]
    assert not [name for name in data if "key" in name]


def test_some_things_are_told_to_the_owner_alone(owner: httpx.Client, visitor: httpx.Client, gallery: str) -> None:
    jpeg = {"Content-Type": "image/jpeg"}
    exif = _exif_with_place()
    added = owner.post(f"/galleries/{gallery}/uploads", content=picture(320, 240, exif=exif), headers=jpeg)
    image_id = added.json()["data"]["id"]
    owner.patch(f"/images/{image_id}", json={"is_favorite": True})
    own = owner.get(f"/images/{image_id}").json()["data"]
    others = visitor.get(f"/images/{image_id}").json()["data"]
    assert own["latitude"] == own["exif"]["latitude"] == pytest.approx(38.7139, abs=1e-3)
    assert others["latitude"] is others["longitude"] is others["exif"]["latitude"] is None
    assert others["exif"]["make"] == own["exif"]["make"] == "Canon"
    assert own["taken_at"] == own["exif"]["taken_at"] == "2012-06-05T14:03:59Z"
    assert own["taken_at_source"] == own["exif"]["taken_at_source"] == "exif_changed"
    assert (own["is_favorite"], others["is_favorite"]) == (True, False)
    assert (len(own["sha256"]), others["sha256"]) == (64, None)
    for client, told in ((owner, own), (visitor, others)):
        listed = client.get(f"/galleries/{gallery}/images?fields=longitude,sha256,is_favorite,exif").json()["data"]
        assert listed == [{name: told[name] for name in ("is_favorite", "sha256", "exif", "longitude")}]


def _exif_with_place() -> bytes:
    exif = Pillow.Exif()
    exif[0x010F], exif[0x0132] = "Canon", "2012:06:05 14:03:59"
    place = exif.get_ifd(0x8825)
    place.update({1: "N", 2: (38.0, 42.0, 50.0), 3: "W", 4: (9.0, 8.0, 21.0)})
    return exif.tobytes()


def test_the_library_lists_and_changes(owner: httpx.Client, visitor: httpx.Client, image: str) -> None:
    assert [each["id"] for each in owner.get("/images").json()["data"]] == [image]
    assert visitor.get("/images").status_code == 401
    changed = owner.patch(f"/images/{image}", json={"alt_text": "A yellow tram", "filename": "yellow.jpg"})
    assert changed.json()["data"]["alt_text"] == "A yellow tram"
    refused = owner.patch(f"/images/{image}", json={"alt_text": "x" * 501, "width": 3})
    assert refused.status_code == 422
    assert {tuple(fault["path"]) for fault in refused.json()["faults"]} == {("body", "alt_text"), ("body", "width")}


def test_view_leads_to_the_best_variant(visitor: httpx.Client, image: str) -> None:
    seen = visitor.get(f"/images/{image}/view", params={"variant": "small"}, headers={"Accept": "image/webp"})
    assert seen.status_code == 302
    assert "Accept" in seen.headers["Vary"]
    assert "/small-" in seen.headers["Location"]
    assert seen.headers["Location"].endswith(".webp")
    file = httpx.get(str(visitor.base_url.join(seen.headers["Location"])))
    assert (file.status_code, file.headers["Content-Type"]) == (200, "image/webp")
    assert visitor.get(f"/images/{image}/view", params={"format": "gif"}).status_code == 404
    unknown = visitor.get(f"/images/{image}/view", params={"variant": "gigantic"})
    assert unknown.json()["faults"][0]["path"] == ["query", "variant"]


@pytest.mark.parametrize(
    "accept", ["*/*", "image/jpeg", "image/*;q=0.1", "text/html", "image/avif, image/webp, */*;q=0.8"]
)
@pytest.mark.parametrize("variant", ["thumbnail", "small"])
def test_view_leads_to_the_variant_that_was_asked_for(
    visitor: httpx.Client, image: str, variant: str, accept: str
) -> None:
    seen = visitor.get(f"/images/{image}/view", params={"variant": variant}, headers={"Accept": accept})
    assert f"/{variant}-" in seen.headers["Location"]


def test_only_the_owner_downloads_the_original(
    owner: httpx.Client, visitor: httpx.Client, image: str, photo: bytes
) -> None:
    assert visitor.get(f"/images/{image}/download").status_code == 401
    away = owner.get(f"/images/{image}/download")
    assert (away.status_code, away.headers["Cache-Control"]) == (302, "private, no-store")
    original = httpx.get(str(owner.base_url.join(away.headers["Location"])))
    assert original.content == photo
    assert original.headers["Content-Disposition"].startswith('attachment; filename="tram.jpg"')


def test_a_picture_is_saved_as_a_picture_whatever_it_is_called(owner: httpx.Client, image: str) -> None:
    assert owner.patch(f"/images/{image}", json={"filename": "tram.html"}).status_code == 200
    away = owner.get(f"/images/{image}/download")
    original = httpx.get(str(owner.base_url.join(away.headers["Location"])))
    assert original.headers["Content-Disposition"].startswith('attachment; filename="tram.html.jpg"')
    for unsafe in ("..", "a\u202eb.jpg", "<script>.jpg", "\u6771" * 86):
        refused = owner.patch(f"/images/{image}", json={"filename": unsafe})
        assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, ["body", "filename"])


def test_only_a_failed_image_is_retried(owner: httpx.Client, image: str) -> None:
    refused = owner.post(f"/images/{image}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
