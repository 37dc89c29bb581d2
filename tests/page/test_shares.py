"""Sharing: the owner's side and the guest's, from the link to its end; and pages of pictures without JavaScript."""

import re
from html import unescape
from pathlib import Path

import httpx
from playwright.sync_api import expect
from tests.page.conftest import OpenPage, ServedPage
from tests.page.test_for_everyone import PAYLOADS
from tests.support.images import jpeg
from tests.support.pages import Elements
from tests.support.served import token_of

WORD = "correct horse"


def made_gallery(served_page: ServedPage, user: str, **said: object) -> str:
    with served_page.client(user) as client:
        made = client.post("/galleries", json={"name": "Lisbon", **said}).raise_for_status()
    return str(made.json()["data"]["id"])


def shared(served_page: ServedPage, user: str, gallery: str, **said: object) -> str:
    """The path of a new link's page."""
    with served_page.client(user) as client:
        made = client.post("/shares", json={"targets": [{"gallery_id": gallery}], **said}).raise_for_status()
    return str(made.json()["data"]["url"])


def test_an_owner_shares_a_guest_adds_the_owner_lets_it_in_and_ends_it(
    open_page: OpenPage, served_page: ServedPage, user: str, tmp_path: Path
) -> None:
    gallery = made_gallery(served_page, user)
    served_page.upload(user, gallery_id=gallery)
    owner = open_page("/galleries", user=user)
    owner.get_by_role("button", name=re.compile("Lisbon")).click()
    owner.get_by_role("menuitem", name="Share").click()
    dialog = owner.get_by_role("dialog", name=re.compile("Share .*Lisbon"))
    dialog.get_by_role("radio", name="Add pictures").check()
    dialog.get_by_text("Password and limits").click()
    dialog.get_by_label("Password", exact=True).fill("abc")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(dialog.get_by_label("Password", exact=True)).to_be_focused()
    dialog.get_by_label("Password", exact=True).fill(WORD)
    dialog.get_by_role("button", name="Share", exact=True).click()
    address = dialog.get_by_role("textbox", name="Address").input_value()
    expect(dialog.get_by_role("img", name="The address as a QR code")).to_be_visible()

    guest = open_page(address)
    guest.get_by_label("Password").fill("battery staple")
    guest.get_by_role("button", name="Open").click()
    expect(guest.get_by_text("This is not the password.")).to_be_visible()
    guest.get_by_label("Password").fill(WORD)
    guest.get_by_role("button", name="Open").click()
    expect(guest.get_by_role("heading", name="Lisbon")).to_be_visible()
    expect(guest.get_by_text("1 picture")).to_be_visible()
    guest.get_by_role("button", name="Add pictures").click()
    guest.get_by_label("Your name").fill("Aunt Inês")
    photo = tmp_path / "tram.jpg"
    photo.write_bytes(jpeg(640, 480))
    with guest.expect_file_chooser() as chosen:
        guest.get_by_role("button", name="Choose pictures").click()
    chosen.value.set_files(photo)
    own = guest.get_by_role("region", name="Added by you")
    expect(own.get_by_text("Waits")).to_be_visible()

    owner.get_by_role("link", name="See this share").click()
    expect(owner.get_by_text("Once in the last 30 days")).to_be_visible()
    owner.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox").click()
    expect(owner.get_by_role("heading", name="Aunt Inês")).to_be_visible()
    owner.get_by_role("button", name=re.compile("Let in .*tram.jpg")).click()
    expect(owner.get_by_role("heading", name="Nothing waits")).to_be_visible()

    guest.reload()
    expect(guest.get_by_text("2 pictures")).to_be_visible()
    expect(guest.get_by_role("region", name="Added by you").get_by_text("Shown")).to_be_visible()

    owner.get_by_role("navigation", name="Main").get_by_role("link", name="Shared", exact=True).click()
    owner.get_by_role("link", name=re.compile("Lisbon")).click()
    owner.get_by_role("button", name="End it").click()
    owner.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(owner.get_by_text("Ended", exact=True)).to_be_visible()
    guest.reload()
    expect(guest.get_by_text("Its owner has revoked it.")).to_be_visible()


def test_without_javascript_a_public_gallery_and_a_link_are_pages_of_pictures(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    gallery = made_gallery(served_page, user, visibility="public", description="Two days in May")
    [image] = served_page.upload(user, gallery_id=gallery)
    page = open_page(f"/galleries/{gallery}", java_script_enabled=False)
    expect(page.get_by_role("heading", name="Lisbon")).to_be_visible()
    page.locator(".pictures a").click()
    page.wait_for_url(f"**/galleries/{gallery}/images/{image}")
    picture = page.get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_role("link", name="All pictures").click()
    expect(page.get_by_text("Two days in May")).to_be_visible()

    page.goto(shared(served_page, user, gallery, password=WORD))
    for password, shown in (("battery staple", "This is not the password."), (WORD, "Two days in May")):
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_text(shown)).to_be_visible()


