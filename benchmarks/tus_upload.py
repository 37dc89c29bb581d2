"""One large upload by tus: `imagegallery serve` beside @tus/server with its file store, on the same disk, side by side.

    python -m benchmarks.tus_upload --rounds 5 --size 1000

Node's packages are installed from npm into a cache of this machine's. The client is this process: plain sockets, one
buffer sent again and again, so that it costs next to nothing. Each measurement has a server process of its own (so that
its peak memory is this upload's) and begins when all earlier writes are on the disk; the two take turns. See README.md
beside this file. Linux: /proc tells the memory.
"""

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import click
from attrs import frozen
from tests.support.servers.service import running_service
from tests.support.waiting import until

from imagegallery.dev_stack.ports import free_port

PACKAGES = ("@tus/server@2.4.5", "@tus/file-store@2.1.1")
OLDEST_NODE = 20
CHUNK = 8 * 1024 * 1024
_BUFFER = os.urandom(1024 * 1024)
_MEGA = 1_000_000


class Way(StrEnum):
    """How the bytes travel: in one PATCH, in one for each 8 MiB, and that with a checksum in each (ours only)."""

    WHOLE = "one PATCH"
    CHUNKS = "8 MiB chunks"
    CHECKED = "8 MiB chunks, SHA-256"


@frozen
class Server:
    """``pid`` is the process that serves requests; ``stored`` finds the file that grows."""

    host: str
    port: int
    path: str
    headers: Mapping[str, str]
    pid: int
    stored: Callable[[], Path]


@frozen
class Run:
    """``seconds`` until the last answer, ``durable`` until the bytes are on the disk for certain, ``processor`` what
    the server used; memory in bytes: ``before`` the upload, and the ``peak``, of the process that serves."""

    seconds: float
    durable: float
    processor: float
    before: int
    peak: int


@contextmanager
def ours(directory: Path, size: int) -> Iterator[Server]:
    """A partial upload (tus, section "Concatenation") becomes no image, so that both sides only store bytes."""
    limit = {"IMAGEGALLERY_UPLOADS_MAX_SIZE": str(2 * size)}
    with running_service(directory, "--no-worker", environment=limit) as service:
        host, _, port = service.url.removeprefix("http://").partition(":")
        path, headers = "/api/v1/uploads/resumable", {"Upload-Concat": "partial"}
        growing = directory / "objects" / ".scratch" / "growing"
        pid = _serving(service.process.pid)
        yield Server(host, int(port), path, headers, pid, lambda: max(growing.iterdir(), key=_size))


@contextmanager
def theirs(directory: Path, home: Path) -> Iterator[Server]:
    directory.mkdir()
    port, log = free_port(), directory.with_suffix(".log")
    script = Path(__file__).with_name("tus_server.mjs")
    with log.open("wb") as output:
        process = subprocess.Popen(["node", script, home, directory, str(port)], stdout=output, stderr=output)
    try:
        until(lambda: process.poll() is not None or "listening" in log.read_text())
        if process.poll() is not None:
            raise click.ClickException(f"@tus/server did not start:\n{log.read_text()}")
        yield Server("127.0.0.1", port, "/files", {}, process.pid, lambda: max(directory.iterdir(), key=_size))
    finally:
        process.terminate()
        process.wait()


def _size(path: Path) -> int:
    return path.stat().st_size


