"""Organise and find: changes that show at once, are taken back honestly or undone, and come from elsewhere."""

import re
from collections.abc import Sequence
from uuid import uuid4

from playwright.sync_api import Locator, Page, Route, expect
from tests.page.conftest import OpenPage, ServedPage
from tests.support.images import jpeg_of_size
from tests.support.waiting import until


def _made_gallery(served_page: ServedPage, user: str, name: str) -> str:
    with served_page.client(user) as client:
        made = client.post("/galleries", json={"name": name}).raise_for_status()
    return str(made.json()["data"]["id"])


def _ids(served_page: ServedPage, user: str, path: str) -> Sequence[str]:
    with served_page.client(user) as client:
        return [each["id"] for each in client.get(path).raise_for_status().json()["data"]]


def _trash(served_page: ServedPage, user: str, count: int) -> Sequence[str]:
    """Images in the trash, the last in first."""
    ids = served_page.upload(user, count)
    with served_page.client(user) as client:
        for image_id in ids:
            client.delete(f"/images/{image_id}").raise_for_status()
    return ids[::-1]


def _note(page: Page, text: str) -> Locator:
    return page.locator(".toast", has_text=text)


def test_what_is_restored_can_be_put_back_by_the_note_and_by_the_keyboard(
    served_page: ServedPage, open_page: OpenPage, user: str
) -> None:
    first, second = _trash(served_page, user, 2)
    page = open_page("/trash", user=user)
    cells = page.locator("ig-trash li[data-id]")
    expect(cells).to_have_count(2)

    cells.first.get_by_role("button").focus()
    page.keyboard.press("x")
    page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    expect(cells).to_have_count(1)
    _note(page, "Back from the trash").get_by_role("button", name="Undo").click()
    expect(cells).to_have_count(2)
    assert _ids(served_page, user, "/images?trashed=true") == [first, second]

    cells.last.get_by_role("button").click()
    page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    expect(cells).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(cells).to_have_count(2)


def test_what_the_service_refuses_is_taken_back_and_told_and_can_be_tried_again(
    served_page: ServedPage, open_page: OpenPage, user: str
) -> None:
    (image_id,) = _trash(served_page, user, 1)
    page = open_page("/trash", user=user)
    answers = [503, 409]

    def refuse(route: Route) -> None:
        if not answers:
            return route.continue_()
        body = {"code": "unavailable", "title": "Try again later", "detail": "The service pauses."}
        return route.fulfill(status=answers.pop(0), json=body, content_type="application/problem+json")

    page.route("**/images/batch", refuse)
    cells = page.locator("ig-trash li[data-id]")
    cells.first.get_by_role("button").click()
    page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    for left in (1, 0):
        note = _note(page, "That was taken back").last
        expect(note).to_be_visible()
        expect(cells).to_have_count(1)
        assert len(answers) == left
        assert _ids(served_page, user, "/images?trashed=true") == [image_id]
        note.get_by_role("button", name="Try again").click()
    expect(cells).to_have_count(0)
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert _ids(served_page, user, "/images") == [image_id]


def test_filters_are_the_address_and_many_are_changed_at_once(
    served_page: ServedPage, open_page: OpenPage, user: str
) -> None:
    first, *_ = served_page.upload(user, 3)
    with served_page.client(user) as client:
        client.patch(f"/images/{first}", json={"tags": ["At sea", "Tram"], "rating": 4}).raise_for_status()
    page = open_page("/?favorite=yes", user=user)
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("button", name="Clear all").last.click()
    cells = page.locator("ig-grid .cell")
    expect(cells).to_have_count(3)
    assert page.url == f"{served_page.url}/"

    cells.first.get_by_role("link").focus()
    for key in ("x", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.get_by_role("toolbar")).to_contain_text("2 chosen")
    page.get_by_role("toolbar").get_by_role("button", name="Favourite").click()
    expect(_note(page, "2 images marked")).to_be_visible()
    page.get_by_role("button", name="Favourites").click()
    expect(cells).to_have_count(2)
    expect(page.get_by_text("2 images").first).to_be_visible()
    assert page.url == f"{served_page.url}/?favorite=yes"
    page.keyboard.press("Control+z")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.go_back()
    expect(cells).to_have_count(3)
    assert _ids(served_page, user, "/images?is_favorite=true") == []

    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_role("dialog").get_by_role("searchbox").fill("at")
    page.get_by_role("dialog").get_by_role("button", name="At sea").click()
    expect(cells).to_have_count(1)
    page.get_by_role("button", name="Stars").click()
    page.get_by_role("menuitem", name="5 stars or more").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    assert page.url == f"{served_page.url}/?tag=At+sea&stars=5"


