"""Uploading in the page: files come in, whatever happens meanwhile, or are refused in clear words."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Route, expect
from tests.page.conftest import PATIENCE, OpenPage, ServedPage
from tests.support.images import jpeg_of_size
from tests.support.served import token_of

MARKUP = "<img src=x onerror=alert(1)>.jpg"
TURNED = "holiday\u202egpj.exe.jpg"
LONG = f"{'a' * 240}.jpg"
BEGUN = "**/uploads/resumable?*"
PASTE = """async () => {
  const canvas = new OffscreenCanvas(40, 30)
  canvas.getContext("2d").fillRect(0, 0, 20, 20)
  const picture = await canvas.convertToBlob({ type: "image/png" })
  const clipboardData = new DataTransfer()
  clipboardData.items.add(new File([picture], "image.png", { type: "image/png" }))
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }))
}"""


def drop(page: Page, *paths: Path, into: str = "your photos") -> None:
    """Files and folders from outside of the browser."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def drag(kind: str) -> None:
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 500, "y": 400, "data": data})

    expect(page.get_by_role("button", name="Upload").first).to_be_visible()
    drag("dragEnter")
    expect(page.locator("ig-drop-zone")).to_contain_text(into)
    drag("dragOver")
    drag("drop")


def choose(page: Page, *paths: Path) -> None:
    page.get_by_role("button", name="Upload").first.click()
    with page.expect_file_chooser() as chosen:
        page.get_by_role("menuitem", name="Choose files").first.click()
    chosen.value.set_files(list(paths))


def panel(page: Page) -> Callable[[str | re.Pattern[str]], None]:
    """Waits for a text in the panel."""
    here = page.get_by_role("region", name="Uploads")
    return lambda text: expect(here).to_contain_text(text, timeout=PATIENCE)


def check_in(served_page: ServedPage, user: str, *paths: Path) -> None:
    """These files are there byte for byte, each once, and no others."""
    assert served_page.served.originals(user) == Counter(digest_of(path) for path in paths)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def photo(tmp_path: Path, user: str) -> Callable[..., Path]:
    def make(name: str = "tram.jpg", size: int = 20_000) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg_of_size(size, f"{user} {name}"))
        return path

    return make


def test_a_folder_is_dropped_and_each_file_is_in_or_told_of(
    open_page: OpenPage, served_page: ServedPage, photo: Callable[..., Path], user: str, tmp_path: Path
) -> None:
    inside = [photo(f"trip/{name}") for name in ("1.jpg", "2.jpg", "3.jpg", MARKUP, TURNED, LONG)]
    (tmp_path / "trip" / "notes.txt").write_text("left out")
    (tmp_path / "empty.jpg").touch()
    with (tmp_path / "film.mov").open("wb") as film:
        film.truncate(200_000_000)
    page = open_page("/", user=user)
    drop(page, tmp_path / "trip", tmp_path / "empty.jpg", tmp_path / "film.mov")
    told = panel(page)
    told("2 files were not taken")
    told("6 images are in")
    told("The file is empty.")
    told("This is not a picture that can be shown here")
    told(MARKUP)
    told("holiday\ufffdgpj.exe.jpg")
    expect(page.get_by_text("1 file is no picture and was left out.")).to_be_visible()
    check_in(served_page, user, *inside)


def test_what_is_dropped_or_pasted_over_a_gallery_joins_it(
    open_page: OpenPage, served_page: ServedPage, photo: Callable[..., Path], user: str
) -> None:
    with served_page.client(user) as client:
        gallery = client.post("/galleries", json={"name": "Lisbon"}).json()["data"]["id"]
    page = open_page(f"/galleries/{gallery}", user=user)
    drop(page, photo(), into="Lisbon")
    told = panel(page)
    told("1 image is in")
    page.evaluate(PASTE)
    told("2 images are in")
    expect(page.locator("ig-grid img")).to_have_count(2, timeout=PATIENCE)
    with served_page.client(user) as client:
        images = client.get(f"/galleries/{gallery}/images").json()["data"]
    names = [re.sub(r"\d", "0", image["filename"]) for image in images]
    assert names == ["tram.jpg", "0000-00-00 00.00.00.png"]


