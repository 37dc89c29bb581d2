"""The application: operations at their addresses, and what surrounds them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from itertools import groupby

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from imagegallery import Clock, ImageGallery, utc_now
from imagegallery_asgi.auth import single_user
from imagegallery_asgi.call import API_PREFIX, Authenticate, Host
from imagegallery_asgi.endpoint import Endpoint
from imagegallery_asgi.errors import RouteNotFound
from imagegallery_asgi.middleware import ErrorNet, Exchanges, SafetyHeaders
from imagegallery_asgi.openapi import Description
from imagegallery_asgi.operations import Operation
from imagegallery_asgi.routes import OPERATIONAL, OPERATIONS

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Mapping[str, object]]]


def create_app(
    gallery: ImageGallery | None = None,
    *,
    authenticate: Authenticate | None = None,
    lifespan: Lifespan | None = None,
    clock: Clock = utc_now,
) -> Starlette:
    """The HTTP API as an ASGI application, by itself or mounted at any path of another one.

    ``gallery`` is an open one; without it, it is looked for in the lifespan state, under ``imagegallery``:
    pass ``ImageGallery.open(settings).lifespan`` as ``lifespan`` here, or, when mounting, to the host (mounted
    applications have no lifespan of their own). ``authenticate`` answers who sends a request; without it the
    one user is whoever sits at this machine (`auth.single_user`).
    """
    host = Host(gallery, authenticate or single_user(), Description(OPERATIONS).at, clock=clock)
    app = Starlette(
        routes=[*_routes(host, API_PREFIX, OPERATIONS), *_routes(host, "", OPERATIONAL)],
        middleware=[
            Middleware(Exchanges, metrics=host.metrics),
            Middleware(SafetyHeaders),
            Middleware(ErrorNet),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.router.default = _not_found
    return app


def _routes(host: Host, prefix: str, operations: Iterable[Operation]) -> list[BaseRoute]:
    """One route a path, whatever its methods: so that 405 can name them all."""
    by_path = groupby(sorted(operations, key=_path), key=_path)
    return [Route(prefix + path, Endpoint(host, prefix + path, group)) for path, group in by_path]


def _path(operation: Operation) -> str:
    return operation.path


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    raise RouteNotFound("There is nothing at this address.")
