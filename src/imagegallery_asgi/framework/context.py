"""The context of a handler: the request, its principal, the gallery, and headers of the response."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from attrs import define, field, frozen
from starlette.requests import Request
from starlette.types import Scope

from imagegallery import Clock, ImageGallery, OpenGallery, Principal, utc_now
from imagegallery.common.loopback import is_loopback
from imagegallery.images.presentation.responsive import absolute
from imagegallery_asgi.framework.headers import IDEMPOTENCY_KEY, parse_key
from imagegallery_asgi.framework.known_pages import KeptChoices, KnownAddresses
from imagegallery_asgi.framework.metrics import Metrics
from imagegallery_asgi.framework.operations import LINK
from imagegallery_asgi.framework.sign_in import SignIn

API_PREFIX = "/api/v1"
GALLERY_STATE = "imagegallery"
_PRINCIPAL = "imagegallery.principal"
REQUEST_ID: Final = "X-Request-ID"
EXCHANGE: Final = "imagegallery.exchange"
UNMATCHED: Final = "unmatched"
_OBJECTS: Final = ("/files/", "/objects/")

# Returns the principal of a request; ``None`` is an anonymous visitor. Raises `Unauthenticated` for a bad token.
Authenticate = Callable[[Request], Principal | None | Awaitable[Principal | None]]


@define
class Exchange:
    """One request and its state. ``route`` is the template, ``status`` 0 until the response begins; ``error_headers``
    are for an error response, which has a ``message`` with
    ``tells_message``; ``unread``: the request's body is not read to its end.
    """

    request_id: str
    route: str = UNMATCHED
    status: int = 0
    unread: bool = False
    tells_message: bool = False
    error_headers: dict[str, str] = field(factory=dict)


def exchange_of(request: Request) -> Exchange:
    exchange: Exchange = request.scope[EXCHANGE]
    return exchange


def error_headers_of(scope: Scope) -> dict[str, str]:
    """`Exchange.error_headers`, for middleware."""
    exchange: Exchange = scope[EXCHANGE]
    return exchange.error_headers


class RequestCheck:
    """An `Authenticate` that checks every request, also if no principal is needed."""

    def check(self, request: Request, *, is_safe: bool) -> None:
        """Raise `Forbidden` for a request that must not be answered."""


@frozen
class Host:
    """What the application was made with. With ``gallery`` ``None``, each request's lifespan state has it.

    ``description`` renders the OpenAPI document for the path of the API's root and the documents of its policies.
    ``cors`` are the origins of pages that may use the API; ``has_page``: it has our own page at its root, which tells
    people who are unknown how to ``sign_in``.
    """

    gallery: ImageGallery | OpenGallery | None
    authenticate: Authenticate
    description: Callable[[str, tuple[object, ...]], bytes]
    metrics: Metrics = field(factory=Metrics)
    known: KnownAddresses = field(factory=KnownAddresses)
    choices: KeptChoices = field(factory=KeptChoices)
    clock: Clock = utc_now
    cors: tuple[str, ...] = ()
    has_page: bool = False
    sign_in: SignIn = field(factory=SignIn)

    def gallery_for(self, request: Request) -> ImageGallery:
        """The gallery of a request. Raises `RuntimeError` if the host application has not opened one."""
        if isinstance(self.gallery, OpenGallery):
            return self.gallery.gallery
        gallery = self.gallery or getattr(request.state, GALLERY_STATE, None)
        if not isinstance(gallery, ImageGallery):
            raise RuntimeError(
                "No open gallery: make one with ImageGallery.open(settings), give it to create_app, "
                "and open it in the host's lifespan."
            )
        return gallery

    async def principal_of(self, request: Request) -> Principal:
        """The principal, asked once per request. Raises what `Authenticate` raises."""
        by, known = request.scope.get(_PRINCIPAL, (None, None))
        if isinstance(known, Principal) and by is self.authenticate:
            return known
        found = await self.ask(request)
        request.scope[_PRINCIPAL] = self.authenticate, found
        return found

    async def ask(self, request: Request) -> Principal:
        """The same, asked again now."""
        principal = self.authenticate(request)
        if inspect.isawaitable(principal):
            principal = await principal
        return principal or Principal.anonymous()


@frozen
class Call:
    """One request in progress. ``json_limit`` is the operation's; ``headers`` and ``cookies``, which are values of
    ``Set-Cookie``, are added to the response."""

    host: Host
    request: Request
    gallery: ImageGallery
    principal: Principal
    json_limit: int
    headers: dict[str, str] = field(factory=dict)
    cookies: list[str] = field(factory=list)

    @property
    def root(self) -> str:
        """The application's address as a path of the server, where its pages are: the mount point."""
        return self.api_root.removesuffix(API_PREFIX)

    @property
    def api_root(self) -> str:
        """The API's address as a path of the server: mount point and prefix."""
        return api_root(self.request)

    @property
    def resource_root(self) -> str:
        """What is before the path of a resource: for who came by a link it is below that."""
        is_below_link = self.principal.link is not None and "link" in self.request.path_params
        return link_root(self.request) if is_below_link else self.api_root

    @property
    def idempotency_key(self) -> str | None:
        return parse_key(self.request.headers.get(IDEMPOTENCY_KEY))

    def url(self, url: str) -> str:
        """A URL for clients: the API's path is added before those that are relative to it.

        Files are open or signed: their addresses need no link.
        """
        return absolute(url, self.api_root if url.startswith(_OBJECTS) else self.resource_root)


def client_address(request: Request) -> str | None:
    """The client's address, as trusted proxies report it; unknown for a socket in the file system."""
    return request.client.host if request.client else None


def public_origin(request: Request) -> str:
    """The scheme and host by which the requesting page reaches us, also behind an untrusted proxy that ends TLS: a page
    from ``https`` may send nothing to ``http``, except on its own
    machine. Only for the response to that page, and not to be stored: it is only the page's own claim.
    """
    page = (request.headers.get("Origin") or request.headers.get("Referer") or "").lower()
    host = request.url.netloc
    is_own_page = f"{page}/".startswith(f"https://{host.lower()}/")
    came_by_tls = page.startswith("https://") and not is_loopback(request.url.hostname or "")
    scheme = "https" if is_own_page or came_by_tls else request.url.scheme
    return f"{scheme}://{host}"


def link_root(request: Request) -> str:
    """The address of the link that the request came by, as a path of the server."""
    return api_root(request) + _link_path(request)


def page_of_link(request: Request) -> str:
    """The address of its page."""
    return api_root(request).removesuffix(API_PREFIX) + _link_path(request)


def _link_path(request: Request) -> str:
    return LINK.format(link=quote(request.path_params["link"], safe=""))


def api_root(request: Request) -> str:
    root_path: str = request.scope.get("root_path", "")
    return root_path.rstrip("/") + API_PREFIX
