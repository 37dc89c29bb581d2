"""What a handler works with: the request, who asks, the gallery, and what to say besides the document."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from attrs import define, field, frozen
from starlette.requests import Request
from starlette.types import Scope

from imagegallery import Clock, ImageGallery, OpenGallery, Principal, utc_now
from imagegallery.common.loopback import is_loopback
from imagegallery_asgi.framework.headers import IDEMPOTENCY_KEY, parse_key
from imagegallery_asgi.framework.known_pages import KeptChoices, KnownAddresses
from imagegallery_asgi.framework.metrics import Metrics

API_PREFIX = "/api/v1"
GALLERY_STATE = "imagegallery"
_PRINCIPAL = "imagegallery.principal"
REQUEST_ID: Final = "X-Request-ID"
EXCHANGE: Final = "imagegallery.exchange"
UNMATCHED: Final = "unmatched"

# Who sends this request; nobody (``None``) is an anonymous visitor. Raises `Unauthenticated` for a bad token.
Authenticate = Callable[[Request], Principal | None | Awaitable[Principal | None]]


@define
class Exchange:
    """One request and what became of it so far. ``route`` is the template, ``status`` 0 until the answer began;
    ``error_headers`` go with the answer if it is an error, and a ``message`` in it with ``tells_message``; ``unread``:
    there is more of the request's body."""

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
    """An `Authenticate` that is asked about every request, also where nobody has to be known."""

    def check(self, request: Request, *, is_safe: bool) -> None:
        """Raises `Forbidden` for one that is not to be answered."""


@frozen
class Host:
    """What the application was made with. ``gallery`` ``None``: each request's lifespan state has it.

    ``description`` renders the OpenAPI document for the path of the API's root.
    """

    gallery: ImageGallery | OpenGallery | None
    authenticate: Authenticate
    description: Callable[[str], bytes]
    metrics: Metrics = field(factory=Metrics)
    known: KnownAddresses = field(factory=KnownAddresses)
    choices: KeptChoices = field(factory=KeptChoices)
    clock: Clock = utc_now

    def gallery_for(self, request: Request) -> ImageGallery:
        """Raises `RuntimeError` when the host application has not opened one."""
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
        """Who sends it, asked once a request. Raises what `Authenticate` raises."""
        by, known = request.scope.get(_PRINCIPAL, (None, None))
        if isinstance(known, Principal) and by is self.authenticate:
            return known
        found = await self.ask(request)
        request.scope[_PRINCIPAL] = self.authenticate, found
        return found

    async def ask(self, request: Request) -> Principal:
        """The same, asked now, whatever was answered before."""
        principal = self.authenticate(request)
        if inspect.isawaitable(principal):
            principal = await principal
        return principal or Principal.anonymous()


@frozen
class Call:
    """One request being answered. ``json_limit`` is the operation's; ``headers`` are added to the answer."""

    host: Host
    request: Request
    gallery: ImageGallery
    principal: Principal
    json_limit: int
    headers: dict[str, str] = field(factory=dict)

    @property
    def api_root(self) -> str:
        """Where the API is, as a path of the server: mount point and prefix."""
        return api_root(self.request)

    @property
    def idempotency_key(self) -> str | None:
        return parse_key(self.request.headers.get(IDEMPOTENCY_KEY))

    def url(self, url: str) -> str:
        """A URL from a service as a client can use it: those relative to the API get its path in front."""
        return absolute(url, self.api_root)


def client_address(request: Request) -> str | None:
    """Who is at the other end, as trusted proxies tell it; nobody knows of a socket in the file system."""
    return request.client.host if request.client else None


def public_origin(request: Request) -> str:
    """Scheme and host by which the page that asks reaches us, also behind a proxy that ends TLS and that nobody told us
    to trust: a page that came by ``https`` lets its browser send nothing to ``http``, but to its own machine. To be
    told to who asked, and not to be kept: nothing but the page's own word says so.
    """
    page = (request.headers.get("Origin") or request.headers.get("Referer") or "").lower()
    host = request.url.netloc
    is_own_page = f"{page}/".startswith(f"https://{host.lower()}/")
    came_by_tls = page.startswith("https://") and not is_loopback(request.url.hostname or "")
    scheme = "https" if is_own_page or came_by_tls else request.url.scheme
    return f"{scheme}://{host}"


def api_root(request: Request) -> str:
    root_path: str = request.scope.get("root_path", "")
    return root_path.rstrip("/") + API_PREFIX


def absolute(url: str, root: str) -> str:
    """``url`` as it is if it is absolute, else below ``root``."""
    return f"{root}{url}" if url.startswith("/") else url
