"""Pictures of the page, in `docs/page/`: each view on three screens in both themes, and one story from the beginning.

    apt-get install chromium
    python -m docs.screenshots [PHOTOGRAPHS]

PHOTOGRAPHS is a folder for `tests.support.album`. A real service is filled by the API, and looked at in Chromium.
"""

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click
import httpx
from attrs import frozen
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, sync_playwright
from tests.support.album import Photograph, album
from tests.support.leftovers import shared_database
from tests.support.served import ServedUploads, served_uploads, token_of
from tests.support.waiting import until

FOLDER = Path(__file__).parent / "page"
CHROMIUM = "/usr/bin/chromium"
SCREENS = ((1440, 900), (768, 1024), (390, 844))
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HEIGHT = 470  # of each screen in a sheet
GAP = 16
GROUND = "#8a8782"
STORY = (1280, 800)
SHOWN = (960, 600)
QUALITY = 62
USER = "ada"
SETTLED = """() => {
  const isNear = element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.top < innerHeight && box.bottom > 0;
  };
  return document.querySelector("h1, h2, [role=dialog]") && !document.querySelector("[aria-busy=true]")
    && [...document.images].filter(isNear).every(image => image.complete && image.naturalWidth > 0)
    && [...document.querySelectorAll("main .cell")].filter(isNear).every(cell => cell.classList.contains("loaded"));
}"""


@frozen
class Library:
    """What was filled in: a service, its photographs' ids by their names, galleries' by theirs, and a share's path."""

    served: ServedUploads
    images: dict[str, str]
    galleries: dict[str, str]
    link: str
    share: str

    @property
    def views(self) -> dict[str, tuple[str, str | None]]:
        """Each view: its path, and who looks at it."""
        first, *_ = self.images.values()
        gallery, *_ = self.galleries.values()
        return {
            "library": ("/", USER),
            "viewer": (f"/images/{first}", USER),
            "galleries": ("/galleries", USER),
            "gallery": (f"/galleries/{gallery}", USER),
            "shares": ("/shares", USER),
            "share": (f"/shares/{self.share}", USER),
            "inbox": ("/inbox", USER),
            "link": (self.link, None),
            "trash": ("/trash", USER),
            "duplicates": ("/duplicates", USER),
            "administration": ("/admin", USER),
            "account": ("/account", USER),
            "sign-in": ("/sign-in", None),
            "empty": ("/", "nobody-yet"),
        }


@contextmanager
def service(folder: Path) -> Iterator[ServedUploads]:
    """A service with a worker, whose guests may upload, over an empty database."""
    settings = {"jwt_role_claim": "role", "administration_guest_uploads": "true"}
    with shared_database() as database, served_uploads(database, folder, has_worker=True, **settings) as served:
        yield served


def client(served: ServedUploads, user: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token_of(user, role='admin')}"}
    return httpx.Client(base_url=served.api, headers=headers, timeout=60)


def fill(served: ServedUploads, photographs: Sequence[Photograph]) -> Library:
    """Bring the photographs in, as their owner would over some years."""
    with client(served, USER) as owner, httpx.Client(base_url=served.api, timeout=60) as guest:
        names = dict.fromkeys(each.subject.gallery for each in photographs)
        galleries = {name: made(owner.post("/galleries", json={"name": name})) for name in names}
        images = {each.filename: add(owner, galleries[each.subject.gallery], each) for each in photographs}
        until(lambda: are_ready(owner))
        twin = photographs[0]
        add(owner, galleries[twin.subject.gallery], Photograph("IMG_7400 (1).jpg", twin.data + b"\0", twin.subject))
        for image_id in list(images.values())[3::9]:
            owner.patch(f"/images/{image_id}", json={"is_favorite": True})
        for image_id in list(images.values())[-3:]:
            owner.delete(f"/images/{image_id}")
        first, second, *_ = galleries.values()
        owner.post("/shares", json={"targets": [{"gallery_id": second}], "note": "For the family"})
        said = {"targets": [{"gallery_id": first}], "permissions": ["view", "download", "add_images"]}
        share = owner.post("/shares", json={**said, "note": "The hike"}).raise_for_status().json()["data"]
        guest.get(f"/s/{share['token']}").raise_for_status()
        guest.post(f"/s/{share['token']}/guests", json={"name": "Inês"}).raise_for_status()
        for each in photographs[5:8]:
            send(guest, f"/s/{share['token']}/galleries/{first}/uploads", each.filename, each.data + b"\0\0")
    return Library(served, images, galleries, f"/s/{share['token']}", share["id"])


