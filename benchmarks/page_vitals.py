"""Web vitals of the page's views beside pages of others for the same gallery, in Chromium, all under the same throttle.

    apt-get install chromium
    python -m benchmarks.page_vitals [PHOTOGRAPHS]

PhotoSwipe's grid and viewer, and Uppy's dashboard, are built as their documentation shows (`peer_pages/`), and served
by the same process. Each view is opened by a browser that has nothing of it: a phone's width, a processor of a quarter,
a network of 1.6 Mbit/s and 150 ms (as Lighthouse's "slow 4G"). First it is looked at whether it shows what it has to.
Then come the medians of the rounds, the views in turns:

* LCP, CLS: as the browser reports them (Largest Contentful Paint, Layout Instability).
* INP: the longest of the interactions that the view is for, such as opening a photograph and going to the next.
* TBT: what long tasks have beyond 50 ms each, from the navigation on until the view is there.
* bytes: as they came over the network, of scripts and styles, and of all; pictures depend on the screen alone.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click
import httpx
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, sync_playwright
from tests.support.album import Photograph, album
from tests.support.leftovers import shared_database
from tests.support.node import node_programs
from tests.support.servers.api import running_api
from tests.support.waiting import until

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
PHONE: ViewportSize = {"width": 412, "height": 823}
SLOWER = 4
SLOW_4G = {"latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
QUIET = 3_000
OBSERVERS = """
const seen = (window.vitals = { lcp: 0, cls: 0, inp: 0, tbt: 0 });
const observe = (type, tell, options) =>
  new PerformanceObserver(list => list.getEntries().forEach(tell)).observe({ type, buffered: true, ...options });
