"""The recipes for mounting, run as they stand on their pages: a host serves the gallery to its own users."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
import pytest
from attrs import frozen
from tests.support.servers.service import RunningService, running_service
from tests.support.studio import picture
from tests.support.waiting import until

from code_blocks import shown
from imagegallery.dev_stack.ports import free_port

ROOT, NAME = Path(__file__).parents[2], Path(__file__).name
MOUNT = "/gallery"
API = f"{MOUNT}/api/v1"
JPEG = {"Content-Type": "image/jpeg"}
STOP_DEADLINE_SECONDS = 60

SignIn = Callable[[httpx.Client, str], None]


def with_token(client: httpx.Client, user: str) -> None:
    client.headers["Authorization"] = f"Bearer token-of-{user}"


def with_session(client: httpx.Client, user: str) -> None:
    client.post(f"/sign-in/{user}").raise_for_status()


def with_django_session(client: httpx.Client, user: str) -> None:
    client.post("/sign-in/", data={"user": user}).raise_for_status()


def one_file(code: str, folder: Path) -> str:
    (folder / "app.py").write_text(code)
    return "app:app"


DJANGO_SETTINGS = """
SECRET_KEY = "a secret for the tests of the documentation"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "mysite.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
DJANGO_URLS = """
from django.contrib.auth import authenticate, login
from django.http import HttpResponse
from django.urls import path

def home(request):
    return HttpResponse("the host")

def sign_in(request):
    login(request, authenticate(request, username=request.POST["user"], password="secret"))
    return HttpResponse("welcome")

urlpatterns = [path("", home), path("sign-in/", sign_in)]
"""
DJANGO_START = """
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
for name in ("ada", "bob"):
    User.objects.create_user(name, password="secret")
"""


def django_project(code: str, folder: Path) -> str:
    site = folder / "mysite"
    site.mkdir()
    for name, text in (("__init__", ""), ("settings", DJANGO_SETTINGS), ("urls", DJANGO_URLS), ("asgi", code)):
        (site / f"{name}.py").write_text(text)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mysite.settings"}
    subprocess.run([sys.executable, "-c", DJANGO_START], cwd=folder, env=environment, check=True)
    return "mysite.asgi:application"


FASTAPI_SITE = """
@app.get("/")
def home():
    return "the host"

@app.post("/sign-in/{name}")
def sign_in(request: Request, name: str):
    request.session["user"] = name
"""
LITESTAR_SITE = """
@get("/")
async def home() -> str:
    return "the host"

@post("/sign-in/{name:str}")
async def sign_in(request: Request, name: str) -> None:
    request.set_session({"user": name})

app.register(home)
app.register(sign_in)
"""


@frozen
class Recipe:
    """A page, how its code becomes an application that a server can name, and how its users sign in; ``site`` is what
    of the host the page leaves out."""

    name: str
    sign_in: SignIn = with_token
    install: Callable[[str, Path], str] = one_file
    kind: str = "mount"
    site: str = ""

    @property
    def page(self) -> Path:
        return ROOT / "docs" / "how-to" / f"{self.kind}-{self.name}.md"

    @property
    def code(self) -> str:
        return shown(self.page, "python") + self.site


RECIPES = (
    Recipe("starlette"),
    Recipe("fastapi", with_session, kind="hosts", site=FASTAPI_SITE),
    Recipe("litestar", with_session, kind="hosts", site=LITESTAR_SITE),
    Recipe("quart", with_session),
    Recipe("django", with_django_session, django_project),
)


