"""What is asked for most against a bare Starlette answer of the same bytes, on the same server, side by side.

::

    python -m benchmarks.cached_page [page|library|file|link] [--images 50] [--connections 64] [--seconds 3]
        [--rounds 5]

A page of a public gallery (the default), the first page of one's own library, the file of a public variant, or a page
of a private gallery below the link of a share, which is asked about in the database each time. Two
servers run at the same time, granian with one process and the settings of `imagegallery serve` each: the API over an
embedded PostgreSQL, and one route that answers a constant, or Starlette's `FileResponse`. In every round each is asked
for as many answers as it gives, in turn; the budget is for the median ratio of the rounds: at least 0.8. The client is
this process: raw sockets and keep-alive, no HTTP library.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
from anyio.abc import ByteStream
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image, with_place

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.backends import open_database, running_database
from imagegallery.dev_stack.ports import free_port
from imagegallery.storage.streams import bytes_chunks
from imagegallery_asgi import create_app
from imagegallery_asgi.server import serve

ANA = Principal.user("ana")
BUDGET = 0.8
BODY = "BENCHMARK_BODY"
FILE_BYTES = 8_000


def api() -> Starlette:
    """The API as `imagegallery serve` runs it, for visitors: authentication is the host's, and costs what it costs."""
    return create_app(ImageGallery.open(Settings.from_env()), authenticate=lambda _request: None)


def owner() -> Starlette:
    """The same for an owner."""
    return create_app(ImageGallery.open(Settings.from_env()), authenticate=lambda _request: ANA)


def bare() -> Starlette:
    """The least that Starlette can do: one route, one constant."""
    body = Path(os.environ[BODY]).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", answer)])


def bare_file() -> Starlette:
    """The least that Starlette can do for a file."""

    async def answer(_request: Request) -> Response:
        return FileResponse(os.environ[BODY], media_type="image/webp")

    return Starlette(routes=[Route("/{path:path}", answer)])


SERVERS = {"page": ("api", "bare"), "library": ("owner", "bare"), "file": ("api", "bare_file"), "link": ("api", "bare")}


@attrs.frozen
class Load:
    connections: int
    seconds: float


async def fill(settings: Settings, images: int, objects: Path) -> dict[str, str]:
    """The address of each thing that can be asked for: a public gallery of so many images is made."""
    async with ImageGallery.open(settings) as gallery, open_database(settings) as database:
        made = await gallery.galleries.create(ANA, name="Lisbon", visibility="public")
        hidden = await gallery.galleries.create(ANA, name="Porto")
        share = await gallery.shares.create_link(ANA, [hidden.id])
        library = Library.on(database, objects, ManualClock())
        for _ in range(images):
            image = await library.add_image(with_place(make_image()), made.id)
            await library.add_image(make_image(), hidden.id)
        key = image.variants[0].key
        await library.store.put(key, bytes_chunks(os.urandom(FILE_BYTES)), content_type="image/webp")
    return {
        "page": f"/api/v1/galleries/{made.id}/images",
        "library": "/api/v1/images?limit=50",
        "file": f"/api/v1/files/{key}",
        "link": f"/api/v1/s/{share.token}/galleries/{hidden.id}/images",
    }


@asynccontextmanager
async def serving(target: str, environment: Mapping[str, str]) -> AsyncIterator[int]:
    """The port of a server of ``benchmarks.cached_page:<target>`` in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.cached_page", "--serve", target, "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=Path(__file__).parents[1])
    try:
        with anyio.fail_after(60):
            while not await answers(port):
                await anyio.sleep(0.05)
        yield port
    finally:
        process.terminate()
        await anyio.to_thread.run_sync(process.wait)


async def answers(port: int) -> bool:
    try:
        async with await anyio.connect_tcp("127.0.0.1", port):
            return True
    except OSError:
        return False


async def ask(stream: ByteStream, request: bytes) -> bytes:
    """The body of one answer."""
    status, body = await ask_for_status(stream, request)
    assert status == 200, body
    return body


async def ask_for_status(stream: ByteStream, request: bytes) -> tuple[int, bytes]:
    """The status and the body of one answer."""
    await stream.send(request)
    received = bytearray(await stream.receive(1 << 20))
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += await stream.receive(1 << 20)
    head = bytes(received[:end]).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(received) < end + 4 + length:
        received += await stream.receive(1 << 20)
    return int(head.split(b" ", 2)[1]), bytes(received[end + 4 :])


async def rate(port: int, path: str, load: Load) -> float:
    """Answers per second over all connections."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    count = 0
    until = time.perf_counter() + load.seconds

    async def viewer() -> None:
        nonlocal count
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            while time.perf_counter() < until:
                await ask(stream, request)
                count += 1

    started = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(load.connections):
            tasks.start_soon(viewer)
    return count / (time.perf_counter() - started)


async def compare(what: str, images: int, rounds: int, load: Load) -> dict[str, object]:
    our_server, their_server = SERVERS[what]
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings.embedded(directory)
        async with running_database(settings) as ready:
            assert ready.database.dsn is not None
            path = (await fill(ready, images, Path(directory, "objects")))[what]
            api_settings = {"IMAGEGALLERY_DATA_DIR": directory, "IMAGEGALLERY_DATABASE_DSN": ready.database.dsn}
            async with serving(our_server, api_settings) as ours:
                async with await anyio.connect_tcp("127.0.0.1", ours) as stream:
                    body = await ask(stream, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                constant = Path(directory, "body.json")
                constant.write_bytes(body)
                async with serving(their_server, {BODY: str(constant)}) as theirs:
                    return await measure(ours, theirs, path, len(body), rounds, load)


async def measure(ours: int, theirs: int, path: str, size: int, rounds: int, load: Load) -> dict[str, object]:
    warm_up = attrs.evolve(load, seconds=1.0)
    for port in (ours, theirs):
        await rate(port, path, warm_up)
    measured = [(await rate(ours, path, load), await rate(theirs, path, load)) for _ in range(rounds)]
    return {
        "bytes": size,
        "ours_per_second": round(statistics.median(ours for ours, _ in measured)),
        "bare_per_second": round(statistics.median(bare for _, bare in measured)),
        "ratio": round(statistics.median(ours / bare for ours, bare in measured), 3),
        "ratios": [round(ours / bare, 3) for ours, bare in measured],
        "budget": BUDGET,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=SERVERS, default="page")
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=["api", "owner", "bare", "bare_file"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(f"benchmarks.cached_page:{options.serve}", port=options.port)
        return
    load = Load(options.connections, options.seconds)
    result = anyio.run(compare, options.what, options.images, options.rounds, load)
    print(json.dumps(result, indent=2))
    sys.exit(0 if float(str(result["ratio"])) >= BUDGET else 1)


if __name__ == "__main__":
    main()
