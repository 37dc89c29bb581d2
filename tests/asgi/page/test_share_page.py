"""The page of a share's link, as a browser without JavaScript uses it."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest
from tests.support.pages import Elements

WORD = "correct horse"


@pytest.fixture
def private(owner: httpx.Client, gallery: str, image: str) -> str:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"}).raise_for_status()
    return gallery


@pytest.fixture
def site(visitor: httpx.Client) -> str:
    return str(visitor.base_url).removesuffix("/api/v1/")


@pytest.fixture
def browser(site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site) as client:
        yield client


def shared(owner: httpx.Client, *targets: dict[str, str], **said: object) -> str:
    """The address of a new link's page."""
    made: dict[str, Any] = owner.post("/shares", json={"targets": targets, **said}).json()["data"]
    return f"/s/{made['token']}"


def previews(page: httpx.Response) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}


def test_a_link_shows_its_pictures_and_a_preview(
    owner: httpx.Client, browser: httpx.Client, private: str, site: str
) -> None:
    address = shared(owner, {"gallery_id": private})
    page = browser.get(address)
    assert page.status_code == 200
    assert "<title>Lisbon</title>" in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Cache-Control"].startswith("private, no-")
    assert page.headers["Referrer-Policy"] == "strict-origin"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    cookies = page.headers.get_list("Set-Cookie")
    assert [each for each in cookies if f"Path={address};" in each and "HttpOnly" in each]
    picture = re.search(r'<img[^>]* src="([^"]+)"', page.text)
    assert picture
    assert httpx.get(unescape(picture[1])).status_code == 200
    told = previews(page)
    assert (told["og:title"], told["og:url"]) == ("Lisbon", f"{site}{address}")
    assert (told["og:image:width"], told["twitter:card"]) == ("640", "summary_large_image")
    assert httpx.get(told["og:image"]).headers["Content-Type"].startswith("image/")
    # Who comes back with the cookie is counted once.
    browser.get(address)
    [share] = owner.get("/shares").json()["data"]
    assert share["views"] == 1


def test_a_link_with_a_password_says_nothing_before_it_and_has_no_preview(
    owner: httpx.Client, browser: httpx.Client, private: str, image: str
) -> None:
    owner.patch(f"/images/{image}", json={"alt_text": "A yellow tram"})
    address = shared(owner, {"gallery_id": private}, password=WORD)
    asked, wrong = browser.get(address), browser.post(address, data={"password": "battery staple"})
    for page in (asked, wrong, browser.get(f"/embed{address}")):
        assert page.status_code == 401
        assert previews(page) == {}
        for hidden in ("Lisbon", "tram", "oembed", image, private, "<img"):
            assert hidden not in page.text
    assert "Set-Cookie" not in wrong.headers
    assert Elements(asked.text).names.count("input") == 1
    let_in = browser.post(address, data={"password": WORD})
    assert (let_in.status_code, let_in.headers["Location"]) == (303, address)
    page = browser.get(address)
    assert (page.status_code, previews(page)) == (200, {})
    assert "A yellow tram" in page.text
    assert httpx.get(f"{browser.base_url}{address}").status_code == 401


@pytest.mark.parametrize("begins_with", ["the page", "the API"])
def test_who_is_let_in_by_the_page_or_the_api_is_so_by_both_and_counted_once(
    owner: httpx.Client, browser: httpx.Client, private: str, begins_with: str
) -> None:
    address = shared(owner, {"gallery_id": private}, password=WORD, max_views=1)
    api = f"/api/v1{address}"
    asked = browser.get(api, params={"begins": "false"})
    assert (asked.status_code, asked.json()["code"]) == (401, "password_required")
    if begins_with == "the page":
        browser.post(address, data={"password": WORD})
    else:
        browser.post(f"{api}/unlock", json={"password": WORD})
    assert "<title>Lisbon</title>" in browser.get(address).text
    let_in = browser.get(api, params={"begins": "false"}).json()["data"]
    assert (let_in["galleries"][0]["id"], let_in["visit"]) == (private, None)
    [share] = owner.get("/shares").json()["data"]
    assert share["views"] == 1


def test_a_program_can_ask_first_whether_it_has_to_open_a_link(
    owner: httpx.Client, browser: httpx.Client, private: str
) -> None:
    address = f"/api/v1{shared(owner, {'gallery_id': private}, max_views=1)}"
    asked = browser.get(address, params={"begins": "false"})
    assert (asked.status_code, asked.json()["code"]) == (401, "visit_required")
    assert browser.get(address).json()["data"]["visit"]
    assert browser.get(address, params={"begins": "false"}).status_code == 200


def test_who_tries_too_many_passwords_is_told_to_wait(owner: httpx.Client, browser: httpx.Client, private: str) -> None:
    address = shared(owner, {"gallery_id": private}, password=WORD)
    tries = [browser.post(address, data={"password": f"word {number}"}) for number in range(11)]
    assert [each.status_code for each in tries] == [401] * 10 + [429]
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert "Wait a moment" in tries[-1].text


