"""The pages about hosts: each is an application that works, and takes as many lines as the table says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.servers.service import RunningService
from tests.support.studio import picture

from code_blocks import blocks_of

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
OVERVIEW = (HOW_TO / "hosts.md").read_text()
PAGES = sorted(HOW_TO.glob("hosts-*.md"))
TASKS = ("Attach a picture to a row", "Show it in a template", "Upload from the browser")
ABOUT_IT = re.compile(r"picture|photo|pics|gallery|image|upload|file|enctype", re.IGNORECASE)


def sections(page: Path) -> dict[str, str]:
    found = re.split(r"^## (.+)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def lines_about_it(section: str) -> int:
    """Of its code, without imports and comments, and without the names of routes and of functions."""
    code = [line.strip() for block in blocks_of(section) for line in block.code.splitlines()]
    passed = ("import ", "from ", "#", "@", "def ", "async def ", "class ")
    return sum(not line.startswith(passed) and ABOUT_IT.search(line) is not None for line in code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_takes_as_many_lines_as_the_table_says(page: Path) -> None:
    (row,) = re.findall(rf"^\| \[[^\]]+\]\({page.name}\) \| (\d+) \| (\d+) \| (\d+) \|", OVERVIEW, re.MULTILINE)
    own = sections(page)
    assert [*map(int, row)] == [lines_about_it(own[task]) for task in TASKS]


def test_it_takes_at_most_two_lines_more_than_elsewhere() -> None:
    rows = re.findall(r"^\| \[[^\]]+\]\((\S+)\).*? \| (\d+) \| (\d+) \| (\d+) \|", OVERVIEW, re.MULTILINE)
    counts = {address: [*map(int, counted)] for address, *counted in rows}
    elsewhere = [counted for address, counted in counts.items() if address.startswith("https:")]
    assert len(elsewhere) == 3
    for page in PAGES:
        for task, counted in enumerate(counts[page.name]):
            assert counted <= min(each[task] for each in elsewhere) + 2


@pytest.fixture
def folder(service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a photograph, and the data of the service, which makes the variants, in the environment."""
    (tmp_path / "tram.jpg").write_bytes(picture(320, 240))
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(service.data_dir))
    return tmp_path


