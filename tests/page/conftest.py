"""The page in a browser: Debian's Chromium before a running service with a worker."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from attrs import frozen
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from tests.support.database import DatabaseServer
from tests.support.images import jpeg_of_size
from tests.support.served import ServedUploads, served_uploads, token_of
from tests.support.waiting import until

CHROMIUM = shutil.which("chromium")
PATIENCE = 30_000  # milliseconds; what has not come by then does not come
expect.set_options(timeout=PATIENCE)
SIZE = {"width": 1280, "height": 800}
# The browser says that an answer was 401 or 404, which the page shows itself.
_EXPECTED = "Failed to load resource"
_KEEP = "sessionStorage.setItem('imagegallery.token', {token!r})"


@frozen
class ServedPage:
    """A service with the page at its root."""

    served: ServedUploads

    @property
    def url(self) -> str:
        return self.served.service.url

    def client(self, user: str, **claims: object) -> httpx.Client:
        """The API for this user, as any other client has it."""
        headers = {"Authorization": f"Bearer {token_of(user, **claims)}"}
        return httpx.Client(base_url=self.served.api, headers=headers, timeout=60)

    def upload(self, user: str, count: int = 1, gallery_id: str | None = None) -> list[str]:
        """Small photographs of a user's, which all differ; answers their ids when they can be seen."""
        with self.client(user) as client:
            path = "/images" if gallery_id is None else f"/galleries/{gallery_id}/uploads"
            made = [
                client.post(
                    path,
                    params={"filename": f"photo-{number}.jpg"},
                    content=jpeg_of_size(20_000, seed=str(uuid4())),
                    headers={"Content-Type": "image/jpeg"},
                )
                for number in range(count)
            ]
            ids = [str(answer.raise_for_status().json()["data"]["id"]) for answer in made]
            for image_id in ids:
                until(partial(_is_shown, client, image_id))
        return ids


def _is_shown(client: httpx.Client, image_id: str) -> bool:
    return client.get(f"/images/{image_id}").json()["data"]["src"] is not None


@pytest.fixture(scope="session")
def served_page(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    directory = tmp_path_factory.mktemp("page") / "data"
    with served_uploads(
        database_server, directory, has_worker=True, jwt_role_claim="role", administration_guest_uploads="true"
    ) as served:
        yield ServedPage(served)


# For each module: while it is there, no other event loop runs in this process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("the page is tested in Chromium, which is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def user() -> str:
    """A user nobody has seen before: tests share the service, not its contents."""
    return f"user-{uuid4()}"


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, served_page: ServedPage) -> Iterator[OpenPage]:
    """Opens an address of the page in a window of its own: ``open_page("/galleries", user="ana")``.

    Without a user it is a visitor. More options are those of the window (``viewport``, ``locale``, ``color_scheme``,
    ``java_script_enabled``), ``claims`` of the token, and a ``script`` that runs before the page's. An error of the
    page's programs, and whatever its policy forbids, fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_EXPECTED):
            faults.append(message.text)

    def open_at(
        path: str = "/",
        *,
        user: str | None = None,
        claims: Mapping[str, object] | None = None,
        script: str | None = None,
        **options: Any,
    ) -> Page:
        window = {"base_url": served_page.url, "viewport": SIZE, "service_workers": "block", **options}
        context = browser.new_context(**window)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if user is not None:
            context.add_init_script(_KEEP.format(token=token_of(user, **(claims or {}))))
        if script is not None:
            context.add_init_script(script)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []
