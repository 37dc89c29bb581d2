"""Galleries elsewhere: feeds that readers read, oEmbed, and pages for frames. Markup in names stays text."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4
from xml.etree import ElementTree

import feedparser
import httpx
import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.pages import Elements
from tests.support.shared_engine import SharedEngine

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery_asgi import create_app
from imagegallery_asgi.api.embedding import FEED_LIMIT
from imagegallery_asgi.page.pictures import PAGE_LIMIT

ATOM = "{http://www.w3.org/2005/Atom}"
# Galleries' names hold no tags; all else is text of strangers.
NAMES = [
    "Lisbon & Porto",
    "\"quotes\" 'and' & entities &lt;b&gt; &#60;",
    "{title} {root} %s ${x} {{7*7}}",
    "]]> --> '\"",
    "\ufffe\uffff",
]
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "<!--",
    "]]><x/>",
    "&lt;script&gt;",
    "{title}{pictures}",
    "javascript:alert(1)",
    "\ufffe\uffff\u2028",
]


@pytest.fixture
def site(visitor: httpx.Client) -> str:
    """Where pages are."""
    return str(visitor.base_url).removesuffix("/api/v1/")


@pytest.fixture
def page_of(site: str) -> Callable[[str], httpx.Response]:
    return lambda gallery: httpx.get(f"{site}/embed/galleries/{gallery}")


def name_all(owner: httpx.Client, gallery: str, image: str, name: str, text: str) -> None:
    owner.patch(f"/galleries/{gallery}", json={"name": name, "description": text}).raise_for_status()
    owner.patch(f"/images/{image}", json={"alt_text": text}).raise_for_status()


def test_a_reader_reads_the_feed(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str, site: str
) -> None:
    answer = visitor.get(f"/galleries/{gallery}/feed.atom")
    assert answer.headers["Content-Type"] == "application/atom+xml"
    feed = feedparser.parse(answer.content)
    assert (feed.bozo, feed.version) == (False, "atom10")
    assert feed.feed.id == f"urn:uuid:{gallery}"
    assert feed.feed.title == feed.feed.author == "Lisbon"
    links = {each.rel: each.href for each in feed.feed.links}
    address = f"{site}/api/v1/galleries/{gallery}/feed.atom"
    assert links == {"self": address, "first": address, "alternate": f"{site}/embed/galleries/{gallery}"}
    [entry] = feed.entries
    assert entry.id == f"urn:uuid:{image}"
    assert entry.title == "tram.jpg"
    assert entry.updated_parsed >= entry.published_parsed
    [enclosure] = [each for each in entry.links if each.rel == "enclosure"]
    file = httpx.get(enclosure.href)
    assert (enclosure.type, int(enclosure.length)) == (file.headers["Content-Type"], len(file.content))
    assert f'src="{site}/api/v1/files/' in entry.content[0].value


def test_it_has_what_the_standard_asks_for(visitor: httpx.Client, gallery: str, image: str) -> None:
    feed = ElementTree.fromstring(visitor.get(f"/galleries/{gallery}/feed.atom").content)
    for inside in (feed, *feed.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(inside.findall(f"{ATOM}{name}")) == 1, name
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    moments = [each.text or "" for name in ("updated", "published") for each in feed.iter(f"{ATOM}{name}")]
    assert len(moments) == 3
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", each) for each in moments)


def test_who_has_it_is_told_so_and_a_change_is_a_new_one(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str
) -> None:
    address = f"/galleries/{gallery}/feed.atom"
    first = visitor.get(address)
    same = visitor.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    owner.patch(f"/images/{image}", json={"alt_text": "A yellow tram"})
    changed = visitor.get(address, headers={"If-None-Match": first.headers["ETag"]})
    [entry] = feedparser.parse(changed.content).entries
    assert (changed.status_code, entry.title, entry.id) == (200, "A yellow tram", f"urn:uuid:{image}")


def test_the_owners_feed_shows_no_more_than_everybodys(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, image: str
) -> None:
    address = f"/galleries/{gallery}/feed.atom"
    assert owner.get(address).content == visitor.get(address).content
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    assert owner.get(address).status_code == visitor.get(address).status_code == 404


async def test_long_galleries_have_pages(
    tmp_path: Path, database_dsn: str, imaging_engine: SharedEngine, clock: ManualClock
) -> None:
    ana, count = Principal.user("ana"), FEED_LIMIT + 2
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, engine=imaging_engine) as opened:
        gallery = await opened.galleries.create(ana, name="Lisbon", visibility="public")
        library = Library.on(opened._resources.database, tmp_path, clock)
        for age in range(count):
            await library.add_image(make_image(age=timedelta(hours=age)), gallery.id)
        transport = httpx.ASGITransport(create_app(opened), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as visitor:
            address = f"/api/v1/galleries/{gallery.id}/feed.atom"
            first = feedparser.parse((await visitor.get(address)).content)
            links = {each.rel: each.href for each in first.feed.links}
            second = feedparser.parse((await visitor.get(links["next"])).content)
            assert [len(first.entries), len(second.entries)] == [FEED_LIMIT, 2]
            entries = [*first.entries, *second.entries]
            assert len({each.id for each in entries}) == count
            assert [each.published for each in entries] == sorted((each.published for each in entries), reverse=True)
            following = {each.rel: each.href for each in second.feed.links}
            assert (following["first"], following["self"]) == (links["self"], links["next"])
            assert "next" not in following
            assert (await visitor.get(f"{address}?cursor=nonsense")).status_code == 422

            page = await visitor.get(f"/embed/galleries/{gallery.id}")
            more = re.search(r'class="more"><a class="button" href="([^"]+)"', page.text)
            assert more
            last = await visitor.get(page.url.join(unescape(more[1])))
            assert last.text.count("<img ") == count - PAGE_LIMIT
            assert 'class="more"' not in last.text


@pytest.mark.parametrize("text", [*NAMES, *MARKUP])
def test_markup_is_text_everywhere(
    owner: httpx.Client,
    visitor: httpx.Client,
    gallery: str,
    page_of: Callable[[str], httpx.Response],
    image: str,
    text: str,
) -> None:
    name = text if text in NAMES else "Lisbon"
    name_all(owner, gallery, image, name, text)
    shown = text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")

    feed = ElementTree.fromstring(visitor.get(f"/galleries/{gallery}/feed.atom").content)
    assert feed.findtext(f"{ATOM}entry/{ATOM}title") == shown
    content = Elements(feed.findtext(f"{ATOM}entry/{ATOM}content") or "")
    assert set(content.names) == {"picture", "source", "img"}

    page = page_of(gallery).text
    found = Elements(page)
    assert set(found.names) <= {
        *(
            "html",
            "head",
            "body",
            "meta",
            "title",
            "link",
            "main",
            "h1",
            "p",
            "div",
            "a",
            "picture",
            "source",
            "img",
            "svg",
            "rect",
        )
    }
    assert not {each for each in found.attributes if each.startswith("on")}
    assert text.strip() in unescape(page)

    url = f"{owner.base_url}galleries/{gallery}"
    as_json = visitor.get("/oembed", params={"url": url}).json()
    as_xml = ElementTree.fromstring(visitor.get("/oembed", params={"url": url, "format": "xml"}).content)
    assert as_json["title"] == name
    frame = Elements(as_json["html"])
    assert frame.names == ["iframe"]
    assert frame.attributes == {"src", "width", "height", "title", "style", "loading"}
    assert as_xml.findtext("title") == name.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    assert as_xml.findtext("html") == as_json["html"].replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def test_a_gallery_is_a_frame_and_an_image_a_photo(
    visitor: httpx.Client, gallery: str, image: str, site: str, page_of: Callable[[str], httpx.Response]
) -> None:
    for url in (f"{site}/embed/galleries/{gallery}", f"{site}/api/v1/galleries/{gallery}?x=1#y"):
        shown = visitor.get("/oembed", params={"url": url, "maxwidth": 300}).json()
        assert (shown["type"], shown["version"], shown["width"], shown["height"]) == ("rich", "1.0", 300, 600)
        assert f'src="{site}/embed/galleries/{gallery}"' in shown["html"]
        assert httpx.get(shown["thumbnail_url"]).status_code == 200
    for url in (f"{site}/api/v1/images/{image}", f"{site}/api/v1/images/{image}/view"):
        shown = visitor.get("/oembed", params={"url": url}).json()
        assert (shown["type"], shown["html"], shown["width"], shown["height"]) == ("photo", None, 640, 480)
        assert httpx.get(shown["url"]).status_code == 200
        small = visitor.get("/oembed", params={"url": url, "maxwidth": 320, "maxheight": 100}).json()
        assert small["width"] <= 320
        assert small["height"] <= 100
        assert small["url"] != shown["url"]
    found = re.findall(r'rel="alternate" type="([^"]+)".*href="([^"]+)"', page_of(gallery).text)
    assert [kind for kind, _ in found] == ["application/atom+xml", "application/json+oembed", "text/xml+oembed"]
    for kind, address in found:
        led = httpx.get(unescape(address))
        assert led.status_code == 200, kind


@pytest.mark.parametrize(
    "url",
    [
        "https://thief.example/api/v1/galleries/{gallery}",
        "{site}.thief.example/api/v1/galleries/{gallery}",
        "{user}/api/v1/galleries/{gallery}",
        "//host/api/v1/galleries/{gallery}",
        "/api/v1/galleries/{gallery}",
        "galleries/{gallery}",
        "ftp://host/api/v1/galleries/{gallery}",
        "javascript:alert(1)//{gallery}",
        "{site}/api/v1/galleries/{gallery}/images",
        "{site}/api/v1/galleries/{gallery}%2f",
        "{site}/api/v1/galleries/../galleries/{gallery}",
        "{site}/api/v1/galleries/{other}",
        "{site}/api/v1/galleries/not-an-id",
        "{site}/api/v1/images/{gallery}",
        "{site}/",
        "{site}",
        "http://[",
        "http://host:notaport/",
        "",
    ],
)
def test_other_addresses_are_nothing(visitor: httpx.Client, gallery: str, site: str, url: str) -> None:
    user = site.replace("://", "://ana:word@")
    asked = url.format(gallery=gallery, site=site, other=uuid4(), user=user)
    refused = visitor.get("/oembed", params={"url": asked})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


def test_a_private_gallery_is_as_if_it_were_not_there(
    owner: httpx.Client, visitor: httpx.Client, gallery: str, site: str, page_of: Callable[[str], httpx.Response]
) -> None:
    owner.patch(f"/galleries/{gallery}", json={"visibility": "private"})
    nothing = UUID(int=7)
    for client in (owner, visitor):
        answers = [
            client.get("/oembed", params={"url": f"{site}/embed/galleries/{each}"}) for each in (gallery, nothing)
        ]
        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert [page_of(each).status_code for each in (gallery, str(nothing))] == [404, 404]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 422),
        ({"url": "x" * 2001}, 422),
        ({"url": "x", "maxwidth": "0"}, 422),
        ({"url": "x", "maxheight": "wide"}, 422),
        ({"url": "x", "format": "yaml"}, 501),
    ],
)
def test_what_cannot_be_answered_is_refused(visitor: httpx.Client, params: dict[str, str], status: int) -> None:
    assert visitor.get("/oembed", params=params).status_code == status


def test_a_page_may_be_in_frames_of_who_may_show_the_pictures_and_runs_nothing(
    owner: httpx.Client, gallery: str, image: str, page_of: Callable[[str], httpx.Response], site: str
) -> None:
    def policy() -> dict[str, str]:
        told = page_of(gallery).headers["Content-Security-Policy"]
        return dict(each.split(" ", 1) for each in told.split("; "))

    own = site.partition("://")[2]
    assert policy() == {
        "default-src": "'none'",
        "img-src": f"'self' {site}",
        "style-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "*",
    }
    owner.patch(f"/galleries/{gallery}", json={"allowed_origins": ["https://*.blog.example"]})
    assert policy()["frame-ancestors"] == f"'self' http://{own} https://*.blog.example https://{own}"
    owner.patch(f"/galleries/{gallery}", json={"allowed_origins": []})
    assert policy()["frame-ancestors"] == f"'self' http://{own} https://{own}"
    page = page_of(gallery)
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert "sandbox" not in page.headers["Content-Security-Policy"]
    picture = re.search(r'<img[^>]* src="([^"]+)"', page.text)
    assert picture
    assert httpx.get(picture[1], headers={"Referer": f"{site}/"}).status_code == 200