def run(program: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, check=False, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def code_of(page: str, language: str) -> list[str]:
    return [block.code for block in blocks_of((HOW_TO / page).read_text()) if block.language == language]


DJANGO_SETTINGS = """
from pathlib import Path
BASE_DIR = Path(".").resolve()
SECRET_KEY, ALLOWED_HOSTS, ROOT_URLCONF = "only for tests", ["*"], "mysite.urls"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "DIRS": ["templates"]}]
"""
DJANGO_URLS = """
from django.shortcuts import render
from django.urls import include, path
from shop.models import Item
from shop.views import AddItem

def show(request, pk):
    return render(request, "shop/item.html", {"item": Item.objects.get(pk=pk)})

urlpatterns = [path("add", AddItem.as_view()), path("items/<int:pk>", show)]
"""
DJANGO_CLIENT = """
import os, re
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
import django; django.setup()
from django.core.management import call_command
call_command("check", fail_level="WARNING")
call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", verbosity=0)
from pathlib import Path
from django.test import Client
from imagegallery import Principal
from imagegallery.hosts.django import gallery
from shop.models import Item

item = Item(name="By hand")
{ATTACH}
visitor = Client()
with open("tram.jpg", "rb") as photo:
    assert visitor.post("/add", {"name": "<Tram>", "photo": photo}).status_code == 302
assert "multipart/form-data" in visitor.get("/add").text
for item in Item.objects.all():
    gallery.images.wait_until_ready(Principal.user("site"), item.photo.id)
    page = visitor.get(f"/items/{item.pk}").text
    file = visitor.get(re.search(r' src="([^"]+)"', page)[1])
    print(re.search(r'alt="[^"]*"', page)[0], file.status_code, file["Content-Type"])
"""


def test_django(folder: Path) -> None:
    settings, urls, models, attach, view = code_of("hosts-django.md", "python")
    show, form = code_of("hosts-django.md", "html")
    files = {
        "mysite/__init__.py": "",
        "mysite/settings.py": DJANGO_SETTINGS + settings,
        "mysite/urls.py": DJANGO_URLS + urls,
        "shop/__init__.py": "",
        "shop/models.py": models,
        "shop/views.py": f"from shop.models import Item\n{view}",
        "templates/shop/item.html": show,
        "templates/shop/item_form.html": form,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    *_, by_hand, sent = run(DJANGO_CLIENT.replace("{ATTACH}", attach), folder)
    assert by_hand == 'alt="By hand" 200 image/webp'
    assert sent == 'alt="&lt;Tram&gt;" 200 image/webp'


FLASK_CLIENT = """
import re
Base.metadata.create_all(sessions.kw["bind"])
visitor = app.test_client()
with open("tram.jpg", "rb") as photo:
    added = visitor.post("/items", data={"name": "<Tram>", "photo": (photo, "tram.jpg")})
assert added.status_code == 302, added.text
with sessions() as session:
    photo_id = session.get_one(Item, 1).photo
gallery.images.wait_until_ready(shop, photo_id)
page = visitor.get(added.location).text
src = re.search(r' src="([^"]+)"', page)[1]
file = visitor.get(src)
print(re.search(r'alt="[^"]*"', page)[0], file.status_code, file.content_type, len(file.data) > 1000)
print(visitor.get(src, headers={"If-None-Match": file.headers["ETag"]}).status_code, end=" ")
print(visitor.head(src).content_length == len(file.data), visitor.post(src).status_code, end=" ")
print(visitor.get(src + "x").status_code, visitor.get("/pictures/files/x").status_code, end=" ")
print(visitor.get("/pictures/elsewhere").status_code)
with sessions.begin() as session:
    session.delete(session.get_one(Item, 1))
print([image.id == photo_id for image in gallery.images.trash.list(shop).items])
"""


def test_flask(folder: Path) -> None:
    (folder / "templates").mkdir()
    show, _ = code_of("hosts-flask.md", "html")
    (folder / "templates" / "item.html").write_text(show)
    shown, answers, trash = run("\n".join([*code_of("hosts-flask.md", "python"), FLASK_CLIENT]), folder)
    assert shown == 'alt="&lt;Tram&gt;" 200 image/webp True'
    assert answers == "304 True 405 403 404 404"
    assert trash.startswith("[True")


ASYNC_CLIENT = """
import asyncio, re
import httpx

form = {"name": "<Tram>"}
photo = ("tram.jpg", open("tram.jpg", "rb").read(), "image/jpeg")

def visitor() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")

async def visit() -> None:
    async with running(), visitor() as ada, visitor() as bob:
        await make_tables()
        refused = await ada.post("/items", data=form, files={"photo": photo}), await ada.get("/gallery/api/v1/me")
        print(*[each.status_code for each in refused], end=" ")
        await ada.post("/sign-in/ada")
        await bob.post("/sign-in/bob")
        added = await ada.post("/items", data=form, files={"photo": photo})
        assert added.status_code == 303, added.text
        (image,) = (await ada.get("/gallery/api/v1/images")).json()["data"]
        await pics.gallery.images.wait_until_ready(Principal.user("ada"), image["id"])
        page = (await ada.get(added.headers["Location"])).text
        file = await ada.get(re.search(r' src="([^"]+)"', page)[1])
        print(re.search(r'alt="[^"]*"', page)[0], file.status_code, file.headers["Content-Type"])
        sent = (await ada.post("/gallery/api/v1/images", files={"file": photo})).json()["data"]["id"]
        for who, image_id in ((bob, sent), (ada, sent), (ada, sent), (ada, image["id"])):
            claimed = await who.post("/items/claimed", data={**form, "photo": image_id})
            print(claimed.status_code, end=" ")

asyncio.run(visit())
"""
FASTAPI_CLIENT = """
@app.post("/sign-in/{name}")
def sign_in(request: Request, name: str) -> None:
    request.session["user"] = name

async def make_tables() -> None:
    async with sessions.kw["bind"].begin() as connection:
        await connection.run_sync(Base.metadata.create_all)

def running():
    return app.router.lifespan_context(app)
"""
LITESTAR_CLIENT = """
@post("/sign-in/{name:str}")
async def sign_in(request: Request, name: str) -> None:
    request.set_session({"user": name})

async def make_tables() -> None:
    await app.state.rows.execute(TABLES)

app.register(sign_in)
running = app.lifespan
"""


@pytest.mark.parametrize(("page", "client"), [("fastapi", FASTAPI_CLIENT), ("litestar", LITESTAR_CLIENT)])
def test_an_asynchronous_host(
    page: str, client: str, folder: Path, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGEGALLERY_DATA_DIR")
    monkeypatch.setenv("DATABASE", database_dsn.removesuffix("&sslmode=disable"))  # SQLAlchemy would hand that on
    monkeypatch.setenv("SECRET", "a secret of 32 bytes, for tests.")
    name = f"hosts-{page}.md"
    (folder / "templates").mkdir()
    (folder / "templates" / "item.html").write_text(code_of(name, "html")[0])
    tables = f"TABLES = {' '.join(code_of(name, 'sql'))!r}"
    shown, claimed = run("\n".join([*code_of(name, "python"), tables, client, ASYNC_CLIENT]), folder)
    assert shown == '401 401 alt="&lt;Tram&gt;" 200 image/webp'
    assert claimed.split() == ["404", "303", "409", "409"]
