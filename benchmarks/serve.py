"""What an idle service costs: how soon it is ready, what its processes hold beside PostgreSQL, how soon it has stopped.

    python benchmarks/serve.py --rounds 5

Each round starts `imagegallery serve` over a data directory that is there already, waits for ``/readyz``, adds up the
proportional set size (PSS, of Linux) of its Python processes, so that memory in common counts once, and interrupts it.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import click
from attrs import frozen


@frozen
class Round:
    """Seconds, processor seconds until ready, and MiB."""

    ready: float
    processor: float
    memory: float
    stopped: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def memory_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processor_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def one_round(data_dir: Path) -> Round:
    port = free_port()
    command = [sys.executable, "-m", "imagegallery.cli", "serve", "--data-dir", str(data_dir), "--port", str(port)]
    started = time.monotonic()
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not is_ready(port):
        time.sleep(0.01)
    ready = time.monotonic() - started
    time.sleep(2)  # for the worker, which nobody waits for
    processes = [*family(service.pid)]
    memory, processor = sum(map(memory_of, processes)), sum(map(processor_of, processes))
    interrupted = time.monotonic()
    service.send_signal(signal.SIGINT)
    service.wait()
    return Round(ready, processor, memory, time.monotonic() - interrupted)


def is_ready(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
        return bool(answer.status == 200)
    return False


@click.command()
@click.option("--rounds", default=5, show_default=True)
def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one_round(Path(folder))  # makes the data directory
        found = [one_round(Path(folder)) for _ in range(rounds)]
    print(f"{rounds} rounds, {os.cpu_count()} processors; medians:")
    print(f"  ready after         {median(each.ready for each in found):6.2f} s")
    print(f"  processor time      {median(each.processor for each in found):6.2f} s until then and 2 s after")
    print(f"  memory              {median(each.memory for each in found):6.1f} MiB (PSS) beside PostgreSQL")
    print(f"  stops within        {median(each.stopped for each in found):6.2f} s")


if __name__ == "__main__":
    main()