def _serving(root: int) -> int:
    """The youngest descendant that runs our server: the process that granian made to serve."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop(0)
        if "imagegallery_asgi.server" in Path(f"/proc/{pid}/cmdline").read_text():
            found.append(pid)
        for thread in Path(f"/proc/{pid}/task").iterdir():
            waiting += map(int, (thread / "children").read_text().split())
    return found[-1]


def peak_memory(pid: int) -> int:
    """Bytes: VmHWM, the most that was ever resident."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def processor_seconds(pid: int) -> float:
    """What all its threads have used so far (proc(5), fields 14 and 15 of ``stat``)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def upload(server: Server, size: int, way: Way) -> Run:
    os.sync()
    before, used = peak_memory(server.pid), processor_seconds(server.pid)
    connection = HTTPConnection(server.host, server.port, timeout=600)
    began = time.perf_counter()
    location = _create(connection, server, size)
    step = size if way is Way.WHOLE else CHUNK
    for offset in range(0, size, step):
        _patch(connection, location, offset, min(step, size - offset), checked=way is Way.CHECKED)
    answered = time.perf_counter()
    _sync(server.stored())
    durable = time.perf_counter()
    used = processor_seconds(server.pid) - used
    _check(connection, location, size)
    return Run(answered - began, durable - began, used, before, peak_memory(server.pid))


def _create(connection: HTTPConnection, server: Server, size: int) -> str:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Content-Length": "0", **server.headers}
    connection.request("POST", server.path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 201:
        raise click.ClickException(f"no upload was made: {answer.status} {body!r}")
    return urlsplit(answer.headers["Location"]).path


def _patch(connection: HTTPConnection, location: str, offset: int, length: int, *, checked: bool) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Length": str(length)}
    headers["Content-Type"] = "application/offset+octet-stream"
    if checked:
        digest = hashlib.sha256()
        for piece in _pieces(length):
            digest.update(piece)
        headers["Upload-Checksum"] = f"sha256 {b64encode(digest.digest()).decode()}"
    connection.putrequest("PATCH", location)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    with suppress(BrokenPipeError):  # refused before all was sent: then there is an answer
        for piece in _pieces(length):
            connection.send(piece)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 204 or int(answer.headers["Upload-Offset"]) != offset + length:
        raise click.ClickException(f"bytes were not taken: {answer.status} {body!r}")


def _pieces(length: int) -> Iterator[memoryview]:
    view = memoryview(_BUFFER)
    for start in range(0, length, len(view)):
        yield view[: min(len(view), length - start)]


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _check(connection: HTTPConnection, location: str, size: int) -> None:
    connection.request("HEAD", location, headers={"Tus-Resumable": "1.0.0"})
    answer = connection.getresponse()
    answer.read()
    if int(answer.headers["Upload-Offset"]) != size:
        raise click.ClickException("what arrived is not what was sent")


def measure(home: Path, directory: Path, size: int, way: Way, rounds: int) -> tuple[list[Run], list[Run]]:
    """Ours and theirs, in turns."""
    mine, other = [], []
    for number in range(rounds):
        place = directory / f"{way.name}-{number}"
        with ours(place, size) as server:
            mine.append(upload(server, size, way))
        shutil.rmtree(place)
        if way is not Way.CHECKED:
            with theirs(place, home) as server:
                other.append(upload(server, size, way))
            shutil.rmtree(place)
    return mine, other


def installed() -> Path:
    """The folder with Node's packages. Ends the run where there is no Node, or none that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        click.echo("skipped: @tus/server runs on Node, which is not installed")
        sys.exit(0)
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        click.echo(f"skipped: @tus/server needs Node {OLDEST_NODE} or newer, and this is {version}")
        sys.exit(0)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imagegallery-benchmarks"
    folder = cache / hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:16]
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", *PACKAGES], check=True
        )
        (folder / "ready").touch()
    return folder


def report(way: Way, size: int, mine: Sequence[Run], other: Sequence[Run]) -> None:
    click.echo(f"{way}, {size / _MEGA:,.0f} MB, median of {len(mine)}; load average {os.getloadavg()[0]:.1f}")
    _line("imagegallery", size, mine)
    if other:
        _line("@tus/server", size, other)
        ratios = {
            "speed": [their.seconds / our.seconds for our, their in zip(mine, other, strict=True)],
            "to the disk": [their.durable / our.durable for our, their in zip(mine, other, strict=True)],
            "processor time": [our.processor / their.processor for our, their in zip(mine, other, strict=True)],
            "peak memory": [our.peak / their.peak for our, their in zip(mine, other, strict=True)],
        }
        told = ", ".join(f"{name} {statistics.median(values):.2f}" for name, values in ratios.items())
        click.echo(f"  ours / theirs  {told}")


def _line(name: str, size: int, runs: Sequence[Run]) -> None:
    answered, durable = (
        size / _MEGA / statistics.median(seconds)
        for seconds in ([run.seconds for run in runs], [run.durable for run in runs])
    )
    before, peak = (
        statistics.median(memory) / _MEGA for memory in ([run.before for run in runs], [run.peak for run in runs])
    )
    used = statistics.median(run.processor for run in runs)
    click.echo(
        f"  {name:13}  {answered:6.0f} MB/s answered, {durable:6.0f} MB/s on the disk, {used:5.2f} s of processor; "
        f"peak {peak:.0f} MB, {before:.0f} MB before it"
    )


@click.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--size", default=1000, show_default=True, type=click.IntRange(min=1), help="Of the upload, in MB.")
@click.option("--way", type=click.Choice([way.name.lower() for way in Way]), help="Only this one.  [default: all]")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="On the disk to measure on.")
def main(rounds: int, size: int, way: str | None, directory: Path | None) -> None:
    home = installed()
    with tempfile.TemporaryDirectory(prefix="tus-upload-", dir=directory) as folder:
        for each in Way if way is None else [Way[way.upper()]]:
            mine, other = measure(home, Path(folder), size * _MEGA, each, rounds)
            report(each, size * _MEGA, mine, other)


if __name__ == "__main__":
    main()