def test_a_link_that_opens_once_waits_for_a_person(owner: httpx.Client, browser: httpx.Client, private: str) -> None:
    address = shared(owner, {"gallery_id": private}, max_views=1)
    for _ in range(3):  # previews of chats
        waiting = httpx.get(f"{browser.base_url}{address}")
        assert (waiting.status_code, previews(waiting), "Lisbon" in waiting.text) == (200, {}, False)
        assert "<button" in waiting.text
    assert browser.post(address).status_code == 303
    assert "<title>Lisbon</title>" in browser.get(address).text
    late = httpx.post(f"{browser.base_url}{address}")
    assert late.status_code == 410
    assert "as often as it may be" in late.text


def test_several_things_are_on_one_page_and_galleries_on_their_own(
    owner: httpx.Client, browser: httpx.Client, private: str, image: str
) -> None:
    other = owner.post("/galleries", json={"name": "Porto & Faro"}).json()["data"]["id"]
    hidden = owner.post("/galleries", json={"name": "Diary"}).json()["data"]["id"]
    address = shared(owner, {"gallery_id": private}, {"gallery_id": other}, {"image_id": image}, note="For you")
    page = browser.get(address)
    links = re.findall(rf'<p><a href="({address}/galleries/[^"]+)" dir="auto">([^<]+)</a></p>', page.text)
    assert {unescape(name): browser.get(link).status_code for link, name in links} == {
        "Lisbon": 200,
        "Porto & Faro": 200,
    }
    assert page.text.count("<img ") == 1
    assert "For you" in page.text
    assert browser.get(f"{address}/galleries/{hidden}").status_code == 404


def test_what_ended_says_why_and_what_never_was_says_nothing(
    owner: httpx.Client, browser: httpx.Client, private: str
) -> None:
    made = owner.post("/shares", json={"targets": [{"gallery_id": private}]}).json()["data"]
    token = made["token"]
    altered = ("B" if token[0] != "B" else "C") + token[1:]
    wrong = [altered, token[:-1], f"{token}x", token.swapcase(), "x", "a" * 300, "%00", "..%2f"]
    pages = [browser.get(f"{frame}/s/{name}") for name in wrong for frame in ("", "/embed")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages if page.headers["Content-Type"].startswith("text/html")}) == 1
    owner.delete(f"/shares/{made['id']}")
    for frame in ("", "/embed"):
        ended = browser.get(f"{frame}/s/{token}")
        assert (ended.status_code, "revoked" in ended.text, "Lisbon" in ended.text) == (410, True, False)


def test_a_frame_shows_it_to_the_pages_that_may(owner: httpx.Client, browser: httpx.Client, private: str) -> None:
    address = shared(owner, {"gallery_id": private})
    page = browser.get(f"/embed{address}")
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    owner.patch(f"/galleries/{private}", json={"allowed_origins": ["https://blog.example"]})
    ruled = browser.get(f"/embed{address}").headers["Content-Security-Policy"]
    assert "https://blog.example" in ruled
    assert "frame-ancestors 'self'" in ruled
    [share] = owner.get("/shares").json()["data"]
    assert share["views"] == 0


def test_oembed_knows_links(owner: httpx.Client, visitor: httpx.Client, private: str, site: str) -> None:
    open_, closed = shared(owner, {"gallery_id": private}), shared(owner, {"gallery_id": private}, password=WORD)
    for address in (f"{site}{open_}", f"{site}/embed{open_}", f"{site}/api/v1{open_}"):
        answer = visitor.get("/oembed", params={"url": address})
        assert (answer.json()["title"], answer.headers["Cache-Control"]) == ("Lisbon", "no-store")
        assert f'src="{site}/embed{open_}"' in answer.json()["html"]
    assert visitor.get("/oembed", params={"url": f"{site}{closed}"}).status_code == 401
    assert visitor.get("/oembed", params={"url": f"{site}/s/nothing"}).status_code == 404
    assert visitor.get("/oembed", params={"url": f"{site}{open_}/galleries"}).status_code == 404


def test_an_earlier_name_leads_to_the_present_one(owner: httpx.Client, browser: httpx.Client, private: str) -> None:
    made = owner.post("/shares", json={"targets": [{"gallery_id": private}], "slug": f"old-{private}"}).json()["data"]
    owner.patch(f"/shares/{made['id']}", json={"slug": f"new-{private}"}).raise_for_status()
    moved = browser.get(f"/s/old-{private}")
    assert (moved.status_code, moved.headers["Location"]) == (302, f"/s/new-{private}")
    assert browser.get(moved.headers["Location"]).status_code == 200


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{body}{head}"])
def test_markup_is_text(owner: httpx.Client, browser: httpx.Client, private: str, image: str, text: str) -> None:
    owner.patch(f"/galleries/{private}", json={"description": text}).raise_for_status()
    owner.patch(f"/images/{image}", json={"alt_text": text}).raise_for_status()
    page = browser.get(shared(owner, {"gallery_id": private}))
    found = Elements(page.text)
    assert not {"script", "iframe"} & set(found.names)
    assert not {each for each in found.attributes if each.startswith("on")}
    assert previews(page)["og:description"] == previews(page)["og:image:alt"] == text


@pytest.mark.parametrize("body", [b"", b"password=", b"%ff=%ff", b"\xff\xfe", b"a=1&" * 10, b"password=" + b"x" * 5000])
def test_a_form_that_is_none_opens_nothing(
    owner: httpx.Client, browser: httpx.Client, private: str, body: bytes
) -> None:
    address = shared(owner, {"gallery_id": private}, password=WORD)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post(address, content=body, headers=form).status_code == 401
