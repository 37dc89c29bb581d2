"""How the page scrolls through a large library: frames, long tasks, elements, shifts of the layout.

::

    python -m benchmarks.page_scroll [--images 100000] [--frames 600] [--width 1440] [--height 900]

A service over an embedded PostgreSQL with so many images, before Debian's Chromium without a graphics card. The page
scrolls by a script: at the pace of a hand on a wheel, then by a flick of a finger, then by leaps of the scrollbar.
Prints a table of Markdown.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright
from tests.support.database import DatabaseServer
from tests.support.large_library import fill_library
from tests.support.served import ServedUploads, served_uploads, token_of

OWNER = "ana"
# Pixels a frame, and how many frames lie between two leaps over a tenth of the library.
PACES = {"wheel": (30, 0), "flick": (120, 0), "leaps": (10, 40)}
_START = """
globalThis.seen = { shifts: 0, long: [] };
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) seen.shifts += value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) seen.long.push(duration);
}).observe({ type: "longtask" });
localStorage.setItem("imagegallery.was_user", "yes");
sessionStorage.setItem("imagegallery.token", TOKEN);
"""
_SCROLL = """
async ([frames, pixels, leap]) => {
  const times = [];
  let nodes = 0;
  seen.long = [];
  let last = await new Promise(requestAnimationFrame);
  for (let frame = 1; frame <= frames; frame += 1) {
    const top = leap && frame % leap === 0 ? document.documentElement.scrollHeight / 10 : pixels;
    scrollBy({ top, behavior: "instant" });
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
    if (frame % 10 === 0) nodes = Math.max(nodes, document.querySelectorAll("*").length);
  }
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.floor((times.length - 1) * share)];
  return { median: at(0.5), late: at(0.95), longest: at(1), long: seen.long.length, nodes };
}
"""


def measure(served: ServedUploads, frames: int, width: int, height: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": width, "height": height}, service_workers="block")
        context.add_init_script(_START.replace("TOKEN", repr(token_of(OWNER))))
        page = context.new_page()
        session = context.new_cdp_session(page)
        # Of a processor, so that what else the machine does counts less.
        session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
        session.send("Performance.enable")
        page.goto(served.service.url)
        page.wait_for_selector(".cell.loaded")
        first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        print(f"First paint after {first:,.0f} ms.\n")
        print(
            "| pace | median frame, ms | 95 % | longest | long tasks | script a frame | style and layout | elements |\n"
            "|---|---|---|---|---|---|---|---|"
        )
        for name, (pixels, leap) in PACES.items():
            _scroll(page, session, name, frames, pixels, leap)
        print(f"\nShifts of the layout (CLS): {page.evaluate('seen.shifts'):.4f}")
        browser.close()


def _scroll(page: Page, session: CDPSession, name: str, frames: int, pixels: int, leap: int) -> None:
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    page.wait_for_selector(".cell.loaded")
    before = _metrics(session)
    told = page.evaluate(_SCROLL, [frames, pixels, leap])
    after = _metrics(session)
    script, layout = (
        1000 * sum(after[each] - before[each] for each in names) / frames
        for names in (("ScriptDuration",), ("LayoutDuration", "RecalcStyleDuration"))
    )
    print(
        f"| {name} | {told['median']:.1f} | {told['late']:.1f} | {told['longest']:.0f} | {told['long']} |"
        f" {script:.2f} | {layout:.2f} | {told['nodes']} |"
    )


def _metrics(session: CDPSession) -> Mapping[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        DatabaseServer.shared() as database,
        served_uploads(database, Path(directory) / "data") as served,
    ):
        fill_library(served.inside.dsn, served.inside.objects, OWNER, options.images)
        measure(served, options.frames, options.width, options.height)


if __name__ == "__main__":
    main()
