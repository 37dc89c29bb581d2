"""Run the service: ``python -m imagegallery_asgi.server``, which `imagegallery serve` does as well.

Needs the extra ``serve`` (granian). Settings come from the environment (`imagegallery.Settings.from_env`);
sign-in from ``IMAGEGALLERY_JWT_KEY``, ``…_JWT_ALGORITHMS`` (comma-separated), ``…_JWT_AUDIENCE`` and
``…_JWT_ISSUER``. Without a key only this machine is served. ``IMAGEGALLERY_TRUSTED_PROXIES`` (comma-separated) are
the proxies whose ``X-Forwarded-*`` headers are believed; ``IMAGEGALLERY_CORS_ORIGINS`` (comma-separated) the origins of
pages that may use the API from a browser. ``IMAGEGALLERY_CLIENT_STALL`` (seconds) and the other fields of
`imagegallery_asgi.ClientLimits` say how long clients are waited for.
"""

import asyncio
import os
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
from imagegallery.common.logs import configure_logging
from imagegallery.common.loopback import is_loopback
from imagegallery_asgi.app import create_app
from imagegallery_asgi.auth import jwt, single_user
from imagegallery_asgi.draining import DRAIN_SIGNAL, DrainingServer, stop_with_parent
from imagegallery_asgi.framework.context import Authenticate
from imagegallery_asgi.middleware.cors import parse_origins
from imagegallery_asgi.middleware.forwarding import parse_networks
from imagegallery_asgi.middleware.patience import ClientLimits
from imagegallery_asgi.sockets import bounding_silence

JWT_KEY = "IMAGEGALLERY_JWT_KEY"
_ALGORITHMS, _AUDIENCE, _ISSUER = (f"IMAGEGALLERY_JWT_{name}" for name in ("ALGORITHMS", "AUDIENCE", "ISSUER"))
SignalHandler = Callable[[int, FrameType | None], object] | int | None
TRUSTED_PROXIES = "IMAGEGALLERY_TRUSTED_PROXIES"
CORS_ORIGINS = "IMAGEGALLERY_CORS_ORIGINS"
CLIENT = "IMAGEGALLERY_CLIENT_"
_MAX_DIGITS = 9

# Holds 10,000 keep-alive viewers: `backpressure` counts connections, and granian's
# defaults (1024, idle ones dropped after 30 s) stall there. The buffer of a connection begins with 8 KiB and grows to
# this while a large body comes: it is what an application gets at once, and each time costs a turn of the loop.
BACKLOG = 4096
BACKPRESSURE = 12_000
HTTP1 = HTTP1Settings(header_read_timeout=60_000, max_buffer_size=512 * 1024)
GRACE = timedelta(seconds=30)


def app() -> Starlette:
    """The application factory: everything from the environment. Each worker process calls it once."""
    configure_logging()
    gallery, limits = ImageGallery.open(Settings.from_env()), client_limits()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, object]]:
        stop_with_parent()
        async with (
            gallery.lifespan(app) as state,
            closing_on_signals(gallery.gallery),
            bounding_silence(limits.stall),
        ):
            yield state

    return create_app(
        gallery,
        authenticate=authentication(),
        lifespan=lifespan,
        trusted_proxies=trusted_proxies(),
        cors_origins=cors_origins(),
        client_limits=limits,
    )


@asynccontextmanager
async def closing_on_signals(gallery: ImageGallery) -> AsyncIterator[None]:
    """Let the gallery know of the signals that end a server; whoever else wants to know of them still does.

    With `DRAIN_SIGNAL` it is not ready any more. At SIGINT and SIGTERM its event streams end as well: servers wait for
    their connections to end before they say that they stop, and these would not end.
    """
    loop = asyncio.get_running_loop()
    before: dict[int, SignalHandler] = {}

    def close(number: int, frame: FrameType | None) -> None:
        gallery.retire()
        if number != DRAIN_SIGNAL:
            loop.call_soon_threadsafe(gallery.events.close)
        earlier = before[number]
        if callable(earlier):
            earlier(number, frame)

    # The loop's own handlers, which granian uses, are told by another way (`signal.set_wakeup_fd`).
    with suppress(ValueError):  # not the main thread: then the signals are somebody else's business
        for number in (signal.SIGINT, signal.SIGTERM, DRAIN_SIGNAL):
            before[number] = signal.signal(number, close)
    yield


def authentication() -> Authenticate:
    """Tokens if a key is configured, else the single user of this machine.

    Raises `ConfigurationError` for a key or algorithm that cannot be used, and for a variable that is set but empty.
    """
    named = {
        name: os.environ[name].strip() for name in (JWT_KEY, _ALGORITHMS, _AUDIENCE, _ISSUER) if name in os.environ
    }
    if empty := [name for name, value in named.items() if not value]:
        raise ConfigurationError(f"{', '.join(empty)}: set but empty. Give it a value, or unset it.")
    if named and JWT_KEY not in named:
        raise ConfigurationError(f"{', '.join(named)} without {JWT_KEY}: there is no sign-in without a key.")
    if not named:
        return single_user(cors_origins=cors_origins())
    algorithms = [name.strip() for name in named.get(_ALGORITHMS, "HS256").split(",")]
    return jwt(named[JWT_KEY], algorithms, audience=named.get(_AUDIENCE), issuer=named.get(_ISSUER))


def trusted_proxies() -> tuple[str, ...]:
    """Addresses and networks, as `create_app` takes them."""
    return _names(TRUSTED_PROXIES)


def cors_origins() -> tuple[str, ...]:
    """Origins of pages, as `create_app` takes them."""
    return _names(CORS_ORIGINS)


def client_limits() -> ClientLimits:
    """How much of the server's patience clients may take. Raises `ConfigurationError` for what is no number above 0."""
    default = ClientLimits()
    return ClientLimits(
        timedelta(seconds=_number("STALL", default.stall.total_seconds())),
        int(_number("LEAST_RATE", default.least_rate)),
        int(_number("BODIES", default.bodies)),
        int(_number("BODIES_PER_ADDRESS", default.bodies_per_address)),
    )


def _number(name: str, default: float) -> float:
    text = os.environ.get(f"{CLIENT}{name}")
    if text is None:
        return default
    whole, _, fraction = text.partition(".")
    is_number = text.isascii() and whole.isdigit() and (not fraction or fraction.isdigit())
    if not is_number or len(text) > _MAX_DIGITS or float(text) < (0.001 if name == "STALL" else 1):
        raise ConfigurationError(f"{CLIENT}{name}: {text!r} is no number above 0.")
    return float(text)


def _names(variable: str) -> tuple[str, ...]:
    names = os.environ.get(variable, "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def serve(
    target: str = "imagegallery_asgi.server:app",
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    drain: timedelta = timedelta(0),
    grace: timedelta = GRACE,
) -> None:
    """Serve an application factory, ``module:function``, until SIGINT or SIGTERM.

    How it stops: see `DrainingServer`.
    Raises `ConfigurationError` for an address that others can reach when nobody would have to sign in.
    """
    if not is_loopback(host) and not os.environ.get(JWT_KEY):
        raise ConfigurationError(f"Without sign-in only a loopback address can be served, not {host}. Set {JWT_KEY}.")
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
        Settings.from_env()
        authentication()
        parse_networks(trusted_proxies())
        parse_origins(cors_origins())
        client_limits()
        serve(host=host, port=port, workers=workers, drain=timedelta(seconds=drain), grace=timedelta(seconds=grace))
    except ConfigurationError as error:
        raise click.ClickException(error.message) from error


if __name__ == "__main__":
    main()
