"""The files of a gallery by addresses of its own: one signature for all of them."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from tests.support.servers.api import ApiServer


@pytest.fixture
def private(owner: httpx.Client, gallery: str, image: str) -> str:
    """The gallery, which is private and has the image."""
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    return gallery


def files(owner: httpx.Client, gallery: str) -> list[str]:
    """The addresses of all variants of its image."""
    [image] = owner.get(f"/galleries/{gallery}/images", params={"urls": "gallery"}).json()["data"]
    assert image["expires_at"] is None
    return [str(owner.base_url.join(each["url"])) for each in image["variants"]]


@pytest.fixture
def let_in(owner: httpx.Client, private: str) -> Iterator[httpx.Client]:
    """A browser that has nothing but the cookies."""
    made = owner.post(f"/galleries/{private}/cookies")
    assert made.status_code == 200
    assert made.json()["data"]["url"] == f"/api/v1/galleries/{private}/files/"
    assert made.headers["Cache-Control"] == "no-store"
    with httpx.Client(base_url=owner.base_url, cookies=made.cookies) as browser:
        yield browser


def test_one_cookie_opens_all_variants(owner: httpx.Client, private: str, let_in: httpx.Client) -> None:
    addresses = files(owner, private)
    assert len(addresses) > 3
    for address in addresses:
        assert httpx.get(address).status_code == 404
        shown = let_in.get(address)
        assert shown.status_code == 200
        assert shown.headers["Cache-Control"].startswith("private, max-age=")
        assert let_in.head(address).status_code == 200
    assert let_in.get(addresses[0], headers={"Range": "bytes=0-3"}).content == b"RIFF"


def test_a_cookie_is_for_browsers_and_this_folder_alone(owner: httpx.Client, private: str) -> None:
    [cookie] = owner.post(f"/galleries/{private}/cookies").headers.get_list("Set-Cookie")
    assert f"Path=/api/v1/galleries/{private}/files/;" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "expires=" in cookie


def test_it_opens_no_original_and_nothing_of_other_galleries(
    owner: httpx.Client, private: str, let_in: httpx.Client, image: str, server: ApiServer
) -> None:
    (original,) = server.stored(f"{image}/original")
    [address, *_] = files(owner, private)
    other = owner.post("/galleries", json={"name": "Porto"}).json()["data"]["id"]
    owner.post(f"/galleries/{other}/images", json={"image_ids": [image]})
    for path in (
        address.replace(private, other),
        address.replace(private, str(uuid4())),
        f"{owner.base_url}galleries/{private}/files/{original}",
        f"{owner.base_url}galleries/{private}/files/%2e%2e/%2e%2e/{other}/files/{original}",
        f"{owner.base_url}galleries/{private}/files/",
        f"{owner.base_url}galleries/{private}/files/incoming/x",
        f"{owner.base_url}galleries/{private}/files/a%00b",
    ):
        assert let_in.get(path).status_code == 404, path


def test_what_leaves_the_gallery_is_closed_at_once(
    owner: httpx.Client, private: str, let_in: httpx.Client, image: str
) -> None:
    [address, *_] = files(owner, private)
    assert let_in.get(address).status_code == 200
    owner.delete(f"/galleries/{private}/images/{image}")
    assert let_in.get(address).status_code == 404


def test_a_cookie_altered_anywhere_is_none(owner: httpx.Client, private: str, let_in: httpx.Client) -> None:
    [address, *_] = files(owner, private)
    [(name, value)] = let_in.cookies.items()
    with httpx.Client() as forger:
        for place in range(len(value)):
            other = "A" if value[place] != "A" else "B"
            forged = f"{value[:place]}{other}{value[place + 1 :]}"
            assert forger.get(address, headers={"Cookie": f"{name}={forged}"}).status_code == 404, forged
        for forged in ("", value[:-1], f"{value}A", value.partition(".")[2], value * 100):
            assert forger.get(address, headers={"Cookie": f"{name}={forged}"}).status_code == 404


def test_who_may_not_see_the_gallery_gets_no_cookie(
    stranger: httpx.Client, visitor: httpx.Client, private: str
) -> None:
    refused = stranger.post(f"/galleries/{private}/cookies")
    assert (refused.status_code, refused.headers.get("Set-Cookie")) == (404, None)
    assert refused.json()["detail"] == stranger.post(f"/galleries/{uuid4()}/cookies").json()["detail"]
    assert visitor.post(f"/galleries/{private}/cookies").status_code == 404


def test_an_open_gallery_needs_none_and_has_its_rule(owner: httpx.Client, gallery: str, image: str) -> None:
    [address, *_] = files(owner, gallery)
    assert httpx.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    owner.patch(f"/galleries/{gallery}", json={"allowed_origins": ["https://photos.example"]})
    cookies = owner.post(f"/galleries/{gallery}/cookies").cookies
    for told in ({}, {"X-Edge-Secret": ""}, {"X-Edge-Secret": "guessed"}):
        with httpx.Client(cookies=cookies, headers={"Referer": "https://thief.example/", **told}) as browser:
            assert browser.get(address).status_code == 403
    shown = httpx.get(address, headers={"Referer": "https://photos.example/"})
    assert shown.headers["Cache-Control"] == "private, max-age=31536000, immutable"
