"""The application: operations at their addresses, and middleware."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from imagegallery import Clock, ImageGallery, OpenGallery, utc_now
from imagegallery.access.authority import May
from imagegallery.gallery import EVENT_TYPES
from imagegallery.http_options import ClientLimits, parse_networks
from imagegallery_asgi.auth import security_schemes_of, single_user
from imagegallery_asgi.framework.context import API_PREFIX, Authenticate, Host
from imagegallery_asgi.framework.endpoint import Endpoint
from imagegallery_asgi.framework.errors import RouteNotFound
from imagegallery_asgi.framework.json_schema import JsonSchema
from imagegallery_asgi.framework.openapi import Description
from imagegallery_asgi.framework.operations import Operation
from imagegallery_asgi.framework.sign_in import SignIn
from imagegallery_asgi.middleware.access_log import AccessLog
from imagegallery_asgi.middleware.compression import Compression
from imagegallery_asgi.middleware.cors import cors
from imagegallery_asgi.middleware.exchange import ErrorNet, Exchanges, HeadLimit, SafetyHeaders, StartFailure
from imagegallery_asgi.middleware.forwarding import TrustedProxies
from imagegallery_asgi.middleware.page_cache import Shortcut
from imagegallery_asgi.middleware.patience import Patient
from imagegallery_asgi.resumable.tus_middleware import TusExchange
from imagegallery_asgi.routes import HOME, OPERATIONAL, PAGE, PAGE_FILES, PAGES, WEBSITE, chosen

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Mapping[str, object]]]


def create_app(
    gallery: ImageGallery | OpenGallery | None = None,
    *,
    authenticate: Authenticate | None = None,
    authorize: May | None = None,
    lifespan: Lifespan | None = None,
    trusted_proxies: Sequence[str] = (),
    cors_origins: Sequence[str] = (),
    client_limits: ClientLimits = ClientLimits(),  # noqa: B008 - it is frozen
    operations: Iterable[str | Operation] = (),
    security_schemes: Mapping[str, JsonSchema] | None = None,
    page: bool = False,
    sign_in_url: str | None = None,
    clock: Clock = utc_now,
) -> Starlette:
    """Make the HTTP API as an ASGI application, alone or mounted at any path of another one.

    Args:
        gallery: The result of ``ImageGallery.open(settings)``, not opened yet: the application opens and closes it.
            Mounted applications have no lifespan, so their host must open it with ``async with``. It may also be an
            open `ImageGallery`. Without it, each request's lifespan state must have one, under ``imagegallery``.
        authenticate: Returns the principal of a request. By default there is one user, on this machine
            (`auth.single_user`).
        authorize: The host's own rules for ``gallery``, which narrow ours everywhere: see `Registers.authorize`, by
            which it is registered.
        lifespan: Replaces the application's own.
        trusted_proxies: The addresses and networks (``10.0.0.0/8``) whose ``X-Forwarded-*`` headers are trusted; by
            default none.
        cors_origins: Origins of other pages (``https://app.example``) that may use the API from a browser, with
            cookies; ``*`` allows any, without cookies, if users sign in.
        client_limits: Ends requests of stalled clients, and limits the number of bodies at once.
        operations: What is mounted: groups of operations by name (``{"uploads", "files"}``; ``"images:read"``: those
            that change nothing), `READ_ONLY` or `EVERYTHING`; and operations of the application's own, below the API's
            prefix like ours. Without a name, all groups but ``webhooks``. The description has what is mounted, and
            nothing else.
        security_schemes: How ``authenticate`` knows users, for the description, as OpenAPI has it:
            ``{"session": {"type": "apiKey", "in": "cookie", "name": "session"}}``. By default a bearer token, or
            nothing where there is one user.
        page: Whether people find the page of pictures at ``/``, which uses this API in a browser.
        sign_in_url: The application's own page for signing in, to which that page leads who is unknown; ``{next}`` in
            it stands for the address to come back to. Without one, and where ``security_schemes`` have a bearer token
            (as by default), the page has a field for the token.

    Raises:
        ConfigurationError: For an invalid address or origin, and for an unknown group of operations.
        ValueError: For an operation at the address of another one, and for ``authorize`` without a gallery, or with
            one that has a rule already.
    """
    api = chosen(operations)
    has_links = any(each.is_of_link for each in api)
    below_links = [each.below_link for each in api if each.for_links] if has_links else []
    if authorize is not None:
        if gallery is None:
            raise ValueError("authorize needs the gallery that it is for.")
        gallery.authorize(authorize)
    authenticate = authenticate or single_user(cors_origins=cors_origins)
    known_by = security_schemes_of(authenticate)
    sign_in = SignIn.of(known_by, security_schemes, sign_in_url)
    schemes = known_by if security_schemes is None else security_schemes
    tells_events = any(each.tag in ("events", "webhooks") for each in api)
    events = EVENT_TYPES if gallery is None else gallery.event_types
    described = Description(api, events if tells_events else {}, schemes)
    host = Host(
        gallery,
        authenticate,
        described.at,
        clock=clock,
        cors=tuple(cors_origins),
        has_page=page,
        sign_in=sign_in,
    )
    if lifespan is None and isinstance(gallery, OpenGallery):
        lifespan = gallery.lifespan
    shown = [each for tag, own in PAGES.items() if any(one.tag == tag for one in api) for each in own]
    pages = (*WEBSITE, *(PAGE if page else HOME), *shown, *(PAGE_FILES if page or shown else ()))
    app = Starlette(
        routes=[
            *_routes(host, API_PREFIX, (*api, *below_links)),
            *_routes(host, "", (*OPERATIONAL, *pages)),
        ],
        middleware=[
            Middleware(StartFailure),
            *cors(cors_origins, lambda app: Exchanges(SafetyHeaders(app), host.metrics)),
            *([Middleware(TrustedProxies, networks=parse_networks(trusted_proxies))] if trusted_proxies else []),
            Middleware(AccessLog),
            Middleware(Compression),
            Middleware(Shortcut, host=host),
            Middleware(Exchanges, metrics=host.metrics),
            Middleware(SafetyHeaders),
            Middleware(ErrorNet),
            Middleware(HeadLimit),
            Middleware(Patient, limits=client_limits),
            Middleware(TusExchange),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.router.default = _not_found
    return app


def _routes(host: Host, prefix: str, operations: Iterable[Operation]) -> list[BaseRoute]:
    """One route per path with all methods, so that 405 can name them. The first match is used, so words come before
    parameters."""
    by_path: dict[str, list[Operation]] = {}
    for operation in operations:
        for path in filter(None, (operation.path, operation.also_at)):
            by_path.setdefault(path, []).append(operation)
    return [
        Route(prefix + path, Endpoint(host, prefix + path, by_path[path])) for path in sorted(by_path, key=_words_first)
    ]


def _words_first(path: str) -> list[tuple[bool, str]]:
    return [(segment.startswith("{"), segment) for segment in path.split("/")]


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    raise RouteNotFound("There is nothing at this address.")
