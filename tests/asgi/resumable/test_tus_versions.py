"""tus without its version, and uploads that are not there."""

import httpx
import pytest
from tests.asgi.tus_client import BYTES, NEW, TRAM, VERSION, code_of, create


@pytest.mark.parametrize(
    "headers",
    [{"Upload-Length": "10"}, {"Upload-Metadata": TRAM}, {"Upload-Defer-Length": "1"}, {"Content-Type": BYTES}],
)
def test_tus_without_its_version_is_told_which_is_spoken(owner: httpx.Client, headers: dict[str, str]) -> None:
    answer = owner.post(NEW, headers=headers)
    assert code_of(answer) == (412, "unsupported_version")
    assert answer.headers["Tus-Version"] == "1.0.0"


def test_bytes_without_the_version_are_not_taken(owner: httpx.Client) -> None:
    upload = create(owner, 10)
    answer = owner.patch(upload.path, content=b"x", headers={"Content-Type": BYTES, "Upload-Offset": "0"})
    assert code_of(answer) == (412, "unsupported_version")
    assert upload.offset() == 0
    assert owner.options(NEW).status_code == 204


@pytest.mark.parametrize("name", ["x", "01890c60-7a5c-7c2e-8d3f-0123456789ab", "1.2", "%20"])
@pytest.mark.parametrize("headers", [VERSION, {}])
def test_an_unknown_upload_of_any_form_is_not_found(owner: httpx.Client, name: str, headers: dict[str, str]) -> None:
    for method in ("HEAD", "DELETE"):
        assert owner.request(method, f"{NEW}/{name}", headers=headers).status_code == 404


def test_an_image_has_a_tag(owner: httpx.Client, image: str) -> None:
    first = owner.get(f"/images/{image}")
    tag = first.headers["ETag"]
    asked = [("If-None-Match", '"another"'), ("If-None-Match", tag)]
    again = owner.get(f"/images/{image}", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    owner.patch(f"/images/{image}", json={"alt_text": "Tram 28"})
    assert owner.get(f"/images/{image}", headers=asked).status_code == 200
