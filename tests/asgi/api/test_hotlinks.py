"""Pages of others that show our files: refused as the gallery says, and nobody's cache is any the worse for it."""

import httpx
import pytest

PAGE, OTHER = {"Referer": "https://photos.example/lisbon"}, {"Referer": "https://thief.example/"}


@pytest.fixture
def variant(owner: httpx.Client, gallery: str, image: str) -> str:
    """The full address of a public variant in a gallery with a rule."""
    changed = owner.patch(f"/galleries/{gallery}", json={"allowed_origins": ["https://PHOTOS.example:443"]})
    assert changed.json()["data"]["allowed_origins"] == ["https://photos.example"]
    return str(owner.base_url.join(owner.get(f"/images/{image}").json()["data"]["src"]))


def test_a_page_of_others_is_refused_and_no_cache_keeps_that(variant: str) -> None:
    for method in ("GET", "HEAD"):
        refused = httpx.request(method, variant, headers=OTHER)
        assert refused.status_code == 403
        assert refused.headers["Cache-Control"] == "no-store"
    assert httpx.get(variant, headers=OTHER).json()["code"] == "hotlink_refused"
    for headers in ({"If-None-Match": "*"}, {"Range": "bytes=0-1"}):
        assert httpx.get(variant, headers={**OTHER, **headers}).status_code == 403


def test_what_only_some_pages_may_show_only_browsers_keep(owner: httpx.Client, gallery: str, variant: str) -> None:
    for headers in (PAGE, {"Origin": "https://photos.example"}, {}, {"Sec-Fetch-Site": "none"}):
        shown = httpx.get(variant, headers=headers)
        assert (shown.status_code, shown.content[:4]) == (200, b"RIFF")
        assert shown.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert "Vary" not in shown.headers
    owner.patch(f"/galleries/{gallery}", json={"allowed_origins": None})
    everybodys = httpx.get(variant, headers=OTHER)
    assert everybodys.status_code == 200
    assert everybodys.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_own_pages_always_may(owner: httpx.Client, gallery: str, variant: str) -> None:
    owner.patch(f"/galleries/{gallery}", json={"allowed_origins": []})
    assert httpx.get(variant, headers=PAGE).status_code == 403
    host = httpx.URL(variant)
    for own in (f"http://{host.host}:{host.port}", f"https://{host.host}:{host.port}"):
        assert httpx.get(variant, headers={"Referer": f"{own}/page"}).status_code == 200
    assert httpx.get(variant, headers={"Referer": f"http://{host.host}/page"}).status_code == 403


def test_a_page_is_told_to_the_file_that_a_view_leads_to(visitor: httpx.Client, image: str, variant: str) -> None:
    led = visitor.get(f"/images/{image}/view", headers=PAGE)
    assert led.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert httpx.get(str(visitor.base_url.join(led.headers["Location"])), headers=OTHER).status_code == 403


def test_a_rule_is_its_owners_to_see(owner: httpx.Client, visitor: httpx.Client, gallery: str, variant: str) -> None:
    assert owner.get(f"/galleries/{gallery}").json()["data"]["allowed_origins"] == ["https://photos.example"]
    assert visitor.get(f"/galleries/{gallery}").json()["data"]["allowed_origins"] is None
    made = owner.post("/galleries", json={"name": "Porto", "allowed_origins": []})
    assert made.json()["data"]["allowed_origins"] == []


@pytest.mark.parametrize(
    "origins", [["photos.example"], ["https://a.example/"], ["*"], [""], [1], "x", ["https://a"] * 21]
)
def test_what_is_no_origin_is_refused(owner: httpx.Client, gallery: str, origins: object) -> None:
    refused = owner.patch(f"/galleries/{gallery}", json={"allowed_origins": origins})
    assert refused.status_code == 422
    assert refused.json()["faults"][0]["path"][:2] == ["body", "allowed_origins"]
