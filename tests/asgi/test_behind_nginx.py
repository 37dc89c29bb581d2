"""nginx sends the files, as the page on proxies has it, and decides nothing: who may have them is asked first."""

import getpass
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.hotlinks import ALLOWED, OWN, RULE, TABLE
from tests.support.servers.api import ApiServer, running_api
from tests.support.shared_engine import SharedEngine
from tests.support.waiting import until

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.access.edge import RuledGallery, to_nginx
from imagegallery.access.hotlinks import AskingPage
from imagegallery.database.options import DatabaseOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.dev_stack.ports import free_port
from imagegallery.errors import ConfigurationError
from imagegallery_asgi import create_app

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
OBJECTS = "/var/lib/imagegallery/objects"
# No header has these, and no browser writes a usual port.
UNSENT = (
    " https://photos.example/",
    "https://phötos.example/",
    "https://photos.example:443/",
    "https://photos.example:0443/",
)
SECRET = "a secret of at least 16 bytes"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
CONFIGURATION = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    {maps}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""
JPEG = {"Content-Type": "image/jpeg"}
ANA = {"X-User": "ana"}


@contextmanager
def service(database_server: DatabaseServer, folder: Path, **variables: str) -> Iterator[ApiServer]:
    environment = {f"IMAGEGALLERY_{name}": value for name, value in variables.items()} | {
        "IMAGEGALLERY_IMAGING_PROCESSES": "1"
    }
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database_server.clone()) as dsn,
        running_api(Path(__file__).with_name("served.py"), dsn, folder, environment) as running,
    ):
        yield running


@pytest.fixture
def behind(database_server: DatabaseServer, tmp_path: Path) -> Iterator[ApiServer]:
    with service(database_server, tmp_path, DELIVERY_ACCEL_REDIRECT="/kept/") as running:
        yield running


