"""The page for everyone: by keys, with a screen reader, in each theme and language, on each screen."""

from playwright.sync_api import expect
from tests.page.conftest import OpenPage


def test_reading_begins_at_the_heading_of_each_view_and_the_window_has_its_name(open_page: OpenPage, user: str) -> None:
    page = open_page("/", user=user)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
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
