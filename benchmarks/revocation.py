"""How soon a share ends, while its cached pages are read as fast as they come, from two processes.

::

    python -m benchmarks.revocation [--connections 16] [--rounds 10]

Two servers (granian, one process and the settings of `imagegallery serve` each) serve one database. A gallery is shared
with a user, whose pages both keep, and all connections ask both for the page of its images without a pause. In each
round a third process ends it: the share is revoked, it expires, the gallery is taken out of it, or the image out of the
gallery. What counts is the start of the last request that was still shown the image, after the call that ended it had
returned: its lag. Stated is that there is none after `BOUND`; on a machine with processors to spare it is much less.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import anyio
from attrs import define, field, frozen
from benchmarks.cached_page import answers, ask_for_status
from starlette.applications import Starlette
from tests.support import shares
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.shares import share

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.backends import open_database, running_database
from imagegallery.clock import utc_now
from imagegallery.dev_stack.ports import free_port
from imagegallery_asgi import create_app
from imagegallery_asgi.server import serve

ANA, BEN = Principal.user("ana"), Principal.user("ben")
BOUND = timedelta(seconds=1)
SETTLES = 0.3  # seconds of reading before and after
EXPIRES_IN = timedelta(seconds=1)


def api() -> Starlette:
    """The API as `imagegallery serve` runs it, for the user with whom the gallery is shared."""
    return create_app(ImageGallery.open(Settings.from_env()), authenticate=lambda _request: BEN)


@frozen
class Album:
    """What is shared: a gallery with one image, and by what."""

    library: Library
    gallery_id: UUID
    image_id: UUID
    share_id: UUID


async def revoke(album: Album) -> None:
    await shares.change(album.library.database, album.share_id, revoked_at=utc_now())


async def expire(album: Album) -> None:
    """Return at the moment that was said before."""
    ends = utc_now() + EXPIRES_IN
    await shares.change(album.library.database, album.share_id, expires_at=ends)
    while (left := (ends - utc_now()).total_seconds()) > 0:
        await anyio.sleep(left)


async def unshare(album: Album) -> None:
    await shares.unshare(album.library.database, album.share_id, album.gallery_id)


async def take_out(album: Album) -> None:
    await album.library.galleries.remove_image(ANA, album.gallery_id, album.image_id)


ENDS: dict[str, Callable[[Album], Awaitable[None]]] = {
    "revoked": revoke,
    "expired": expire,
    "gallery taken out of the share": unshare,
    "image taken out of the gallery": take_out,
}


@define
class Viewers:
    """Ask a server for the page without a pause, and remember when each request began that was shown the image."""

    port: int
    shown: bytes
    path: str
    began: list[float] = field(factory=list)
    answered: int = 0

    async def look(self) -> None:
        request = f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
            while True:
                started = time.perf_counter()
                status, body = await ask_for_status(stream, request)
                self.answered += 1
                if status == 200 and self.shown in body:
                    self.began.append(started)


@frozen
class Ended:
    """How long after its end the last request began that each server still answered, and how many did."""

    lags: tuple[float, ...]
    late: int
    answered: int
    seconds: float


async def end_one(library: Library, ports: Sequence[int], end: Callable[[Album], Awaitable[None]], each: int) -> Ended:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    image = await library.add_image(make_image(), gallery.id)
    share_id = await share(library.database, galleries=[gallery.id], to=["ben"])
    album = Album(library, gallery.id, image.id, share_id)
    path = f"/api/v1/galleries/{gallery.id}/images"
    viewers = [Viewers(port, str(image.id).encode(), path) for port in ports]
    async with anyio.create_task_group() as tasks:
        began = time.perf_counter()
        for server in viewers:
            for _ in range(each):
                tasks.start_soon(server.look)
        while not all(server.began for server in viewers):
            await anyio.sleep(0.01)
        await anyio.sleep(SETTLES)
        await end(album)
        ended = time.perf_counter()
        await anyio.sleep(BOUND.total_seconds() + SETTLES)
        tasks.cancel_scope.cancel()
    late = [[moment - ended for moment in server.began if moment > ended] for server in viewers]
    return Ended(
        tuple(max(moments, default=0.0) for moments in late),
        sum(map(len, late)),
        sum(server.answered for server in viewers),
        time.perf_counter() - began,
    )


@asynccontextmanager
async def two_servers(environment: dict[str, str]) -> AsyncIterator[list[int]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(_serving(environment)) for _ in range(2)]


@asynccontextmanager
async def _serving(environment: dict[str, str]) -> AsyncIterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.revocation", "--port", str(port)]
    async with await anyio.open_process(
        command, env={**os.environ, **environment}, cwd=Path(__file__).parents[1], stdout=None, stderr=None
    ) as process:
        try:
            with anyio.fail_after(60):
                while not await answers(port):
                    await anyio.sleep(0.05)
            yield port
        finally:
            process.terminate()


async def measure(rounds: int, connections: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as directory:
        async with running_database(Settings.embedded(directory)) as ready:
            assert ready.database.dsn is not None
            async with ImageGallery.open(ready):
                pass
            environment = {"IMAGEGALLERY_DATA_DIR": directory, "IMAGEGALLERY_DATABASE_DSN": ready.database.dsn}
            async with two_servers(environment) as ports, open_database(ready) as database:
                library = Library.on(database, Path(directory, "objects"), ManualClock(utc_now()))
                found: dict[str, object] = {}
                for name, end in ENDS.items():
                    ends = [await end_one(library, ports, end, connections // 2) for _ in range(rounds)]
                    found[name] = told(ends)
                return found


def told(ends: Sequence[Ended]) -> dict[str, object]:
    lags = [lag for each in ends for lag in each.lags]
    return {
        "requests_per_second": round(sum(each.answered for each in ends) / sum(each.seconds for each in ends)),
        "shown_after_the_end": sum(each.late for each in ends),
        "median_lag_ms": round(statistics.median(lags) * 1000, 2),
        "longest_lag_ms": round(max(lags) * 1000, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.port:
        serve("benchmarks.revocation:api", port=options.port)
        return
    result = anyio.run(measure, options.rounds, options.connections)
    print(json.dumps(result, indent=2))
    longest = max(float(str(each["longest_lag_ms"])) for each in result.values() if isinstance(each, dict))
    sys.exit(0 if longest <= BOUND.total_seconds() * 1000 else 1)


if __name__ == "__main__":
    main()
