"""The page about the architecture says how requests travel: they come by the stations that it names, and go no further
ways than these."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import anyio
import attrs
import httpx
import pytest
from attrs import frozen
from tests.support.photographs import photograph
from tests.support.trace import Trace, traced

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.protocol import JobOutcome
from imagegallery_asgi import create_app

A_LONG_TIME = timedelta(hours=1)
PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md").read_text()


@frozen
class Bounds:
    """What one request may take at the most."""

    files: int
    acquired: int
    transactions: int
    statements: int
    session_reads: int = 0

    def are_kept_by(self, trace: Trace) -> bool:
        taken = Bounds(len(trace.files), trace.acquired, trace.transactions, len(trace.statements), trace.session_reads)
        within = all(a <= b for a, b in zip(attrs.astuple(taken), attrs.astuple(self), strict=True))
        return within or pytest.fail(f"{trace}: more than {self}")


PHOTO = Bounds(files=87, acquired=3, transactions=2, statements=18, session_reads=1)
LISTING = Bounds(files=53, acquired=2, transactions=0, statements=3)
CACHED = Bounds(files=26, acquired=0, transactions=0, statements=0)
DELETE = Bounds(files=42, acquired=1, transactions=1, statements=12)
LIFE = 60
# What the driver asks of a connection that is new, and what is asked now and then.
NOT_OF_AN_UPLOAD = ("typeinfo_tree", "'jit'", "clock_timestamp()", "SELECT 1")
MIDDLE_OF_TUS = Bounds(files=45, acquired=3, transactions=0, statements=5, session_reads=2)


def stations(heading: str) -> list[str]:
    """The files that the page names, in order, under this heading."""
    (paragraph,) = re.findall(rf"^### {heading}$.*?(?=^##)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(r"^\d+\. `([\w/.]+)`", paragraph, re.MULTILINE)


def came_by(trace: Trace, named: Sequence[str], package: str = "nothing") -> bool:
    """Whether the stations were entered in this order, and no other file of the package."""
    entered = [file for file in trace.files if file in named]
    others = [file for file in trace.files if file.startswith(package) and file not in named]
    assert (entered, others) == (list(named), [])
    return True


@pytest.fixture
async def client(database_dsn: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Of a gallery without workers, warm: connections, decoders and caches are there."""
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings) as gallery:
        app = create_app(gallery, authenticate=lambda _: Principal.user("ana"))
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            yield client


async def make(client: httpx.AsyncClient, name: str) -> str:
    answer = await client.post("/galleries", json={"name": name})
    gallery: str = answer.raise_for_status().json()["data"]["id"]
    return gallery


async def add(client: httpx.AsyncClient, album: str, width: int) -> str:
    headers = {"Content-Type": "image/jpeg"}
    answer = await client.post(f"/galleries/{album}/uploads", content=photograph(width, 60), headers=headers)
    image: str = answer.raise_for_status().json()["data"]["id"]
    return image


async def test_they_travel_as_the_page_says(client: httpx.AsyncClient) -> None:
    warm, album = [await make(client, name) for name in ("Porto", "Lisbon")]
    await add(client, warm, 80)
    (await client.get(f"/galleries/{warm}/images")).raise_for_status()

    with traced() as photo:
        image = await add(client, album, 81)
    assert came_by(photo, stations("A photo"), "imagegallery/uploads/")
    assert PHOTO.are_kept_by(photo)

    with traced() as listing:
        (await client.get(f"/galleries/{album}/images")).raise_for_status()
    assert came_by(listing, stations("A listing"), "imagegallery/galleries/")
    assert LISTING.are_kept_by(listing)

    with traced() as cached:
        (await client.get(f"/galleries/{album}/images")).raise_for_status()
    assert CACHED.are_kept_by(cached)

    with traced() as delete:
        (await client.delete(f"/images/{image}")).raise_for_status()
    assert came_by(delete, stations("A delete"), "imagegallery/images/trash/")
    assert DELETE.are_kept_by(delete)


async def test_a_piece_of_a_resumable_upload(client: httpx.AsyncClient) -> None:
    photo, tus = photograph(80, 60), {"Tus-Resumable": "1.0.0"}
    begun = await client.post("/uploads/resumable", headers={**tus, "Upload-Length": str(len(photo))})
    pieces = {**tus, "Content-Type": "application/offset+octet-stream"}
    url = httpx.URL("http://test").join(begun.raise_for_status().headers["Location"])
    for start in (0, 100):
        with traced() as piece:
            headers = {**pieces, "Upload-Offset": str(start)}
            (await client.patch(url, content=photo[start : start + 100], headers=headers)).raise_for_status()
    assert MIDDLE_OF_TUS.are_kept_by(piece)


class Finished:
    """Says when a job of this kind is done."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.event = anyio.Event()

    def job_started(self, kind: str) -> None: ...

    def job_finished(self, kind: str, outcome: JobOutcome, seconds: float) -> None:
        if kind == self.kind:
            self.event.set()
            self.event = anyio.Event()


async def test_the_whole_life_of_an_upload(database_dsn: str, tmp_path: Path) -> None:
    """From its session to its last variant, with a worker that looks up only when it is woken."""
    settings = Settings(
        data_dir=tmp_path / "data",
        database=DatabaseOptions(dsn=database_dsn),
        queue=QueueOptions(poll_interval=A_LONG_TIME, lease=A_LONG_TIME),
        upkeep_interval=A_LONG_TIME,
    )
    me, last = Principal.user("ana"), Finished("image.process_later")
    async with ImageGallery.open(settings) as gallery, anyio.create_task_group() as tasks:
        worker = gallery.server.make_worker(observer=last)
        await tasks.start(worker.run)
        album = await gallery.galleries.create(me, name="Lisbon")
        await _upload(gallery, album.id, last, photograph(340, 255))
        with traced() as life:
            await _upload(gallery, album.id, last, photograph(341, 255))
        worker.stop()
    statements = [each for each in life.statements if not any(part in each for part in NOT_OF_AN_UPLOAD)]
    assert len(statements) <= LIFE, "\n".join(" ".join(each.split())[:80] for each in statements)


async def _upload(gallery: ImageGallery, album: UUID, last: Finished, photo: bytes) -> None:
    done = last.event
    await gallery.uploads.add(Principal.user("ana"), photo, filename="tram.jpg", gallery_id=album)
    with anyio.fail_after(60):
        await done.wait()
