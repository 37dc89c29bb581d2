"""What the README promises, on every combination of engines, and by settings alone.

The default run takes four of the eight, in which every two engines meet; the session for what is slow takes the others.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from urllib.parse import urljoin
from uuid import UUID

import anyio
import httpx
import pytest
from tests.support.photographs import photograph
from tests.support.servers.object_store import SharedObjectStore
from tests.support.servers.redis import RedisServer
from tests.support.servers.service import RunningService, running_service
from tests.support.servers.sqs import ClockedSqsServer
from tests.support.waiting import until

from imagegallery.client import GalleryClient
from imagegallery.dev_stack.object_store import AWS

README = (Path(__file__).parents[1] / "README.md").read_text()
PAIRS = {
    ("files", "postgresql", "memory"),
    ("files", "sqs", "redis"),
    ("s3", "postgresql", "redis"),
    ("s3", "sqs", "memory"),
}
STORES, QUEUES, CACHES = ("files", "s3"), ("postgresql", "sqs"), ("memory", "redis")

ENGINES = [
    pytest.param(chosen, marks=[] if chosen in PAIRS else pytest.mark.slow)
    for chosen in product(STORES, QUEUES, CACHES)
]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the README's session is curl's")


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smaller than a camera's, and larger than ``medium``, so that it gets every variant of the default presets."""
    path = tmp_path_factory.mktemp("photo") / "tram.jpg"
    path.write_bytes(photograph(1000, 750))
    return path


@pytest.fixture(scope="module")
def sqs_server() -> Iterator[ClockedSqsServer]:
    with ClockedSqsServer.running() as server:
        yield server


@pytest.fixture(params=ENGINES, ids="-".join)
def engines(
    request: pytest.FixtureRequest,
    database_dsn: str,
    object_store_server: SharedObjectStore,
    sqs_server: ClockedSqsServer,
    redis_server: RedisServer,
) -> dict[str, str]:
    """The settings of one combination, as environment variables."""
    store, queue, cache = request.param
    settings = {"DATABASE_DSN": database_dsn}
    if "s3" in store or "sqs" in queue:
        settings |= {"AWS_ACCESS_KEY_ID": str(AWS.access_key_id), "AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key)}
    if store == "s3":
        place = object_store_server.options()
        settings |= {
            "STORAGE_S3_BUCKET": str(place.bucket),
            "STORAGE_S3_PREFIX": place.prefix,
            "STORAGE_S3_ENDPOINT_URL": str(place.endpoint_url),
            "STORAGE_S3_PATH_STYLE": "true",
            "SECRET_KEY": "shared by all processes of the test",
        }
    if queue == "sqs":
        names = sqs_server.options()
        settings |= {"QUEUE_SQS_QUEUE_URL": str(names.queue_url), "QUEUE_SQS_ENDPOINT_URL": str(names.endpoint_url)}
    if cache == "redis":
        settings |= {"REDIS_URL": redis_server.url}
    environment = {f"IMAGEGALLERY_{name}": value for name, value in settings.items()}
    if queue == "sqs":
        run("-m", "imagegallery.cli", "queue", "setup", environment=environment)
    return environment


def run(*arguments: str, environment: Mapping[str, str], directory: Path | None = None) -> str:
    """What a Python process prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        cwd=directory,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def test_a_photo_goes_in_and_its_variants_come_out(engines: dict[str, str], photo: Path, tmp_path: Path) -> None:
    with (
        running_service(tmp_path / "data", environment=engines) as service,
        httpx.Client(base_url=f"{service.url}/api/v1", follow_redirects=True) as http,
    ):
        gallery_id = the_curl_session(service, photo)
        a_direct_upload(http, photo, gallery_id)
        for image in all_variants(http, gallery_id):
            is_readable(http, image)


def test_the_library_does_the_same(engines: dict[str, str], photo: Path, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    shutil.copy(photo, tmp_path / "photo.jpg")
    (tmp_path / "example.py").write_text(example.replace('Settings.embedded("data")', "Settings.from_env()"))
    assert re.search(r"\.webp\S* \d+w", run("example.py", environment=engines, directory=tmp_path))


def the_curl_session(service: RunningService, photo: Path) -> str:
    """Of the README; answers the gallery that it made."""
    (session,) = (block for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL) if "curl" in block)
    environment = {**os.environ, "API": f"{service.url}/api/v1", "PHOTO": str(photo)}
    shown = f"{session}\necho\necho $GALLERY"
    done = subprocess.run(["sh", "-euc", shown], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    uploaded, end = json.JSONDecoder().raw_decode(done.stdout)
    listed, _ = json.JSONDecoder().raw_decode(done.stdout[end:].lstrip())
    assert [image["id"] for image in listed["data"]] == [uploaded["data"]["id"]]
    return done.stdout.split()[-1]


def a_direct_upload(http: httpx.Client, photo: Path, gallery_id: str) -> None:
    """A session whose bytes go where the server says: to the store itself."""

    async def upload() -> UUID:
        async with GalleryClient.open(str(http.base_url)) as client:
            return await client.upload(photo, gallery_id=UUID(gallery_id))

    image_id = anyio.run(upload)
    assert http.get(f"/images/{image_id}").json()["data"]["filename"] == photo.name


def all_variants(http: httpx.Client, gallery_id: str) -> Sequence[Mapping[str, object]]:
    """The gallery's two images, once every variant of each is there: the better formats come last, and at once."""
    listed: list[Mapping[str, list[object]]] = []

    def are_there() -> bool:
        listed[:] = http.get(f"/galleries/{gallery_id}/images").json()["data"]
        return [bool(image["sources"]) for image in listed] == [True, True]

    until(are_there)
    return listed


def is_readable(http: httpx.Client, image: Mapping[str, object]) -> None:
    """Every address of an image answers with a picture."""
    variants = image["variants"]
    assert isinstance(variants, list)
    assert {each["type"] for each in variants} == {"thumbnail", "small", "medium", "large"}
    for address in [
        *(urljoin(str(http.base_url), each["url"]) for each in variants),
        f"/images/{image['id']}/download",
    ]:
        answer = http.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("image/")