def made(answer: httpx.Response) -> str:
    made_id: str = answer.raise_for_status().json()["data"]["id"]
    return made_id


def send(api: httpx.Client, path: str, filename: str, data: bytes) -> str:
    headers = {"Content-Type": "image/jpeg"}
    return made(api.post(path, params={"filename": filename}, content=data, headers=headers))


def add(owner: httpx.Client, gallery: str, photograph: Photograph) -> str:
    image_id = send(owner, f"/galleries/{gallery}/uploads", photograph.filename, photograph.data)
    said = {"alt_text": photograph.subject.alt_text, "tags": list(photograph.subject.tags)}
    owner.patch(f"/images/{image_id}", json=said).raise_for_status()
    return image_id


def are_ready(owner: httpx.Client) -> bool:
    listed = owner.get("/images", params={"limit": 100}).json()["data"]
    return all(each["processing_status"] == "complete" for each in listed)


def window(browser: Browser, served: ServedUploads, user: str | None, size: tuple[int, int]) -> BrowserContext:
    context = browser.new_context(
        base_url=served.service.url,
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
        service_workers="block",
        is_mobile=size[0] < 500,
        has_touch=size[0] < 500,
    )
    if user is not None:
        context.add_init_script(f"sessionStorage.setItem('imagegallery.token', {token_of(user, role='admin')!r})")
    return context


def settled(page: Page) -> Page:
    """Wait until what is to be seen is there."""
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(400)  # for pictures that are drawn a moment after they have come
    return page


def screenshot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(settled(page).screenshot())).convert("RGB")


def sheet(browser: Browser, served: ServedUploads, path: str, user: str | None) -> Image.Image:
    """A view on each screen, side by side; below it the same in the dark."""
    rows: list[list[Image.Image]] = [[] for _ in THEMES]
    for size in SCREENS:
        context = window(browser, served, user, size)
        page = context.new_page()
        page.goto(path)
        for row, theme in zip(rows, THEMES, strict=True):
            page.emulate_media(color_scheme=theme)
            shot = screenshot(page)
            row.append(shot.resize((shot.width * HEIGHT // shot.height, HEIGHT), Image.Resampling.LANCZOS))
        context.close()
    width = sum(each.width + GAP for each in rows[0]) + GAP
    whole = Image.new("RGB", (width, (HEIGHT + GAP) * len(rows) + GAP), GROUND)
    for number, row in enumerate(rows):
        left = GAP
        for each in row:
            whole.paste(each, (left, GAP + number * (HEIGHT + GAP)))
            left += each.width + GAP
    return whole


def save(picture: Image.Image, name: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    picture.save(FOLDER / f"{name}.webp", quality=QUALITY, method=6)


@frozen
class Step:
    """One picture of the story: what is done before it is taken."""

    name: str
    act: Callable[[Page], None]


def begin(page: Page) -> None:
    page.goto("/")
    page.get_by_role("heading", name="Your photos will be here").wait_for()


def bring_in(photographs: Sequence[Photograph]) -> Callable[[Page], None]:
    files: list[FilePayload] = [
        {"name": each.filename, "mimeType": "image/jpeg", "buffer": each.data} for each in photographs
    ]

    def act(page: Page) -> None:
        page.locator("#tools").get_by_role("button", name="Upload").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("menuitem", name="Choose files").click()
        chooser.value.set_files(files)
        page.locator("ig-upload-panel").get_by_text(" of ").first.wait_for()

    return act


def see_them(page: Page) -> None:
    page.locator("ig-upload-panel").get_by_role("button", name="Close").click(timeout=180_000)
    page.locator("main").get_by_text("17 images").first.wait_for(timeout=180_000)
    page.reload()
    page.locator(".cell.loaded").nth(8).wait_for()


def cell(page: Page, number: int) -> Locator:
    """The cell of a photograph, by the number in its name."""
    listed = page.evaluate(
        """async () => {
          const headers = { Authorization: `Bearer ${sessionStorage.getItem("imagegallery.token")}` };
          const answer = await fetch("/api/v1/images?limit=50", { headers });
          return (await answer.json()).data.map(({ id, filename }) => [filename, id]);
        }"""
    )
    return page.locator(f'.cell[data-id="{dict(listed)[f"IMG_{number}.jpg"]}"]')


def open_one(page: Page) -> None:
    cell(page, 7399).locator("a").click()
    page.locator("ig-viewer img").first.wait_for()


def say_what_it_is(page: Page) -> None:
    page.keyboard.press("i")
    for label, text in (
        ("Title", "The end of summer"),
        ("Alternative text", "Dandelions against the evening sun"),
        ("Tags", "flower, evening"),
    ):
        field = page.locator("ig-viewer aside").get_by_label(label, exact=True)
        field.fill(text)
        field.press("Tab")
    page.locator("ig-viewer aside").get_by_text("Saved.").first.wait_for()


def choose(page: Page) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("ig-viewer").wait_for(state="detached")
    for number in (7399, 7396, 7392, 7391):
        wanted = cell(page, number)
        wanted.hover()
        wanted.locator(".mark").click()


def collect(page: Page) -> None:
    page.get_by_role("button", name="Add to a gallery").click()
    page.get_by_role("searchbox").fill("The garden")


def see_the_gallery(page: Page) -> None:
    page.get_by_role("button", name="New gallery").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.locator("ig-toasts").get_by_text("added to").first.wait_for()
    page.goto("/galleries")
    page.get_by_role("link", name="The garden").first.click()
    page.get_by_role("heading", name="The garden", level=1).wait_for()


def arrange(page: Page) -> None:
    page.get_by_role("button", name="Arrange").click()
    page.locator(".place").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")


def share(page: Page) -> None:
    page.keyboard.press("Space")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="What to do with").click()
    page.get_by_role("menuitem", name="Share").click()
    page.get_by_role("dialog").wait_for()


def have_a_link(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("heading", name="The link is ready").wait_for()


def find(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Favourites").first.click()
    page.locator(".cell").first.wait_for()


def tell(browser: Browser, served: ServedUploads, photographs: Sequence[Photograph]) -> None:
    """The story: from an empty service to a gallery that is edited, found and shared, and what a guest sees of it."""
    context = window(browser, served, "grace", STORY)
    page = context.new_page()
    steps = (
        Step("empty", begin),
        Step("upload", bring_in(photographs)),
        Step("photos", see_them),
        Step("image", open_one),
        Step("words", say_what_it_is),
        Step("choose", choose),
        Step("collect", collect),
        Step("gallery", see_the_gallery),
        Step("arrange", arrange),
        Step("share", share),
        Step("link", have_a_link),
    )
    for number, step in enumerate(steps, 1):
        step.act(page)
        keep(page, number, step.name)
    address = page.get_by_role("dialog").get_by_role("textbox", name="Address").input_value()
    like_some(served)
    find(page)
    keep(page, len(steps) + 1, "find")
    context.close()
    guest = window(browser, served, None, STORY)
    page = guest.new_page()
    page.goto(address)
    keep(page, len(steps) + 2, "guest")
    guest.close()


def like_some(served: ServedUploads) -> None:
    with client(served, "grace") as owner:
        for each in owner.get("/images", params={"limit": 50}).json()["data"][::3]:
            owner.patch(f"/images/{each['id']}", json={"is_favorite": True}).raise_for_status()


def keep(page: Page, number: int, name: str) -> None:
    save(screenshot(page).resize(SHOWN, Image.Resampling.LANCZOS), f"story-{number:02}-{name}")


@click.command()
@click.argument("photographs", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, help="Views, or `story`.")
def main(photographs: Path | None, only: Sequence[str]) -> None:
    """Look at every view, and tell the story."""
    taken = [*album(photographs)]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with service(Path(folder) / "data") as served:
            if set(only) != {"story"}:
                for name, (path, user) in fill(served, taken).views.items():
                    if not only or name in only:
                        save(sheet(browser, served, path, user), name)
                        click.echo(name)
            if not only or "story" in only:
                tell(browser, served, taken[:17])
        browser.close()
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    click.echo(f"{size / 1e6:.2f} MB in {FOLDER}")


if __name__ == "__main__":
    main()