def test_a_page_that_is_loaded_anew_goes_on_where_it_was(
    open_page: OpenPage, served_page: ServedPage, photo: Callable[..., Path], user: str
) -> None:
    page, path = open_page("/", user=user), photo(size=6_000_000)
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_000_000}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", slow)
    choose(page, path)
    told = panel(page)
    told("Kept in this browser until it is in")
    told(re.compile(r"\b[1-5](\.\d)? MB\u2069 of"))
    offsets: list[str | None] = []
    page.on("request", lambda request: offsets.append(request.headers.get("upload-offset")))
    page.reload()
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    told("1 image is in")
    assert [int(offset) > 0 for offset in offsets if offset is not None] == [True]
    check_in(served_page, user, path)


def test_who_is_signed_out_or_offline_meanwhile_goes_on_afterwards(
    open_page: OpenPage, served_page: ServedPage, photo: Callable[..., Path], user: str
) -> None:
    page = open_page("/", user=user)
    first, second, third = (photo(f"{number}.jpg") for number in range(3))
    choose(page, first)
    told = panel(page)
    told("1 image is in")
    page.route("**/uploads/check", lambda route: route.fulfill(json={"data": {"known": []}}), times=1)
    page.evaluate("sessionStorage.setItem('imagegallery.token', 'not.valid.anymore')")
    choose(page, second)
    told("Your sign-in has ended.")
    dialog = page.get_by_role("dialog", name="Your sign-in has ended")
    dialog.get_by_label("Access token").fill(token_of(user))
    dialog.get_by_role("button", name="Sign in").click()
    told("2 images are in")
    page.context.set_offline(True)
    choose(page, third)
    told("You are offline.")
    page.context.set_offline(False)
    told("3 images are in")
    check_in(served_page, user, first, second, third)


def test_what_is_there_already_is_the_person_s_to_decide_and_a_full_storage_is_told(
    open_page: OpenPage, served_page: ServedPage, photo: Callable[..., Path], user: str
) -> None:
    served, known, large = served_page.served, photo(), photo("large.jpg", 900_000)
    with served_page.client(user) as client:
        client.post("/images", content=known.read_bytes(), headers={"Content-Type": "image/jpeg"}).raise_for_status()
    served.rows("UPDATE owners SET storage_limit = 500000 WHERE owner_id = $1 RETURNING 1", user)
    page = open_page("/", user=user)
    choose(page, known, large)
    told = panel(page)
    told("You have this file already.")
    told("There is no room left for this file.")
    told("of \u2068500 kB\u2069 used")
    page.get_by_role("button", name="Upload anyway").or_(page.get_by_role("button", name="anyway")).first.click()
    told("1 image is in")
    assert served.originals(user) == {digest_of(known): 2}


def test_of_two_tabs_one_sends_the_other_shows_it_and_goes_on_when_that_one_crashes(
    open_page: OpenPage, served_page: ServedPage, photo: Callable[..., Path], user: str
) -> None:
    page = open_page("/", user=user)
    waiting: list[Route] = []
    page.route(BEGUN, lambda route: waiting.append(route))
    choose(page, photo())
    told_first = panel(page)
    told_first("Kept in this browser until it is in")
    other = page.context.new_page()
    other.goto("/")
    told = panel(other)
    told("tram.jpg")
    other.get_by_role("region", name="Uploads").get_by_role("button", name="Pause all").click()
    told_first("Paused")
    with suppress(Error):
        page.goto("chrome://crash")
    other.get_by_role("region", name="Uploads").get_by_role("button", name="Go on with all").click()
    told("1 image is in")
    check_in(served_page, user, photo())
