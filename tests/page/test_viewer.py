"""The viewer: opened from a grid and by its address, by keys and by fingers; what is written in it is kept."""

import re
from uuid import uuid4

from playwright.sync_api import CDPSession, Locator, Page, expect
from tests.page.conftest import OpenPage, ServedPage

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}


def viewer_of(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Image", exact=True)


def shown_in(viewer: Locator) -> Locator:
    """The picture that is seen, when it is there."""
    return viewer.locator('.slide[data-step="0"] .frame.is-there img')


def test_an_image_opens_over_the_grid_and_back_leads_there(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    ids = served_page.upload(user, 3)
    page = open_page("/", user=user)
    first = page.locator("[data-id] a").first
    first.click()
    viewer = viewer_of(page)
    expect(shown_in(viewer)).to_be_visible()
    expect(viewer.get_by_text("1 of 3", exact=True)).to_be_visible()
    before = page.url
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_text("2 of 3", exact=True)).to_be_visible()
    assert page.url != before
    page.keyboard.press("End")
    expect(viewer.get_by_text("3 of 3", exact=True)).to_be_visible()
    assert page.url.rpartition("/")[2] in ids
    page.keyboard.press("+")
    expect(viewer.locator("ig-stage.is-zoomed")).to_be_visible()
    page.keyboard.press("0")
    expect(viewer.locator("ig-stage.is-zoomed")).to_have_count(0)
    page.keyboard.press("f")
    expect(viewer.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    with page.expect_download() as downloaded:
        page.keyboard.press("d")
    assert re.fullmatch(r"photo-\d\.jpg", downloaded.value.suggested_filename)
    page.keyboard.press("Delete")
    expect(viewer.get_by_text("2 of 2", exact=True)).to_be_visible()
    page.go_back()
    expect(viewer).to_have_count(0)
    expect(page.locator("[data-id] a:focus")).to_have_count(1)


def test_what_is_written_meets_what_others_wrote_meanwhile(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    (image_id,) = served_page.upload(user)
    page = open_page(f"/images/{image_id}", user=user)
    viewer = viewer_of(page)
    expect(shown_in(viewer)).to_be_visible()
    page.keyboard.press("i")
    panel = viewer.get_by_role("complementary", name="Details")
    tags = panel.get_by_label("Tags")
    tags.fill("tram, Lisbon")
    tags.press("Enter")
    expect(panel.get_by_text("Saved.")).to_be_visible()
    alternative = panel.get_by_label("Alternative text")
    with served_page.client(user) as client:
        alternative.fill(wanted := f"<img src=x onerror=alert(1)> {uuid4()}")
        client.patch(f"/images/{image_id}", json={"alt_text": "theirs"}).raise_for_status()
        alternative.blur()
        expect(panel.get_by_role("alert")).to_contain_text("theirs")
        panel.get_by_role("button", name="Keep mine").click()
        expect(panel.get_by_role("alert")).to_have_count(0)
        expect(
            panel.locator("ig-edit-field", has=page.get_by_label("Alternative text")).get_by_text("Saved.")
        ).to_be_visible()
        kept = client.get(f"/images/{image_id}").json()["data"]
    assert (kept["alt_text"], sorted(kept["tags"])) == (wanted, ["Lisbon", "tram"])
    expect(shown_in(viewer)).to_have_attribute("alt", wanted)
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_picture_that_does_not_come_is_asked_for_again(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    (image_id,) = served_page.upload(user)
    page = open_page("/sign-in", user=user)
    page.route("**/objects/**", lambda route: route.abort())
    page.goto(f"/images/{image_id}")
    viewer = viewer_of(page)
    expect(viewer.get_by_role("heading", name="The picture did not come")).to_be_visible()
    page.unroute("**/objects/**")
    viewer.get_by_role("button", name="Try again").click()
    expect(shown_in(viewer)).to_be_visible()


def test_fingers_turn_look_closer_and_close(open_page: OpenPage, served_page: ServedPage, user: str) -> None:
    served_page.upload(user, 2)
    page = open_page("/", user=user, **PHONE)
    page.locator("[data-id] a").first.click()
    viewer = viewer_of(page)
    expect(shown_in(viewer)).to_be_visible()
    expect(viewer.locator('.slide[data-step="1"]')).to_have_count(1)
    fingers = page.context.new_cdp_session(page)
    swipe(fingers, (300, 400), (60, 410))
    expect(viewer.get_by_text("2 of 2", exact=True)).to_be_visible()
    touch(fingers, "touchStart", (150, 400), (240, 400))
    touch(fingers, "touchMove", (100, 400), (290, 400))
    touch(fingers, "touchMove", (60, 400), (330, 400))
    touch(fingers, "touchEnd")
    expect(viewer.locator("ig-stage.is-zoomed")).to_be_visible()
    page.keyboard.press("0")
    swipe(fingers, (200, 300), (210, 640))
    expect(viewer).to_have_count(0)


def swipe(fingers: CDPSession, start: tuple[int, int], end: tuple[int, int]) -> None:
    touch(fingers, "touchStart", start)
    for part in (0.2, 0.5, 1.0):
        touch(fingers, "touchMove", (*(round(a + (b - a) * part) for a, b in zip(start, end, strict=True)),))
    touch(fingers, "touchEnd")


def touch(fingers: CDPSession, kind: str, *points: tuple[int, ...]) -> None:
    at = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
