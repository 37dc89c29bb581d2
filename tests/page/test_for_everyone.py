"""The page for everyone: by keys, with a screen reader, in each theme and language, whatever texts it shows."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.page.conftest import OpenPage, ServedPage
from tests.support.furnished import Furnished, call_by, furnish
from tests.support.node import node_programs

HERE = Path(__file__).parent
# WCAG 2.2, levels A and AA, with the size of targets, and what axe knows to be good practice.
_AXE = """async () => {
  const { violations } = await axe.run({ rules: { "target-size": { enabled: true } } });
  return violations.map(({ id, nodes }) => [id, nodes.map(({ target, html }) => [target, html])]);
}"""
_GO = """path => {
  for (const view of document.querySelectorAll("main > *, .over > *")) view.dataset.left = "";
  history.pushState({}, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
# What is to be seen is there, and will not move.
_SETTLED = """() => {
  if (document.querySelector(".over > [data-left]")) return false;
  if (!document.querySelector("main > :not([data-left]), .over > *")) return false;
  const heading = document.querySelector("h1, h2, dialog, [role=dialog]");
  const images = [...document.images].filter(image => image.getBoundingClientRect().top < innerHeight);
  return heading?.textContent.trim() && !document.querySelector("[aria-busy=true]")
    && images.every(image => image.complete || image.loading === "lazy");
}"""
_BROKEN = """() => ({
  ran: window.ran ?? null,
  elements: [...document.querySelectorAll("*")].filter(element =>
    [...element.attributes].some(({name, value}) => name.startsWith("on")
      || ["href", "src", "action", "formaction"].includes(name) && /^\\s*javascript:/i.test(value)))
    .map(element => element.outerHTML),
  beyond: Math.max(0, document.documentElement.scrollWidth - innerWidth),
})"""
_WHOLE: dict[str, object] = {"ran": None, "elements": [], "beyond": 0}
# Nothing of it may be run, become an element, turn what stands around it, or run over an edge.
PAYLOADS = (
    "<img src=x onerror=ran=1>",
    "</title></textarea><script>ran=1</script>",
    "\"><svg/onload=ran=1>' onmouseover='ran=1",
    "javascript:ran=1//",
    "${ran=1}{{constructor.constructor('ran=1')()}}ig§<!--ig§-->",
    "W" * 300,
    "\u202egpj.exe \u2066\u202b שלום עולם",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 40,
)


def test_reading_begins_at_the_heading_of_each_view_and_the_window_has_its_name(open_page: OpenPage, user: str) -> None:
    page = open_page("/", user=user)
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_attached()
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Galleries").click()
    expect(page.get_by_role("heading", name="Galleries", level=1)).to_be_focused()
    expect(page).to_have_title("Galleries · imagegallery")


def test_the_keys_are_in_a_dialog_where_keys_alone_can_be_turned_off(open_page: OpenPage, user: str) -> None:
    page = open_page("/galleries", user=user)
    expect(page.get_by_role("heading", name="Galleries", level=1)).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_text("Show the keys")).to_be_visible()
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_attached()
    page.keyboard.press("?")
    page.reload()
    expect(page.get_by_role("heading", name="Galleries", level=1)).to_be_visible()
    page.keyboard.press("?")
    expect(dialog).not_to_be_attached()


@pytest.fixture(scope="module")
def furnished(served_page: ServedPage) -> Furnished:
    user = "everyone"
    with served_page.client(user, role="admin") as owner, httpx.Client(base_url=served_page.served.api) as visitor:
        return furnish(owner, visitor, user)


@pytest.fixture(scope="module")
def axe() -> str:
    source = node_programs(HERE).folder.parent / "node_modules" / "axe-core" / "axe.min.js"
    return source.read_text()


def opened(open_page: OpenPage, furnished: Furnished, **options: object) -> Iterator[tuple[str, Page]]:
    """Each view, with its name: those of the user, then those of a visitor."""
    claims = {"role": "admin"}
    for user, views in ((furnished.user, furnished.own_views), (None, furnished.visitors_views)):
        page: Page | None = None
        for name, path in views.items():
            if page is None:
                page = open_page(path, user=user, claims=claims, **options)
            elif name == "link":
                page.goto(path)
            else:
                page.evaluate(_GO, path)
            page.wait_for_function(_SETTLED)
            yield name, page


def faults(page: Page, axe: str) -> Iterable[Any]:
    page.evaluate(axe)
    return cast(Iterable[Any], page.evaluate(_AXE))


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_axe_finds_no_fault_in_any_view_in_either_theme(
    open_page: OpenPage, furnished: Furnished, axe: str, locale: str
) -> None:
    found = {}
    for name, page in opened(open_page, furnished, locale=locale, reduced_motion="reduce"):
        for theme in ("light", "dark") if locale == "en" else ("light",):
            page.emulate_media(color_scheme=theme)
            if wrong := faults(page, axe):
                found[f"{name}, {theme}"] = wrong
    assert found == {}


def test_no_text_of_anybody_is_more_than_a_text_in_any_view(
    open_page: OpenPage, served_page: ServedPage, furnished: Furnished
) -> None:
    call_by(served_page.served, furnished.user, PAYLOADS)
    seen = {
        name: page.evaluate(_BROKEN)
        for name, page in opened(open_page, furnished, viewport={"width": 320, "height": 640})
    }
    assert seen == dict.fromkeys(seen, _WHOLE)


def test_what_the_service_says_of_a_fault_is_a_text(open_page: OpenPage, user: str) -> None:
    problem = {"title": PAYLOADS[0], "detail": PAYLOADS[0], "code": "of its own"}
    page = open_page("/sign-in", user=user)
    page.route(
        "**/api/v1/galleries*",
        lambda route: route.fulfill(status=400, content_type="application/problem+json", body=json.dumps(problem)),
    )
    page.evaluate(_GO, "/galleries")
    expect(page.get_by_text(PAYLOADS[0])).to_be_visible()
    assert page.evaluate(_BROKEN) == _WHOLE
