"""``imagegallery serve``: the API, a worker and the embedded PostgreSQL, started and stopped together."""

import importlib.util
import ipaddress
import os
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import click

from imagegallery.cli.options import config_option, data_dir_option, load_settings
from imagegallery.cli.supervisor import Program, keep_running
from imagegallery.database.migrate import migrate
from imagegallery.errors import ConfigurationError
from imagegallery.parts import open_database, running_database
from imagegallery.settings import CONFIG_VARIABLE, ENV_PREFIX, Settings

START_DEADLINE = timedelta(seconds=60)
STOP_GRACE = timedelta(seconds=10)
JWT_KEY_VARIABLE = "IMAGEGALLERY_JWT_KEY"


@click.command("serve")
@data_dir_option
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="API processes.")
def serve_command(data_dir: Path | None, config: Path | None, host: str, port: int, workers: int) -> None:
    """Run the whole service: API, worker and, unless a DSN is set, the embedded PostgreSQL."""
    settings = load_settings(data_dir, config)
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config.absolute())
    _check_parts()
    _check_exposure(host)
    _check_free(host, port)
    anyio.run(serve, settings, host, port, workers)


async def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM; on return everything that was started has stopped."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running_database(settings) as ready:
            async with open_database(ready) as database:
                await migrate(database)
            async with anyio.create_task_group() as tasks:
                for program in _programs(host, port, workers):
                    tasks.start_soon(keep_running, program, _environment(ready), _grace(settings))
                tasks.start_soon(_announce, settings, host, port)
                await anext(signals)
                click.echo("Stopping…", err=True)
                tasks.cancel_scope.cancel()
    click.echo("Stopped.", err=True)


def _grace(settings: Settings) -> timedelta:
    """How long a child may take to stop: what it allows running jobs, and some more."""
    return settings.queue.shutdown_grace + STOP_GRACE


def _programs(host: str, port: int, workers: int) -> tuple[Program, ...]:
    address = ("--host", host, "--port", str(port), "--workers", str(workers))
    return (
        Program("API", "imagegallery_asgi.server", address, essential=True),
        Program("worker", "imagegallery.cli", ("worker",), essential=False),
    )


def _environment(settings: Settings) -> dict[str, str]:
    """What the children must know beyond our own environment."""
    environment = {f"{ENV_PREFIX}DATA_DIR": str(settings.data_dir)}
    if settings.database.dsn is not None:
        environment[f"{ENV_PREFIX}DATABASE_DSN"] = settings.database.dsn
    return environment


async def _announce(settings: Settings, host: str, port: int) -> None:
    """Say where we are, once the API answers."""
    with anyio.fail_after(START_DEADLINE.total_seconds()):
        while not await _answers(host, port):  # noqa: ASYNC110 - another process cannot set our event
            await anyio.sleep(0.05)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"imagegallery listens on http://{shown}:{port} (API below /api/v1)")
    click.echo(f"data lies in {settings.data_dir}")
    click.echo("Ctrl-C stops it.")
    sys.stdout.flush()


async def _answers(host: str, port: int) -> bool:
    try:
        async with await anyio.connect_tcp(host, port) as stream:
            await stream.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await stream.receive()).startswith(b"HTTP/1.1 200")
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
        return False


def _check_parts() -> None:
    missing = [name for name in ("granian", "starlette") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError("The service needs its extra: pip install 'imagegallery[serve]'")


def _check_exposure(host: str) -> None:
    """Without sign-in everybody who reaches us is the owner, so nobody else may reach us."""
    if _is_loopback(host) or os.environ.get(JWT_KEY_VARIABLE):
        return
    raise ConfigurationError(
        f"Listening on {host} needs sign-in: set {JWT_KEY_VARIABLE}. Without it only 127.0.0.1, ::1 or localhost."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
