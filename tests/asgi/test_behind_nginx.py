"""nginx sends the files, as the page on proxies has it, and decides nothing: who may have them is asked first."""

import getpass
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.servers.api import ApiServer, running_api
from tests.support.shared_engine import SharedEngine
from tests.support.waiting import until

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.dev_stack.ports import free_port
from imagegallery.errors import ConfigurationError
from imagegallery_asgi import create_app

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "proxy.md"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
CONFIGURATION = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
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


@pytest.fixture
def behind(database_server: DatabaseServer, tmp_path: Path) -> Iterator[ApiServer]:
    environment = {"IMAGEGALLERY_DELIVERY_ACCEL_REDIRECT": "/kept/", "IMAGEGALLERY_IMAGING_PROCESSES": "1"}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database_server.clone()) as dsn,
        running_api(Path(__file__).with_name("served.py"), dsn, tmp_path, environment) as running,
    ):
        yield running


@pytest.fixture
def nginx(behind: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx in front, with the locations of the page."""
    if NGINX is None:
        pytest.skip("nginx is not here")
    [locations] = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for written, here in (("http://127.0.0.1:8000", behind.url), ("/var/lib/imagegallery/objects", behind.objects)):
        assert written in locations
        locations = locations.replace(written, str(here))
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    user = "user root;" if getpass.getuser() == "root" else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, user=user, locations=locations))
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
