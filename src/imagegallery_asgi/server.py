"""Run the service: ``python -m imagegallery_asgi.server``, which `imagegallery serve` does, too.

Needs the extra ``serve`` (granian). Settings come from the environment (`imagegallery.Settings.from_env`). Without a
key for tokens (``IMAGEGALLERY_JWT_KEY``) it only serves this machine.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from types import FrameType

import click
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.applications import Starlette

from imagegallery import ConfigurationError, ImageGallery, Settings
from imagegallery.application import Application
from imagegallery.common.logs import configure_logging
from imagegallery.common.loopback import is_loopback
from imagegallery_asgi.app import create_app
from imagegallery_asgi.auth import jwt, security_schemes_of, single_user
from imagegallery_asgi.draining import DRAIN_SIGNAL, DrainingServer, stop_with_parent
from imagegallery_asgi.framework.context import Authenticate
from imagegallery_asgi.routes import EVERYTHING
from imagegallery_asgi.sockets import bounding_silence

SignalHandler = Callable[[int, FrameType | None], object] | int | None

# Holds 10,000 keep-alive viewers: `backpressure` counts connections, and granian's defaults (1024, idle ones dropped
# after 30 s) stall there. A connection's buffer starts with 8 KiB and grows to this while a large body arrives: it is
# what an application gets at once, and each time costs a turn of the loop.
BACKLOG = 4096
BACKPRESSURE = 12_000
HTTP1 = HTTP1Settings(header_read_timeout=60_000, max_buffer_size=512 * 1024)
GRACE = timedelta(seconds=30)


def app() -> Starlette:
    """The application factory: everything from the environment. Each worker process calls it once."""
    configure_logging()
    application = Application.of_process()
    settings, gallery = application.settings, application.open()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, object]]:
        stop_with_parent()
        async with (
            gallery.lifespan(app) as state,
            closing_on_signals(gallery.gallery),
            bounding_silence(settings.client.stall),
        ):
            yield state

    authenticate = authentication(settings)
    return create_app(
        gallery,
        authenticate=authenticate,
        security_schemes=security_schemes_of(authenticate),
        sign_in_url=settings.jwt.sign_in_url,
        lifespan=lifespan,
        trusted_proxies=settings.trusted_proxies,
        cors_origins=settings.cors_origins,
        client_limits=settings.client,
        operations=EVERYTHING,
        page=settings.page,
    )


@asynccontextmanager
async def closing_on_signals(gallery: ImageGallery) -> AsyncIterator[None]:
    """Notify the gallery of the signals that end a server; other handlers still get them.

    After `DRAIN_SIGNAL` it is not ready any more. After SIGINT and SIGTERM its event streams end as well: servers wait
    for their connections to end before they stop, and these would not end.
    """
    loop = asyncio.get_running_loop()
    before: dict[int, SignalHandler] = {}

    def close(number: int, frame: FrameType | None) -> None:
        gallery.server.retire()
        if number != DRAIN_SIGNAL:
            loop.call_soon_threadsafe(gallery.events.close)
        earlier = before[number]
        if callable(earlier):
            earlier(number, frame)

    # The loop's own handlers, which granian uses, work differently (`signal.set_wakeup_fd`).
    with suppress(ValueError):  # not the main thread: then the signals are not ours
        for number in (signal.SIGINT, signal.SIGTERM, DRAIN_SIGNAL):
            before[number] = signal.signal(number, close)
    yield


def authentication(settings: Settings) -> Authenticate:
    """Tokens if a key is configured, else the single user of this machine.

    Raises `ConfigurationError` for a key or algorithm that cannot be used.
    """
    tokens = settings.jwt
    if tokens.key is None:
        return single_user(cors_origins=settings.cors_origins)
    return jwt(
        tokens.key,
        tokens.algorithms,
        audience=tokens.audience,
        issuer=tokens.issuer,
        role_claim=tokens.role_claim,
        groups_claim=tokens.groups_claim,
    )


def serve(
    target: str = "imagegallery_asgi.server:app",
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    drain: timedelta = timedelta(0),
    grace: timedelta = GRACE,
) -> None:
    """Serve an application factory, ``module:function``, until SIGINT or SIGTERM. See `DrainingServer` for how it
    stops.

    Raises `ConfigurationError` for an address that others can reach without sign-in.
    """
    if not is_loopback(host) and Application.of_process().settings.jwt.key is None:
        raise ConfigurationError(
            f"Without sign-in only a loopback address can be served, not {host}. Set IMAGEGALLERY_JWT_KEY."
        )
    DrainingServer(
        target,
        drain=drain,
        grace=grace,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_level=LogLevels.warning,
        factory=True,
    ).serve()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="Processes.")
@click.option("--drain", default=0, type=click.IntRange(min=0), help="Seconds from SIGTERM to the end of serving.")
@click.option("--grace", default=30, type=click.IntRange(min=0), help="Seconds that open requests have to end.")
def main(host: str, port: int, workers: int, drain: int, grace: int) -> None:
    """Serve the API with settings from the environment."""
    try:
        authentication(Application.of_process().settings)
        serve(host=host, port=port, workers=workers, drain=timedelta(seconds=drain), grace=timedelta(seconds=grace))
    except ConfigurationError as error:
        raise click.ClickException(error.message) from error


if __name__ == "__main__":
    main()
