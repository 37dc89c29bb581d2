"""Run the service: ``python -m imagegallery_asgi.server``, which `imagegallery serve` does as well.

Needs the extra ``serve`` (granian). Settings come from the environment (`imagegallery.Settings.from_env`);
sign-in from ``IMAGEGALLERY_JWT_KEY``, ``…_JWT_ALGORITHMS`` (comma-separated), ``…_JWT_AUDIENCE`` and
``…_JWT_ISSUER``. Without a key only this machine is served.
"""

import os

import click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.applications import Starlette

from imagegallery import ConfigurationError, ImageGallery, Settings
from imagegallery_asgi.app import create_app
from imagegallery_asgi.auth import is_loopback, jwt, single_user
from imagegallery_asgi.call import Authenticate

JWT_KEY = "IMAGEGALLERY_JWT_KEY"
_ALGORITHMS, _AUDIENCE, _ISSUER = (f"IMAGEGALLERY_JWT_{name}" for name in ("ALGORITHMS", "AUDIENCE", "ISSUER"))

# Holds 10,000 keep-alive viewers at about 10 KB each: `backpressure` counts connections, and granian's
# defaults (1024, idle ones dropped after 30 s) stall there.
BACKLOG = 4096
BACKPRESSURE = 12_000
HTTP1 = HTTP1Settings(header_read_timeout=60_000, max_buffer_size=8192)


def app() -> Starlette:
    """The application factory: everything from the environment. Each worker process calls it once."""
    settings = Settings.from_env()
    return create_app(authenticate=authentication(), lifespan=ImageGallery.open(settings).lifespan)


def authentication() -> Authenticate:
    """Tokens if a key is configured, else the single user of this machine."""
    key = os.environ.get(JWT_KEY)
    if not key:
        return single_user()
    algorithms = os.environ.get(_ALGORITHMS, "HS256").split(",")
    return jwt(key, algorithms, audience=os.environ.get(_AUDIENCE), issuer=os.environ.get(_ISSUER))


def serve(
    target: str = "imagegallery_asgi.server:app", *, host: str = "127.0.0.1", port: int = 8000, workers: int = 1
) -> None:
    """Serve an application factory, ``module:function``, until SIGINT or SIGTERM.

    Raises `ConfigurationError` for an address that others can reach when nobody would have to sign in.
    """
    if not is_loopback(host) and not os.environ.get(JWT_KEY):
        raise ConfigurationError(f"Without sign-in only a loopback address can be served, not {host}. Set {JWT_KEY}.")
    Granian(
        target,
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
def main(host: str, port: int, workers: int) -> None:
    """Serve the API with settings from the environment."""
    try:
        Settings.from_env()
        authentication()
        serve(host=host, port=port, workers=workers)
    except ConfigurationError as error:
        raise click.ClickException(error.message) from error


if __name__ == "__main__":
    main()
