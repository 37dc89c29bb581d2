"""The page as an application of a device: its manifest, and what opens without a network."""

import json
from importlib.resources import files

import httpx
from playwright.sync_api import Page, expect
from tests.page.conftest import OpenPage, ServedPage

from imagegallery_asgi.page.assets import page_assets

_WORKS = "() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"
_SHOWN = "() => [...document.querySelectorAll('main .cell img')].filter(image => image.naturalWidth > 0).length >= 2"
_KEPT = "async () => (await caches.keys()).filter(name => !name.includes(' page '))"


def with_worker(page: Page) -> None:
    """The worker is there, and what is asked from now on goes through it."""
    page.evaluate("() => navigator.serviceWorker.ready")
    page.reload()
    assert page.evaluate(_WORKS)


def test_the_manifest_names_icons_of_their_sizes(served_page: ServedPage) -> None:
    with httpx.Client(base_url=served_page.url, headers={"Accept-Language": "ar-EG"}) as client:
        answer = client.get("/manifest.webmanifest")
        manifest = answer.json()
        icons = [client.get(icon["src"]) for icon in manifest["icons"]]
    assert answer.headers["Content-Type"].startswith("application/manifest+json")
    assert (manifest["lang"], manifest["dir"], manifest["scope"]) == ("ar", "rtl", "/")
    assert [icon.headers["Content-Type"] for icon in icons] == ["image/svg+xml", "image/png", "image/png"]
    for icon, answer in zip(manifest["icons"][1:], icons[1:], strict=True):
        # Width and height, in the header of a PNG (W3C, PNG, section 11.2.1).
        sides = [int.from_bytes(answer.content[at : at + 4], "big") for at in (16, 20)]
        assert icon["sizes"] == "x".join(map(str, sides))
        assert "maskable" in icon["purpose"]


def test_the_worker_is_another_one_in_each_release_and_keeps_every_file(served_page: ServedPage) -> None:
    answer = httpx.get(f"{served_page.url}/sw.js")
    assets = page_assets()
    files_of_it = json.loads(answer.text.partition(f'serve("{assets.digest}", ')[2].partition(");")[0])
    assert answer.headers["Cache-Control"] == "no-cache"
    assert set(files_of_it) == set(assets.by_name)
    assert files("imagegallery_asgi.page").joinpath("app", "offline", "worker.js").is_file()


def test_without_a_network_the_page_opens_with_what_was_seen_and_says_so(
    open_page: OpenPage, served_page: ServedPage, user: str
) -> None:
    served_page.upload(user, 2)
    page = open_page("/", user=user, service_workers="allow")
    with_worker(page)
    page.wait_for_function(_SHOWN)
    page.wait_for_function("async () => (await (await caches.open(`${location.origin}/ pictures`)).keys()).length >= 2")
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("ig-offline")).to_contain_text("You are offline")
    page.wait_for_function(_SHOWN)
    page.goto("/galleries")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("ig-offline")).to_be_empty()


def test_nothing_of_a_user_stays_after_the_sign_out_and_nothing_of_a_visitor(open_page: OpenPage, user: str) -> None:
    page = open_page("/", user=user, service_workers="allow")
    with_worker(page)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.wait_for_function("async () => (await caches.keys()).some(name => name.endsWith(' answers'))")
    root = page.locator("link[rel=modulepreload]").first.get_attribute("href")
    assert root is not None
    page.evaluate("async path => (await import(path)).signOut()", root.rpartition("/")[0] + "/core/sign-in.js")
    assert page.evaluate(_KEPT) == []
    stranger = open_page("/", service_workers="allow")
    stranger.wait_for_load_state("networkidle")
    assert stranger.evaluate("() => navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0


def test_files_of_another_application_are_uploaded(open_page: OpenPage, user: str) -> None:
    page = open_page("/", user=user, service_workers="allow")
    with_worker(page)
    page.evaluate(
        """() => {
          const form = document.createElement("form");
          Object.assign(form, { method: "post", enctype: "multipart/form-data", action: "received-files" });
          const input = document.createElement("input");
          Object.assign(input, { type: "file", name: "files", multiple: true });
          const transfer = new DataTransfer();
          transfer.items.add(new File(["no picture"], "größe.jpg", { type: "image/jpeg" }));
          input.files = transfer.files;
          form.append(input);
          document.body.append(form);
          form.submit();
        }"""
    )
    expect(page.get_by_text("größe.jpg").first).to_be_visible()
    assert page.url.endswith("/")
    assert page.evaluate("async () => (await caches.keys()).some(name => name.endsWith(' received'))") is False
