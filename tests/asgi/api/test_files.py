"""Bytes over HTTP: public variants and signed objects, with ranges, conditions and HEAD."""

import httpx
import pytest
from tests.support.servers.api import ApiServer


@pytest.fixture
def variant(owner: httpx.Client, image: str) -> str:
    """The full address of a public variant."""
    return str(owner.base_url.join(owner.get(f"/images/{image}").json()["data"]["src"]))


def test_a_public_variant_is_immutable_and_runs_nothing(variant: str) -> None:
    file = httpx.get(variant)
    assert file.status_code == 200
    assert file.content[:4] == b"RIFF"
    assert int(file.headers["Content-Length"]) == len(file.content)
    assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["Accept-Ranges"] == "bytes"


def test_head_is_get_without_the_body(variant: str) -> None:
    got, head = httpx.get(variant), httpx.head(variant)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


def test_ranges(variant: str) -> None:
    whole = httpx.get(variant)
    for asked, expected in (("bytes=0-9", whole.content[:10]), ("bytes=-7", whole.content[-7:])):
        part = httpx.get(variant, headers={"Range": asked, "If-Range": whole.headers["ETag"]})
        assert (part.status_code, part.content) == (206, expected)
        assert part.headers["Content-Range"].endswith(f"/{len(whole.content)}")
    assert httpx.get(variant, headers={"Range": "bytes=0-9", "If-Range": '"old"'}).status_code == 200
    assert httpx.get(variant, headers={"Range": "bytes=0-1,4-5"}).content == whole.content
    beyond = httpx.get(variant, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole.content)}"


def test_not_modified(variant: str) -> None:
    known = httpx.get(variant).headers
    for condition in ({"If-None-Match": known["ETag"]}, {"If-Modified-Since": known["Last-Modified"]}):
        unchanged = httpx.get(variant, headers=condition)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["ETag"] == known["ETag"]
    assert httpx.get(variant, headers={"If-None-Match": '"old"'}).status_code == 200


def test_a_variant_is_public_only_as_long_as_its_gallery(owner: httpx.Client, gallery: str, variant: str) -> None:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    assert httpx.get(variant).status_code == 404
    image = owner.get(f"/galleries/{gallery}/images").json()["data"][0]
    assert image["src"].startswith("/api/v1/objects/")
    signed = httpx.get(str(owner.base_url.join(image["src"])))
    assert signed.status_code == 200
    assert signed.headers["Cache-Control"].startswith("private, max-age=")


@pytest.mark.parametrize("key", ["nothing.webp", "../secret.key", "%2e%2e/secret.key", "a//b", "%00", "a%0Ab", ""])
def test_nothing_else_is_a_public_file(owner: httpx.Client, key: str) -> None:
    refused = httpx.get(f"{str(owner.base_url).rstrip('/')}/files/{key}")
    assert refused.status_code == 404
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_originals_are_not_public(owner: httpx.Client, image: str, server: ApiServer) -> None:
    (original,) = server.stored(f"{image}/original")
    assert httpx.get(f"{server.url}/api/v1/files/{original}").status_code == 404


def test_a_signed_url_is_for_one_object_and_direction(owner: httpx.Client, image: str, photo: bytes) -> None:
    signed = str(owner.base_url.join(owner.get(f"/images/{image}/download").headers["Location"]))
    part = httpx.get(signed, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, photo[100:200])
    altered = httpx.get(signed[:-4] + "AAAA")
    assert (altered.status_code, altered.json()["code"]) == (403, "signature_invalid")
    writing = httpx.put(signed, content=b"x", headers={"Content-Type": "image/jpeg"})
    assert writing.status_code == 403
