"""The library as a grid: a large one from end to end, its place, its states, live."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.page.conftest import OpenPage, ServedPage
from tests.support.large_library import NEWEST, fill_library

# So many elements are in the document at most, however many images there are.
MOST_NODES = 1500
# A few pixels of a label.
NO_SHIFT = 0.001
_SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts.push(value);
}).observe({ type: "layout-shift", buffered: true });
localStorage.setItem("imagegallery.was_user", "yes");
"""
_SEEN = """() => {
  const top = document.querySelector("ig-shell > .bar").getBoundingClientRect().bottom;
  for (const cell of document.querySelectorAll(".cell")) {
    const box = cell.getBoundingClientRect();
    if (box.bottom > top) return [cell.dataset.id, Math.round(box.y)];
  }
}"""


def seen(page: Page) -> tuple[str, int]:
    """The first image in the window, and where."""
    image_id, y = page.evaluate(_SEEN)
    return image_id, y


def assert_seen(page: Page, place: tuple[str, int]) -> None:
    image_id, y = seen(page)
    assert image_id == place[0]
    assert abs(y - place[1]) <= 1


def nodes(page: Page) -> int:
    count: int = page.evaluate("document.querySelectorAll('*').length")
    return count


def scroll_to_rest(page: Page) -> None:
    """Until the page has kept its place, as it does when nobody scrolls."""
    page.wait_for_function("() => document.querySelector('.cell.loaded') && history.state?.grid?.id")


@pytest.fixture(scope="module")
def large(served_page: ServedPage) -> str:
    """A user with four years of images, and one month that is too large to be read at once."""
    owner, inside = "large", served_page.served.inside
    fill_library(inside.dsn, inside.objects, owner, 2300, span=timedelta(days=25))
    fill_library(
        inside.dsn, inside.objects, owner, 500, newest=NEWEST - timedelta(days=40), span=timedelta(days=4 * 365)
    )
    return owner


def test_a_large_library_is_seen_from_its_first_to_its_last_image(
    open_page: OpenPage, served_page: ServedPage, large: str
) -> None:
    with served_page.client(large) as client:
        months = client.get("/images/timeline?part_size=2000").json()["data"]["months"]
        first = client.get(f"/images/timeline/{months[0]['month']}/images").json()["data"]["id"][0]
        last = client.get(f"/images/timeline/{months[-1]['month']}/images").json()["data"]["id"][-1]
    assert len(months[0]["parts"]) == 2
    page = open_page("/", user=large, script=_SHIFTS)
    expect(page.locator(f"[data-id='{first}'].loaded")).to_be_visible()
    expect(page.get_by_text("2,800 images")).to_be_visible()

    slider = page.get_by_role("slider", name="Months")
    slider.focus()
    page.keyboard.press("ArrowDown")
    expect(slider).to_have_attribute("aria-valuenow", "2")
    years = [month["month"][:4] for month in months]
    for year in sorted(set(years[:-6]))[-2::-1]:  # the last months are in one window
        page.keyboard.press("PageDown")
        expect(slider).to_have_attribute("aria-valuenow", str(years.index(year) + 1))
        expect(page.locator(".cell").first).to_be_attached()
        assert nodes(page) < MOST_NODES
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuenow", str(len(months)))
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator(f"[data-id='{last}'].loaded")).to_be_visible()
    assert nodes(page) < MOST_NODES
    assert sum(page.evaluate("shifts")) < NO_SHIFT

    # As in a library that is taller than browsers can hold.
    page.evaluate("document.querySelector('ig-grid').track.tallest = 20_000; dispatchEvent(new Event('resize'))")
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(f"[data-id='{first}'].loaded")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") < 25_000
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator(f"[data-id='{last}'].loaded")).to_be_visible()


def test_back_and_forward_and_a_reload_come_back_to_the_place(open_page: OpenPage, large: str) -> None:
    page = open_page("/", user=large)
    expect(page.locator(".cell.loaded").first).to_be_visible()
    page.mouse.move(600, 500)
    page.get_by_role("slider", name="Months").focus()
    page.keyboard.press("PageDown")
    page.mouse.wheel(0, 333)
    scroll_to_rest(page)
    place = seen(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Galleries").click()
    expect(page.get_by_role("heading", name="Galleries", level=1)).to_be_visible()
    page.go_back()
    expect(page.locator(f"[data-id='{place[0]}']")).to_be_visible()
    assert_seen(page, place)
    page.reload()
    expect(page.locator(f"[data-id='{place[0]}'].loaded")).to_be_visible()
    assert_seen(page, place)


def test_keys_go_from_image_to_image(open_page: OpenPage, large: str) -> None:
    page = open_page("/", user=large)
    first = page.locator(".cell a").first
    expect(first).to_be_visible()
    first.focus()
    visited = []
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "End", "Home"):
        before = page.evaluate("document.activeElement.closest('.cell')?.dataset.id")
        page.keyboard.press(key)
        page.wait_for_function(
            "(before) => ![undefined, before].includes(document.activeElement.closest('.cell')?.dataset.id)", arg=before
        )
        visited.append(page.evaluate("document.activeElement.closest('.cell').dataset.id"))
        expect(page.locator(f"[data-id='{visited[-1]}']")).to_be_in_viewport()
    assert visited[-1] == page.locator(".cell").first.get_attribute("data-id")


def test_images_come_and_go_while_one_looks(open_page: OpenPage, served_page: ServedPage, user: str) -> None:
    page = open_page("/", user=user)
    expect(page.get_by_role("heading", name="Your photos will be here")).to_be_visible()
    (image,) = served_page.upload(user)
    expect(page.locator(f"[data-id='{image}'].loaded")).to_be_visible()
    expect(page.get_by_text("1 image", exact=True)).to_be_visible()
    with served_page.client(user) as client:
        client.delete(f"/images/{image}").raise_for_status()
    expect(page.get_by_role("heading", name="Your photos will be here")).to_be_visible()


def test_what_cannot_be_read_says_so_and_can_be_tried_again(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    (image,) = served_page.upload(user)
    problem = {"status": 500, "json": {"code": "internal_error", "detail": "no"}}
    page = open_page("/galleries", user=user)
    page.route("**/images/timeline?*", lambda route: route.fulfill(**problem))
    page.goto("/")
    expect(page.get_by_role("heading", name="Your photos could not be loaded")).to_be_visible()
    page.unroute("**/images/timeline?*")
    page.route("**/images/timeline/*/images*", lambda route: route.fulfill(**problem))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".gap.failed")).to_be_visible()
    page.unroute("**/images/timeline/*/images*")
    page.route("**/objects/**", lambda route: route.abort())
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(f"[data-id='{image}'].broken")).to_be_visible()


def test_rows_begin_where_reading_does(open_page: OpenPage, large: str) -> None:
    page = open_page("/", user=large, script="document.cookie = 'imagegallery_language=ar; Path=/'")
    page.reload()
    expect(page.locator(".cell.loaded").first).to_be_visible()
    first, sheet = (page.locator(name).first.bounding_box() for name in (".cell", ".sheet"))
    assert first
    assert sheet
    assert first["x"] + first["width"] == pytest.approx(sheet["x"] + sheet["width"], abs=1)