@contextmanager
def served(application: str, folder: Path, ready: str) -> Iterator[str]:
    """`granian` as a user would start it, in ``folder``, until the block ends. Answers its URL."""
    port = free_port()
    log = folder / "server.log"
    with log.open("wb") as output:
        command = ["-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), application]
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=environment, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or _answers(f"{url}{ready}"))
        if process.poll() is not None:
            raise RuntimeError(f"the host did not start:\n{log.read_text()}")
        yield url
    finally:
        process.terminate()
        process.wait(STOP_DEADLINE_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that leaves the work to the hosts: what they upload is complete only if their recipes do it."""
    with running_service(tmp_path_factory.mktemp("service") / "data", "--no-worker") as service:
        yield service


@pytest.fixture
def folder(service: RunningService, tmp_path: Path) -> Path:
    """The host's folder; its data is that of a service which runs already."""
    (tmp_path / "imagegallery-data").symlink_to(service.data_dir)
    return tmp_path


@pytest.fixture(params=RECIPES, ids=lambda recipe: recipe.name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    found: Recipe = request.param
    return found


@frozen
class Host:
    """A running host, and clients of it: two users and a visitor."""

    url: str
    ada: httpx.Client
    bob: httpx.Client
    visitor: httpx.Client


@pytest.fixture
def host(recipe: Recipe, folder: Path, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("DATABASE", database_dsn.removesuffix("&sslmode=disable"))  # SQLAlchemy would hand that on
    monkeypatch.setenv("SECRET", "a secret of 32 bytes, for tests.")
    application = recipe.install(recipe.code, folder)
    with (
        served(application, folder, f"{MOUNT}/readyz") as url,
        httpx.Client(base_url=url, timeout=60) as ada,
        httpx.Client(base_url=url, timeout=60) as bob,
        httpx.Client(base_url=url, timeout=60) as visitor,
    ):
        recipe.sign_in(ada, "ada")
        recipe.sign_in(bob, "bob")
        yield Host(url, ada, bob, visitor)


def upload(client: httpx.Client, gallery: str, api: str = API) -> str:
    """The path of a new image, once its variants are there."""
    added = client.post(f"{api}/galleries/{gallery}/uploads?filename=tram.jpg", content=picture(320, 240), headers=JPEG)
    assert added.status_code == 202, added.text
    path: str = added.headers["Location"]
    until(lambda: client.get(path).json()["data"]["processing_status"] == "complete")
    return path


def test_a_host_serves_the_gallery_to_its_users(host: Host) -> None:
    assert "the host" in host.visitor.get("/").text
    assert host.visitor.post(f"{API}/galleries", json={"name": "Lisbon"}).status_code == 401
    gallery = host.ada.post(f"{API}/galleries", json={"name": "Lisbon"}).json()["data"]["id"]

    path = upload(host.ada, gallery)
    assert path.startswith(f"{API}/images/")
    (listed,) = host.ada.get(f"{API}/galleries/{gallery}/images").json()["data"]
    assert listed["src"].startswith(f"{API}/")
    variant = host.ada.get(listed["src"])
    assert (variant.status_code, variant.headers["Content-Type"]) == (200, "image/webp")

    for stranger in (host.bob, host.visitor):
        assert stranger.get(f"{API}/galleries/{gallery}").status_code == 404
        assert stranger.get(path).status_code == 404
        assert stranger.get(f"{path}/view").status_code == 404

    _addresses_follow_the_mount(host, path)
    _a_session_can_be_followed(host)


def _addresses_follow_the_mount(host: Host, image: str) -> None:
    viewed = host.ada.get(f"{image}/view")
    assert (viewed.status_code, viewed.headers["Location"].startswith(f"{API}/")) == (302, True)
    assert host.ada.get(viewed.headers["Location"]).status_code == 200
    assert host.ada.get(f"{API}/nothing").json()["code"] == "route_not_found"
    claimed = {"X-Forwarded-Prefix": "/elsewhere", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    for headers in ({}, claimed):
        described = host.visitor.get(f"{MOUNT}/openapi.json", headers=headers).json()
        assert described["servers"] == [{"url": API}]


def _a_session_can_be_followed(host: Host) -> None:
    photo = picture(320, 240)
    declared = {"filename": "tram.jpg", "content_type": "image/jpeg", "size": len(photo)}
    begun = host.ada.post(f"{API}/uploads", json=declared)
    session = begun.json()["data"]
    assert host.visitor.put(session["url"], content=photo, headers=session["headers"]).status_code == 204
    assert host.bob.post(f"{begun.headers['Location']}/complete").status_code == 404
    assert host.ada.post(f"{begun.headers['Location']}/complete").status_code == 202


def test_every_recipe_is_run() -> None:
    pages = [
        page
        for page in (ROOT / "docs" / "how-to").glob("mount-*.md")
        if f"run by tests/documentation/{NAME}" in page.read_text()
    ]
    assert {page.name for page in pages} == {recipe.page.name for recipe in RECIPES if recipe.kind == "mount"}


FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "photos.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/photos",
}


def test_a_trusted_proxy_is_believed(folder: Path) -> None:
    application = one_file(shown(ROOT / "docs" / "how-to" / "proxy.md", "python"), folder)
    token = jwt.encode({"sub": "ada", "exp": 4_000_000_000}, "a secret of at least 32 bytes, yours")
    with (
        served(application, folder, "/readyz") as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as direct,
    ):
        assert direct.get("/openapi.json").json()["servers"] == [{"url": "/api/v1"}]
        assert direct.get("/openapi.json", headers=FORWARDED).json()["servers"] == [{"url": "/photos/api/v1"}]
        made = direct.post("/api/v1/galleries", json={"name": "Lisbon", "visibility": "public"}, headers=FORWARDED)
        gallery = made.json()["data"]["id"]
        upload(direct, gallery, "/api/v1")
        # The same page, whichever way it is asked for first.
        for headers, root in (({}, "/api/v1"), (FORWARDED, "/photos/api/v1"), ({}, "/api/v1")):
            (image,) = direct.get(f"/api/v1/galleries/{gallery}/images", headers=headers).json()["data"]
            assert image["src"].startswith(f"{root}/files/")
        viewed = direct.get(f"/api/v1/images/{image['id']}/view", headers=FORWARDED)
        assert viewed.headers["Location"].startswith("/photos/api/v1/files/")