observe("largest-contentful-paint", entry => (seen.lcp = entry.startTime));
observe("layout-shift", entry => (seen.cls += entry.hadRecentInput ? 0 : entry.value));
observe("longtask", entry => (seen.tbt += entry.duration - 50));
observe("event", entry => (seen.inp = Math.max(seen.inp, entry.interactionId ? entry.duration : 0)), {
  durationThreshold: 16,
});
"""
PICTURES_THERE = """() => {
  const near = [...document.images].filter(image => {
    const box = image.getBoundingClientRect();
    return box.width > 0 && box.top < innerHeight && box.bottom > 0;
  });
  return near.length > 0 && near.every(image => image.complete && image.naturalWidth > 0);
}"""

Act = Callable[[Page], None]


@frozen
class Measured:
    """Milliseconds, but for ``cls``; ``code`` and ``all`` in bytes."""

    lcp: float
    cls: float
    inp: float
    tbt: float
    code: int
    all: int


@frozen
class View:
    """``shows`` is called when it was opened, and ends when it is there; ``uses`` does what the view is for."""

    name: str
    path: str
    shows: Act
    uses: Act


@frozen
class Transfer:
    """Bytes that came over the network, of each kind of resource."""

    kinds: dict[str, str]
    sizes: dict[str, int]

    @classmethod
    def watch(cls, devtools: CDPSession) -> "Transfer":
        """The transfer from now on."""
        transfer = cls({}, {})

        def answered(event: dict[str, Any]) -> None:
            transfer.kinds[event["requestId"]] = event["type"]

        def finished(event: dict[str, Any]) -> None:
            kind = transfer.kinds.get(event["requestId"], "Other")
            transfer.sizes[kind] = transfer.sizes.get(kind, 0) + int(event["encodedDataLength"])

        devtools.on("Network.responseReceived", answered)
        devtools.on("Network.loadingFinished", finished)
        return transfer


def pictures_there(page: Page) -> None:
    page.wait_for_function(PICTURES_THERE)


def photoswipe_viewer(page: Page) -> None:
    page.click("#gallery a >> nth=1")
    page.wait_for_function("() => document.querySelector('.pswp--open .pswp__img')?.naturalWidth > 300")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    page.keyboard.press("Escape")
    page.wait_for_selector(".pswp", state="detached")


def uppy_there(page: Page) -> None:
    page.wait_for_selector(".uppy-Dashboard-browse")


def uppy_upload(page: Page) -> None:
    page.set_input_files(".uppy-Dashboard-input >> nth=0", files=[one_file("uppy.jpg")])
    page.click(".uppy-StatusBar-actionBtn--upload")
    page.wait_for_function("() => document.body.dataset.uploaded === '1'")


def one_file(name: str) -> Any:
    """A photograph that is new to the service each time, as it knows duplicates."""
    data = next(iter(FRESH))
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def fresh_photographs() -> Iterator[bytes]:
    """The same photograph, each time with another comment (ITU T.81, section B.2.4.5)."""
    data = next(album()).data
    for number in range(10_000):
        comment = f"{number:08}".encode()
        yield data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


FRESH = fresh_photographs()


def our_views(gallery: str, link: str) -> list[View]:
    return [
        View("library", "/", pictures_there, open_and_go_on),
        View("gallery", f"/galleries/{gallery}", pictures_there, open_and_go_on),
        View("share, as a guest", link, pictures_there, open_and_go_on),
        View("upload", "/", pictures_there, our_upload),
    ]


PEER_VIEWS = [
    View("PhotoSwipe", "/peers/photoswipe.html", pictures_there, photoswipe_viewer),
    View("Uppy", "/peers/uppy.html", uppy_there, uppy_upload),
]


def open_and_go_on(page: Page) -> None:
    page.click("main .cell a >> nth=1")
    page.wait_for_selector("ig-viewer img")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    page.keyboard.press("Escape")
    page.wait_for_selector("ig-viewer", state="detached")


def our_upload(page: Page) -> None:
    page.locator("#tools").get_by_role("button", name="Upload").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Choose files").click()
    chooser.value.set_files([one_file("ours.jpg")])
    page.locator("ig-upload-panel").get_by_text("1 image is in").first.wait_for()


@contextmanager
def throttled(browser: Browser) -> Iterator[tuple[Page, CDPSession]]:
    """A page of a browser that has nothing yet, on a slow phone. A service worker would load while it is measured."""
    context = browser.new_context(viewport=PHONE, service_workers="block")
    try:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", {"offline": False, **SLOW_4G})
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.add_init_script(OBSERVERS)
        yield page, devtools
    finally:
        context.close()


def measure(browser: Browser, url: str, view: View) -> Measured:
    with throttled(browser) as (page, devtools):
        transfer = Transfer.watch(devtools)
        page.goto(url + view.path)
        view.shows(page)
        page.wait_for_timeout(QUIET)  # what is loaded after that is loaded, too
        seen = page.evaluate("() => ({...vitals})")
        sizes = dict(transfer.sizes)
        view.uses(page)
        inp = page.evaluate("() => vitals.inp")
        shift = page.evaluate("() => vitals.cls")
    code = sizes.get("Script", 0) + sizes.get("Stylesheet", 0)
    return Measured(seen["lcp"], shift, inp, seen["tbt"], code, sum(sizes.values()))


def middle(results: Sequence[Measured]) -> Measured:
    def of(name: str) -> Any:
        return median(getattr(each, name) for each in results)

    return Measured(of("lcp"), of("cls"), of("inp"), of("tbt"), int(of("code")), int(of("all")))


def fill(api: httpx.Client, photographs: Sequence[Photograph]) -> tuple[str, str]:
    """A gallery of these photographs, and the path of a link that shares it."""
    gallery = api.post("/galleries", json={"name": "Album"}).json()["data"]["id"]
    for each in photographs:
        sent = api.post(
            f"/galleries/{gallery}/uploads",
            params={"filename": each.filename},
            content=each.data,
            headers={"Content-Type": "image/jpeg"},
        ).raise_for_status()
        api.patch(f"/images/{sent.json()['data']['id']}", json={"alt_text": each.subject.alt_text})
    until(lambda: all(each["processing_status"] == "complete" for each in listed(api, gallery)))
    share = api.post("/shares", json={"targets": [{"gallery_id": gallery}]}).raise_for_status().json()["data"]
    return gallery, f"/s/{share['token']}"


def listed(api: httpx.Client, gallery: str) -> Any:
    return api.get(f"/galleries/{gallery}/images", params={"limit": 100}).json()["data"]


@click.command()
@click.argument("photographs", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", default=5, show_default=True)
@click.option("--only", multiple=True, help="The names of views.")
def main(photographs: Path | None, rounds: int, only: Sequence[str]) -> None:
    """Measure; PHOTOGRAPHS is a folder for `tests.support.album`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        portal = stack.enter_context(start_blocking_portal())
        database = stack.enter_context(shared_database())
        dsn = stack.enter_context(portal.wrap_async_context_manager(database.clone()))
        served = {"PEER_PAGES": str(folder / "peers")}
        server = stack.enter_context(running_api(HERE / "peer_pages" / "served.py", dsn, folder, served))
        api = httpx.Client(base_url=f"{server.url}/api/v1", timeout=60)
        gallery, link = fill(api, [*album(photographs)])
        tus = f"{server.url}/api/v1/uploads/resumable"
        options = {"images": listed(api, gallery), "tus": tus, "out": str(folder / "peers")}
        node_programs(HERE / "peer_pages").run("build.mjs", options)
        views = [view for view in (*our_views(gallery, link), *PEER_VIEWS) if not only or view.name in only]
        playwright = stack.enter_context(sync_playwright())
        browser = stack.enter_context(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]))
        results: dict[str, list[Measured]] = {view.name: [] for view in views}
        for number in range(rounds):
            for view in views:
                results[view.name].append(measure(browser, server.url, view))
                print(f"round {number + 1} of {rounds}: {view.name}", file=sys.stderr)
    click.echo("| view | LCP | INP | TBT | CLS | scripts and styles | all |\n|---|---|---|---|---|---|---|")
    for name, seen in results.items():
        it = middle(seen)
        times = " | ".join(f"{time:,.0f} ms" for time in (it.lcp, it.inp, it.tbt))
        click.echo(f"| {name} | {times} | {it.cls:.3f} | {it.code / 1000:,.1f} kB | {it.all / 1000:,.0f} kB |")


if __name__ == "__main__":
    main()
