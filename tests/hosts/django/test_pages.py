"""Pictures on a project's pages, under WSGI and ASGI, by Django's test clients; and their files."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from tests.support.studio import picture as jpeg

from imagegallery import Principal

SITE = Principal.user("site")
HOSTILE = '"><script>alert(1)</script>'


def items() -> Any:
    """The model, which can be imported when the project is set up."""
    from tests.hosts.django.shop.models import Item

    return Item


class Elements(HTMLParser):
    """The start tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> dict[str, str]:
        (attributes,) = (attributes for name, attributes in self.found if name == tag)
        return {name: str(value) for name, value in attributes.items()}


class Wsgi:
    """A visitor of the project under WSGI."""

    def get(self, path: str, **headers: str) -> Any:
        from django.test import Client

        return Client().get(path, headers=headers)


class Asgi:
    """The same under ASGI."""

    def get(self, path: str, **headers: str) -> Any:
        from django.test import AsyncClient

        async def get() -> Any:
            response: Any = await AsyncClient().get(path, headers=headers)
            if response.streaming:
                response.streaming_content = [chunk async for chunk in response.streaming_content]
            return response

        return async_to_sync(get)()


@pytest.fixture(params=[Wsgi, Asgi], ids=["wsgi", "asgi"])
def visitor(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture(scope="module")
def item(site: Path) -> Any:
    """A row whose picture is ready."""
    from imagegallery.hosts.django import gallery

    with gallery.worker():
        item = items().objects.create(name=HOSTILE, drawing=jpeg(900, 600))
        gallery.images.wait_until_ready(SITE, item.drawing.id)
    return items().objects.get(pk=item.pk)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("path", ["items", "async"])
def test_a_page_shows_a_picture_whose_files_are_there(visitor: Any, path: str, item: Any) -> None:
    page = visitor.get(f"/{path}/{item.pk}")
    assert page.status_code == 200
    assert "<script>" not in page.text
    img = Elements(page.text).of("img")
    assert (img["alt"], img["class"], img["width"]) == (HOSTILE, "tile", "900")
    assert img["src"].startswith("/pictures/objects/")

    file = visitor.get(img["src"])
    assert (file.status_code, file["Content-Type"]) == (200, "image/webp")
    content = body(file)
    assert content[8:12] == b"WEBP"
    assert int(file["Content-Length"]) == len(content)
    assert file["Cache-Control"].startswith("private, max-age=")
    assert file["X-Content-Type-Options"] == "nosniff"
    again = visitor.get(img["src"], if_none_match=file["ETag"])
    assert again.status_code == 304


def test_an_event_loop_is_not_held_up_for_a_picture(item: Any) -> None:
    from django.core.exceptions import SynchronousOnlyOperation

    with pytest.raises(SynchronousOnlyOperation, match=r"await aload_pictures\(rows\)"):
        Asgi().get(f"/unloaded/{item.pk}")


def test_what_everybody_may_see_has_an_address_for_ever(visitor: Any, item: Any) -> None:
    from imagegallery.hosts.django import gallery

    public = gallery.galleries.create(SITE, name="Open", visibility="public")
    gallery.galleries.add_images(SITE, public.id, [item.drawing.id])
    src = Elements(visitor.get(f"/items/{item.pk}").text).of("img")["src"]
    assert src.startswith("/pictures/files/")
    file = visitor.get(src)
    assert file["Cache-Control"] == "public, max-age=31536000, immutable"
    assert body(file)[8:12] == b"WEBP"
    gallery.galleries.delete(SITE, public.id)
    assert visitor.get(src).status_code == 404


def test_an_altered_address_is_refused(visitor: Any, item: Any) -> None:
    src = Elements(visitor.get(f"/items/{item.pk}").text).of("img")["src"]
    assert visitor.get(f"{src[:-3]}AAA").status_code == 403
    assert visitor.get("/pictures/files/nothing").status_code == 404
    from django.test import Client

    assert Client().post(src).status_code == 405


def render(template: str, **context: Any) -> str:
    from django.template import Context, Template
    from django.test import RequestFactory

    request = RequestFactory().get("/", headers={"host": "shop.example"}, secure=True)
    return Template("{% load imagegallery %}" + template).render(Context({"request": request, **context}))


def test_a_feed_has_addresses_with_a_host(item: Any) -> None:
    shown = Elements(render("{% picture item.drawing absolute=True %}", item=item)).of("img")
    assert shown["src"].startswith("https://shop.example/pictures/objects/")


def test_what_has_no_request_has_no_host(item: Any) -> None:
    from django.template import Context, Template

    with pytest.raises(ValueError, match="which this template has not"):
        Template("{% load imagegallery %}{% picture i.drawing absolute=True %}").render(Context({"i": item}))


def test_a_row_without_a_picture_or_whose_picture_is_gone_shows_nothing(item: Any) -> None:
    from imagegallery.hosts.django import gallery

    assert render("{% picture item.photo %}", item=item) == ""
    lost = items().objects.create(name="Lost", drawing=jpeg(30, 20))
    gallery.images.delete(SITE, lost.drawing.id)
    assert render("{% picture item.drawing %}", item=items().objects.get(pk=lost.pk)) == ""
    assert lost.drawing.html() == ""
    assert lost.drawing.url is None


def test_one_that_is_not_ready_is_a_box_of_its_shape(item: Any) -> None:
    new = items().objects.create(name="New", drawing=jpeg(30, 20))
    box = Elements(render("{% picture item.drawing %}", item=new)).of("svg")
    assert (box["data-state"], box["width"], box["height"]) == ("pending", "30", "20")
    assert new.drawing.url is None


def test_an_image_may_be_shown_as_well(item: Any) -> None:
    assert render("{% picture image %}", image=item.drawing.image) == item.drawing.html()
    assert item.drawing.url in item.drawing.html()


def test_pictures_of_many_rows_are_loaded_at_once(item: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from imagegallery.hosts.django import gallery, load_pictures

    lost = items().objects.create(name="Lost", drawing=jpeg(31, 20))
    gallery.images.delete(SITE, lost.drawing.id)
    rows = [items().objects.get(pk=each.pk) for each in (item, item, lost)]
    rows.append(items().objects.only("name").get(pk=item.pk))
    load_pictures(rows)
    monkeypatch.setattr(gallery, "images", None)  # from here on nothing is asked for
    shown = [render("{% picture item.drawing %}", item=row) for row in rows[:3]]
    assert shown[0] == shown[1] == item.drawing.html()
    assert shown[2] == ""