def test_an_order_made_by_dragging_and_by_keys_stays(served_page: ServedPage, open_page: OpenPage, user: str) -> None:
    gallery_id = _made_gallery(served_page, user, "Trams")
    a, b, c, d = served_page.upload(user, 4, gallery_id)
    path = f"/galleries/{gallery_id}/images"
    page = open_page(f"/galleries/{gallery_id}?arrange=yes", user=user)
    places = page.get_by_role("option")
    expect(places).to_have_count(4)

    last = page.locator(f'[data-id="{d}"]').bounding_box()
    assert last is not None
    page.locator(f'[data-id="{a}"]').hover()
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 4, last["y"] + last["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.locator(f'[data-id="{a}"]')).to_have_attribute("data-index", "3")
    expect(_note(page, "Moved")).to_be_visible()

    page.locator(f'[data-id="{d}"]').focus()
    for key in ("Space", "ArrowLeft", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    expect(page.locator(f'[data-id="{d}"]')).to_have_attribute("data-index", "0")
    expect(page.locator(f'[data-id="{d}"]')).to_be_focused()
    with page.expect_response(re.compile("/images/move")):
        page.keyboard.press("Control+z")
    expect(page.locator(f'[data-id="{d}"]')).to_have_attribute("data-index", "2")
    page.reload()
    expect(places).to_have_count(4)
    expect(page.locator(f'[data-id="{a}"]')).to_have_attribute("data-index", "3")
    assert _ids(served_page, user, path) == [b, c, d, a]


def test_what_happens_in_another_session_is_seen_without_a_reload(
    served_page: ServedPage, open_page: OpenPage, user: str
) -> None:
    page = open_page("/galleries", user=user)
    expect(page.get_by_role("heading", name="No gallery yet")).to_be_visible()
    with page.expect_response(re.compile("/events")):
        page.reload()
    gallery_id = _made_gallery(served_page, user, "Lifts")
    expect(page.locator(".gallery-card", has_text="Lifts")).to_have_count(1)

    with served_page.client(user) as client:
        client.patch(f"/galleries/{gallery_id}", json={"name": "Trams"}).raise_for_status()
        expect(page.locator(".gallery-card", has_text="Trams")).to_have_count(1)
        page.locator(".gallery-card a", has_text="Trams").click()
        expect(page.get_by_role("heading", name="Trams")).to_be_visible()
        client.delete(f"/galleries/{gallery_id}").raise_for_status()
    expect(page.get_by_role("heading", name="This gallery is gone")).to_be_visible()


def test_two_who_rename_a_gallery_are_told_of_each_other(
    served_page: ServedPage, open_page: OpenPage, user: str
) -> None:
    gallery_id = _made_gallery(served_page, user, "Trams")
    page = open_page("/galleries", user=user)
    page.get_by_role("button", name="What to do with").click()
    page.get_by_role("menuitem", name="Name and visibility").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Mine")
    with served_page.client(user) as client:
        client.patch(f"/galleries/{gallery_id}", json={"name": "Theirs"}).raise_for_status()
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_contain_text("Theirs")
        form.get_by_label("Name").fill("Mine")
        form.get_by_role("button", name="Save").click()
        expect(page.locator(".gallery-card", has_text="Mine")).to_have_count(1)
        assert client.get(f"/galleries/{gallery_id}").json()["data"]["name"] == "Mine"


def test_of_two_that_look_alike_one_is_kept(served_page: ServedPage, open_page: OpenPage, user: str) -> None:
    photo = jpeg_of_size(20_000, seed=str(uuid4()))
    with served_page.client(user) as client:
        for number in range(2):
            name, kind = {"filename": f"tram-{number}.jpg"}, {"Content-Type": "image/jpeg"}
            client.post("/images", params=name, content=photo, headers=kind).raise_for_status()
        until(lambda: client.get("/images/duplicates").json()["data"] != [])
    page = open_page("/duplicates", user=user)
    page.get_by_role("button", name=re.compile("Keep .?tram-0.jpg")).click()
    expect(page.get_by_role("heading", name="No two look alike")).to_be_visible()
    with served_page.client(user) as client:
        until(lambda: [each["filename"] for each in client.get("/images").json()["data"]] == ["tram-0.jpg"])