def test_what_others_may_not_see_is_in_no_page_that_the_service_writes(served_page: ServedPage, user: str) -> None:
    private = made_gallery(served_page, user, name="Diary")
    [image] = served_page.upload(user, gallery_id=private)
    missing = "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
    with httpx.Client(base_url=served_page.url) as visitor:
        views = {
            place: [visitor.get(f"/galleries/{gallery}{place}") for gallery in (private, missing, "nonsense")]
            for place in ("", f"/images/{image}")
        }
    for answers in views.values():
        assert {view.status_code for view in answers} == {200}
        assert len({view.text for view in answers}) == 1
        assert "Diary" not in answers[0].text


def test_a_share_hides_in_its_page_what_it_hides(served_page: ServedPage, user: str) -> None:
    gallery = made_gallery(served_page, user)
    [image] = served_page.upload(user, gallery_id=gallery)
    with served_page.client(user) as client:
        client.patch(f"/images/{image}", json={"filename": "at-home.jpg"}).raise_for_status()
    bare = shared(served_page, user, gallery, metadata="none")
    with httpx.Client(base_url=served_page.url) as visitor:
        pages = [visitor.get(f"{bare}{place}") for place in ("", f"/galleries/{gallery}", f"/images/{image}")]
        pages.append(visitor.get(f"{bare}/galleries/{gallery}/images/{image}"))
        other = visitor.get(f"{bare}/images/{served_page.upload(user)[0]}")
    assert {page.status_code for page in pages} == {200}
    assert all("<img" in page.text and "at-home" not in page.text for page in pages)
    assert other.status_code == 404
    assert "<img" not in other.text


def test_texts_of_others_are_texts_in_pages_that_the_service_writes(served_page: ServedPage, user: str) -> None:
    gallery = made_gallery(served_page, user, visibility="public")
    [image] = served_page.upload(user, gallery_id=gallery)
    for text in PAYLOADS:
        link = shared(served_page, user, gallery, note=text)
        with served_page.client(user) as client:
            client.patch(f"/galleries/{gallery}", json={"description": text}).raise_for_status()
            client.patch(f"/images/{image}", json={"alt_text": text[:500]}).raise_for_status()
        with httpx.Client(base_url=served_page.url) as visitor:
            pages = [visitor.get(path).text for path in (f"/galleries/{gallery}", link, f"{link}/images/{image}")]
        for page in pages:
            found = Elements(page)
            assert found.names.count("script") == 1  # the page's own
            assert not {"svg", "iframe", "textarea"} & set(found.names)
            assert not {each for each in found.attributes if each.startswith("on")}
            assert text[:500].strip() in unescape(page)


def test_a_link_is_read_in_the_language_of_who_has_it(served_page: ServedPage, user: str) -> None:
    link = shared(served_page, user, made_gallery(served_page, user), password=WORD)
    with httpx.Client(base_url=served_page.url) as visitor:
        pages = {tag: visitor.get(link, headers={"Accept-Language": tag}) for tag in ("en", "ar")}
    assert [re.findall(r'<html lang="(\w+)" dir="(\w+)"', page.text) for page in pages.values()] == [
        [("en", "ltr")],
        [("ar", "rtl")],
    ]


def test_a_partner_sees_the_library_that_is_shared_with_them(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    served_page.upload(user)
    partner = f"{user}-ben"
    with served_page.client(user) as client:
        said = {"targets": [{"library": True}], "link": False, "recipients": [{"user": partner}]}
        client.post("/shares", json=said).raise_for_status()
    page = open_page("/shared-with-me", user=partner)
    page.get_by_role("link", name=re.compile("The photos of")).click()
    expect(page.locator("ig-timeline img").first).to_be_visible()


def test_a_user_keeps_what_a_link_shares_and_gives_it_back(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    gallery = made_gallery(served_page, user)
    served_page.upload(user, gallery_id=gallery)
    link = shared(served_page, user, gallery)
    page = open_page(link, user=f"{user}-ben")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="See it").click()
    page.get_by_role("link", name=re.compile("Lisbon")).click()
    expect(page.get_by_role("heading", name="Lisbon")).to_be_visible()
    page.get_by_role("button", name="Give back").click()
    page.get_by_role("dialog").get_by_role("button", name="Give back").click()
    expect(page.get_by_role("heading", name="Nobody shares anything with you yet")).to_be_visible()
    with httpx.Client(base_url=served_page.served.api, headers={"Authorization": f"Bearer {token_of(user)}"}) as owner:
        [share] = owner.get("/shares").json()["data"]
    assert share["recipients"] == []