@pytest.fixture
def nginx(behind: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx in front, with the locations of the page."""
    [locations] = lines_of("proxy.md", {"http://127.0.0.1:8000": behind.url, OBJECTS: str(behind.objects)})
    with in_front(tmp_path_factory.mktemp("nginx"), locations) as url:
        yield url


def lines_of(page: str, places: Mapping[str, str]) -> list[str]:
    """The lines for nginx on a page, with the places here instead of those that it names."""
    blocks = re.findall(r"```nginx\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    for written, here in places.items():
        assert any(written in block for block in blocks)
        blocks = [block.replace(written, here) for block in blocks]
    return blocks


@contextmanager
def in_front(folder: Path, locations: str, maps: str = "") -> Iterator[str]:
    """An nginx that answers at the address."""
    if NGINX is None:
        pytest.skip("nginx is not here")
    port = free_port()
    user = "user root;" if getpass.getuser() == "root" else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, user=user, locations=locations, maps=maps))
    process = subprocess.Popen([NGINX, "-c", configuration, "-p", folder], stderr=subprocess.PIPE)
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/readyz"))
        assert process.poll() is None, process.communicate()[1].decode()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


def test_nginx_sends_the_files_that_the_api_lets_it_send(nginx: str, behind: ApiServer, photo: bytes) -> None:
    with httpx.Client(base_url=f"{nginx}/api/v1", headers=ANA) as ana, httpx.Client(base_url=nginx) as visitor:
        gallery = ana.post("/galleries", json={"name": "Lisbon", "visibility": "public"}).json()["data"]["id"]
        added = ana.post(f"/galleries/{gallery}/uploads?filename=Bogenbrücke.jpg", content=photo, headers=JPEG)
        image = added.json()["data"]["id"]
        until(lambda: ana.get(f"/images/{image}").json()["data"]["processing_status"] == "complete")
        url = visitor.get(f"/api/v1/galleries/{gallery}/images").json()["data"][0]["src"]
        key = url.removeprefix("/api/v1/files/")

        # The API sends a header alone, nginx the file.
        told = httpx.get(f"{behind.url}{url}")
        assert (told.headers["X-Accel-Redirect"], told.content) == (f"/kept/{key}", b"")
        sent = visitor.get(url)
        assert (sent.status_code, sent.content) == (200, (behind.objects / key).read_bytes())
        assert "X-Accel-Redirect" not in sent.headers
        assert sent.headers["Content-Type"] == "image/webp"
        assert sent.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        for name in ("X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy"):
            assert sent.headers[name] == told.headers[name]
        part = visitor.get(url, headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, sent.content[2:6])
        assert visitor.get(url, headers={"If-None-Match": sent.headers["ETag"]}).status_code == 304
        head = visitor.head(url)
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(sent.content)))

        original = ana.get(f"/images/{image}/download", follow_redirects=True)
        assert original.content == photo
        assert "Bogenbr%C3%BCcke.jpg" in original.headers["Content-Disposition"]
        assert original.headers["Cache-Control"].startswith("private, max-age=")

        # Nobody gets around the API, and what it closes is closed.
        assert visitor.get(f"/kept/{key}").status_code == 404
        ana.patch(f"/galleries/{gallery}", json={"visibility": "private"})
        assert visitor.get(url).status_code == 404
        signed = ana.get(f"/images/{image}").json()["data"]["src"]
        assert visitor.get(signed).content == sent.content
        assert visitor.get(f"{signed}x").status_code == 403


@pytest.fixture
def ruled(database_server: DatabaseServer, tmp_path: Path) -> Iterator[ApiServer]:
    """With a cache in front that knows the rules of galleries."""
    with service(database_server, tmp_path, DELIVERY_EDGE_SECRET=SECRET) as running:
        yield running


def headers_of(page: AskingPage) -> dict[str, str]:
    told = {
        "Origin": page.origin,
        "Referer": page.referer and page.referer[:4000],
        "Sec-Fetch-Site": page.fetch_site,
        "Sec-Fetch-Dest": page.fetch_dest,
    }
    return {name: value for name, value in told.items() if value is not None}


def test_nginx_refuses_as_the_service_does_before_it_looks_into_its_cache(
    ruled: ApiServer, photo: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("nginx")
    with httpx.Client(base_url=f"{ruled.url}/api/v1", headers=ANA) as ana:
        rule = sorted(RULE.origins or ())
        made = {"name": "Lisbon", "visibility": "public", "allowed_origins": rule}
        gallery = ana.post("/galleries", json=made).json()["data"]["id"]
        added = ana.post(f"/galleries/{gallery}/uploads?filename=tram.jpg", content=photo, headers=JPEG)
        image = added.json()["data"]["id"]
        until(lambda: ana.get(f"/images/{image}").json()["data"]["processing_status"] == "complete")
        address = ana.get(f"/galleries/{gallery}/images?urls=gallery").json()["data"][0]["src"]

        (folder / "hotlinks.conf").write_text(to_nginx([RuledGallery(UUID(gallery), tuple(rule))], OWN))
        maps, locations = lines_of(
            "hotlinks.md",
            {
                "http://127.0.0.1:8000": ruled.url,
                "include hotlinks.conf": f"include {folder}/hotlinks.conf",
                "/var/cache/nginx/galleries": f"{folder}/galleries",
            },
        )
        locations += f"location /readyz {{ proxy_pass {ruled.url}; }}"
        with in_front(folder, locations, maps) as nginx, httpx.Client(base_url=nginx) as visitor:
            # Kept from the first on, for whoever may have it.
            first = visitor.get(address, headers={"Referer": ALLOWED})
            assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            ana.delete(f"/galleries/{gallery}")
            assert httpx.get(f"{ruled.url}{address}").status_code == 404
            for page, is_let, _ in TABLE:
                if page.referer in UNSENT:
                    continue
                answer = visitor.get(address, headers=headers_of(page))
                assert answer.status_code == (200 if is_let else 403), page
                if is_let:
                    assert answer.content == first.content
                else:
                    assert answer.headers["Cache-Control"] == "no-store"


async def test_another_proxy_is_told_the_file(
    tmp_path: Path, photo: bytes, database_dsn: str, imaging_engine: SharedEngine
) -> None:
    settings = Settings(
        data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn), delivery=DeliveryOptions(x_sendfile=True)
    )
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery:
        image = await gallery.uploads.add(Principal.user("ana"), photo, filename="tram.jpg")
        url = await gallery.images.download_url(Principal.user("ana"), image.id)
        transport = httpx.ASGITransport(create_app(gallery), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
            told = await client.get(url)
            assert (await client.get(url.replace(".jpg", ".png"))).status_code == 403
    assert told.content == b""
    assert Path(told.headers["X-Sendfile"]).read_bytes() == photo
    assert told.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("location", ["kept/", "/kept", ""])
def test_a_location_is_a_whole_path(location: str) -> None:
    with pytest.raises(ConfigurationError, match="begins and ends with /"):
        DeliveryOptions(accel_redirect=location)


def test_there_is_one_proxy() -> None:
    with pytest.raises(ConfigurationError, match="exclude each other"):
        DeliveryOptions(accel_redirect="/kept/", x_sendfile=True)
