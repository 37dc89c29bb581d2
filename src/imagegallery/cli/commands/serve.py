"""``imagegallery serve``: the API, a worker and the embedded PostgreSQL, started and stopped together."""

import importlib.util
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain

import anyio
import click

from imagegallery.application import APP_VARIABLE
from imagegallery.backends import check_parts, open_database, running_database
from imagegallery.cli.nursery import Nursery, Program
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import say
from imagegallery.cli.ports import answers, check_free
from imagegallery.cli.supervisor import run_together
from imagegallery.common.extras import install_hint
from imagegallery.common.logs import log_requests
from imagegallery.common.loopback import is_loopback
from imagegallery.database.migrate import migrate
from imagegallery.errors import ConfigurationError
from imagegallery.settings import CONFIG_VARIABLE, ENV_PREFIX, Settings

START_DEADLINE = timedelta(seconds=60)
# More than what the processes were given: for them to close what they have open.
STOP_GRACE = timedelta(seconds=10)
SECONDS = click.IntRange(min=0)
WORKER = Program("worker", "imagegallery.cli.main", ("worker",), essential=False)
# What the API and the worker have in common, and most of what either needs beyond that.
MODULES = ("imagegallery.gallery", "imagegallery_asgi.server", "imagegallery.cli.commands.worker")


@click.command("serve")
@gallery_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="API processes.")
@click.option("--no-worker", is_flag=True, help="Leave the queued jobs to `imagegallery worker`.")
@click.option("--drain", default=0, show_default=True, type=SECONDS, help="Seconds from SIGTERM to the end of serving.")
@click.option("--grace", default=30, show_default=True, type=SECONDS, help="Seconds that open requests have to end.")
@click.option("--access-log", is_flag=True, help="Log each request; `imagegallery -v serve` does so, too.")
def serve_command(
    chosen: Chosen,
    host: str,
    port: int,
    workers: int,
    no_worker: bool,
    drain: int,
    grace: int,
    access_log: bool,
) -> None:
    """Run the whole service: API, worker and, unless a DSN is set, the embedded PostgreSQL.

    SIGTERM lets load balancers look elsewhere first, Ctrl-C stops without that, and a second signal stops at once.
    """
    if access_log:
        log_requests()
    _check_parts()
    check_free(host, port)
    api = Program("API", "imagegallery_asgi.server", _options(host, port, workers, drain, grace), essential=True)
    programs = [api] if no_worker else [api, WORKER]
    with Nursery.open(MODULES) as nursery:  # before the application is imported, which may start threads
        settings = chosen.settings
        _check_exposure(settings, host)
        stop_within = max(timedelta(seconds=drain + grace), settings.queue.shutdown_grace) + STOP_GRACE
        anyio.run(serve, settings, chosen, host, port, nursery, programs, stop_within)


async def serve(
    settings: Settings,
    chosen: Chosen,
    host: str,
    port: int,
    nursery: Nursery,
    programs: Sequence[Program],
    stop_within: timedelta,
) -> None:
    """Serve until SIGINT or SIGTERM; on return everything that was started has stopped."""
    await check_parts(settings, works=WORKER in programs)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running_database(settings) as ready:
            async with open_database(ready) as database:
                await migrate(database)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_announce, settings, host, port)
                await run_together(nursery, programs, _environment(ready, chosen), signals, stop_within)
                tasks.cancel_scope.cancel()
    click.echo("Stopped.", err=True)


def _options(host: str, port: int, workers: int, drain: int, grace: int) -> Sequence[str]:
    numbers = {"--port": port, "--workers": workers, "--drain": drain, "--grace": grace}
    return ["--host", host, *chain.from_iterable((name, str(number)) for name, number in numbers.items())]


def _environment(settings: Settings, chosen: Chosen) -> dict[str, str]:
    """What the children must know beyond our own environment."""
    environment = {f"{ENV_PREFIX}DATA_DIR": str(settings.data_dir)}
    if settings.database.dsn is not None:
        environment[f"{ENV_PREFIX}DATABASE_DSN"] = settings.database.dsn
    if chosen.config is not None:
        environment[CONFIG_VARIABLE] = str(chosen.config.absolute())
    if chosen.app is not None:
        environment[APP_VARIABLE] = chosen.app
    return environment


async def _announce(settings: Settings, host: str, port: int) -> None:
    """Say where we are, once the API answers."""
    with anyio.fail_after(START_DEADLINE.total_seconds()):
        while not await answers(host, port):  # noqa: ASYNC110 - another process cannot set our event
            await anyio.sleep(0.05)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"imagegallery listens on http://{shown}:{port} (API below /api/v1)")
    say(f"data lies in {settings.data_dir}")
    click.echo("Ctrl-C stops it.")
    sys.stdout.flush()


def _check_parts() -> None:
    missing = [name for name in ("granian", "starlette") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(f"The service needs more than is installed: {install_hint('serve')}")


def _check_exposure(settings: Settings, host: str) -> None:
    """Without sign-in everybody who reaches us is the owner, so nobody else may reach us."""
    if is_loopback(host) or settings.jwt.key is not None:
        return
    raise ConfigurationError(
        f"Listening on {host} needs sign-in: set IMAGEGALLERY_JWT_KEY. Without it only 127.0.0.1, ::1 or localhost."
    )
