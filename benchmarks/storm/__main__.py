"""A load of uploads and reads on the distributed stack, while its processes are killed; then: is everything there?

    python -m benchmarks.storm --seconds 60

`imagegallery dev-stack` runs (an object store, Redis, SQS, PostgreSQL, two APIs, two workers, a relay). Clients upload,
straight to the object store and by tus through the APIs, and others read. Meanwhile an API, a worker, Redis and the
relay are killed with ``kill -9``, one after the other; the stack starts each again. Afterwards nothing may be missing,
double, wrong or left over. Exit code 1 if anything is.
"""

import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import anyio
import click
import httpx
from attrs import frozen
from benchmarks.storm.clients import Visitors
from benchmarks.storm.photographs import Photographs
from benchmarks.storm.stack import Stack
from benchmarks.storm.tally import Tally
from benchmarks.storm.verdict import Examination, Verdict, reconcile

from imagegallery import Settings

GALLERIES = 3
SHOWN = 30


@frozen
class Load:
    """How many of each, and how often each of them does something (seconds)."""

    seconds: float
    uploaders: int
    upload_every: float
    readers: int
    read_every: float


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long it lasts; the kills are spread over it.")
@click.option("--uploaders", default=2, show_default=True, help="Straight to the store; as many again by tus.")
@click.option("--upload-every", default=2.0, show_default=True, help="Seconds between two uploads of one of them.")
@click.option("--readers", default=4, show_default=True)
@click.option("--read-every", default=0.2, show_default=True, help="Seconds between two looks of one of them.")
@click.option("--kills", default=4, show_default=True, help="An API, a worker, Redis, the relay, the others.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep logs and data there.")
def main(
    seconds: float,
    uploaders: int,
    upload_every: float,
    readers: int,
    read_every: float,
    kills: int,
    keep: Path | None,
) -> None:
    load = Load(seconds, uploaders, upload_every, readers, read_every)
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        directory = keep or Path(folder)
        directory.mkdir(parents=True, exist_ok=True)
        tally, verdict = anyio.run(weather, directory.absolute(), load, kills)
    report(tally, verdict)
    sys.exit(1 if verdict.violations else 0)


async def weather(directory: Path, load: Load, kills: int) -> tuple[Tally, Verdict]:
    photographs = await anyio.to_thread.run_sync(Photographs.make, directory / "photographs")
    verdict = Verdict()
    async with Stack.running(directory) as stack:
        click.echo(
            f"the stack runs; {load.seconds:.0f} s of load, {kills} kills; load average {os.getloadavg()[0]:.1f}"
        )
        galleries = [await _gallery(stack.urls[0], f"Gallery {number}") for number in range(GALLERIES)]
        tally = Tally()
        await _storm(
            stack, Visitors(stack.urls, galleries, photographs, tally, tally.started + load.seconds), load, kills
        )
        _judge(tally, verdict)
        began = time.monotonic()
        dsn = stack.environment["IMAGEGALLERY_DATABASE_DSN"]
        await Examination(stack.urls, dsn, galleries, tally, verdict).run()
        verdict.notes["seconds to the empty queue and through the examination"] = f"{time.monotonic() - began:.0f}"
        os.environ.update(stack.environment)
        await reconcile(Settings.from_env(), verdict)
        survivors = stack.processes()
    verdict.must(stack.process.returncode == 0, f"the stack ended with {stack.process.returncode}")
    left = [line.replace("\0", " ") for pid, line in survivors.items() if _is_alive(pid, line)]
    verdict.must(not left, f"processes outlived the stack: {left}")
    log = stack.log.read_text()
    verdict.must("Traceback" not in log, f"a traceback in the log:\n{log[log.find('Traceback') - 500 :][:3000]}")
    return tally, verdict


async def _storm(stack: Stack, visitors: Visitors, load: Load, kills: int) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(load.uploaders):
            tasks.start_soon(visitors.upload, load.upload_every)
            tasks.start_soon(visitors.upload_by_tus, load.upload_every)
        for _ in range(load.readers):
            tasks.start_soon(visitors.read, load.read_every)
        tasks.start_soon(_strike, stack, visitors.tally, load.seconds, kills)


async def _strike(stack: Stack, tally: Tally, seconds: float, kills: int) -> None:
    victims = stack.victims()
    for number in range(kills):
        await anyio.sleep(max(0.0, tally.started + seconds * (number + 0.5) / kills - time.monotonic()))
        outage = await victims[number % len(victims)].kill()
        tally.outages.append(outage)
        away = outage.back_at - outage.killed_at
        click.echo(f"{outage.killed_at - tally.started:5.1f} s  kill -9 {outage.name}; back after {away:.1f} s")


async def _gallery(url: httpx.URL, name: str) -> UUID:
    async with httpx.AsyncClient(timeout=60) as http:
        made = await http.post(f"{url}/api/v1/galleries", json={"name": name})
    return UUID(made.raise_for_status().json()["data"]["id"])


def _judge(tally: Tally, verdict: Verdict) -> None:
    verdict.must(bool(tally.acknowledged), "nothing was uploaded")
    for failure in tally.failed:
        verdict.must(False, f"failed upload: {failure}")
    for answer in tally.wrong:
        verdict.must(False, f"wrong answer: {answer}")
    for request in tally.unexplained():
        verdict.must(False, f"no kill explains this: {request.target} {request.what} {request.error}")


def _is_alive(pid: int, line: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text() == line
    except OSError:
        return False


def report(tally: Tally, verdict: Verdict) -> None:
    transports = Counter(each.transport for each in tally.acknowledged)
    rows = [
        ("uploads acknowledged", f"{len(tally.acknowledged)} ({_counts(transports)})"),
        ("uploads failed", str(len(tally.failed))),
        ("seconds for an upload: median, longest", _spread([each.seconds for each in tally.acknowledged])),
        ("reads answered", f"{sum(tally.reads.values())} ({_counts(tally.reads)})"),
        ("answers", _counts(tally.answers)),
        ("requests broken off by a kill, then repeated", str(tally.in_flight())),
        ("requests refused while an API was away, then repeated", str(len(tally.broken) - tally.in_flight())),
        ("broken requests by error", _counts(Counter(each.error for each in tally.broken)) or "none"),
        *verdict.notes.items(),
        ("load average", f"{os.getloadavg()[0]:.1f}"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:{width}}  {value}")
    for violation in verdict.violations[:SHOWN]:
        click.echo(f"VIOLATION  {violation}")
    click.echo("exact" if not verdict.violations else f"{len(verdict.violations)} violations")


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}, {max(values):.2f}" if values else "-"


if __name__ == "__main__":
    main()
