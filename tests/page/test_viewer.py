"""The viewer: opened from a grid and by its address, by keys and by fingers; what is written in it is kept."""

import re
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect
from tests.page.conftest import OpenPage, ServedPage


def viewer_of(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Image", exact=True)


def shown_in(viewer: Locator) -> Locator:
    """The picture that is seen, when it is there."""
    return viewer.locator('.slide[data-step="0"] .frame.is-there img')


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
