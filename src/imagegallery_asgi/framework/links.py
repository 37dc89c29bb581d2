"""What is below a share's link, ``/s/{link}``: for who came by it, and as that alone."""

from collections.abc import Mapping
from datetime import datetime
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from imagegallery import ImageGallery, Principal
from imagegallery.errors import LinkMoved
from imagegallery.sharing.link import Guest, OpenedShare, Visit
from imagegallery_asgi.framework.context import api_root, client_address, exchange_of, link_root, page_of_link
from imagegallery_asgi.framework.operations import LINK

VISIT_COOKIE: Final = "imagegallery_visit"
VISIT_HEADER: Final = "Share-Visit"
GUEST_COOKIE: Final = "imagegallery_guest"
GUEST_HEADER: Final = "Share-Guest"
# A guest is one as long as the password and the link of the share are the same; browsers forget them in a year.
_GUEST_SECONDS: Final = 365 * 86_400
# What a link shows is for who has the link: not for search engines, and not for caches that others share.
HEADERS: Final[Mapping[str, str]] = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "private, no-cache"}


async def open_link(
    gallery: ImageGallery,
    request: Request,
    *,
    begins: bool,
    password: str | None = None,
    visitor: Principal | None = None,
) -> OpenedShare:
    """Open the link in the path of the request; guesses count as visitors' requests. Raises as `LinkService.open`."""
    address = client_address(request)
    await gallery.server.rates.admit_request(Principal.anonymous(), address)
    try:
        return await gallery.shares.links.open(
            request.path_params["link"],
            visit=request.headers.get(VISIT_HEADER) or request.cookies.get(VISIT_COOKIE),
            guest=request.headers.get(GUEST_HEADER) or request.cookies.get(GUEST_COOKIE),
            password=password,
            address=address,
            visitor=visitor,
            begins=begins,
        )
    except LinkMoved as moved:
        exchange_of(request).error_headers["Location"] = _moved_to(request, moved.slug)
        raise


def visit_cookies(request: Request, visit: Visit, now: datetime) -> list[str]:
    """Have a browser send the visit with all that is below this link, and with its page, and with nothing else: the one
    that was let in by one link need not be by another."""
    seconds = max(0, int((visit.expires_at - now).total_seconds()))
    return [
        _cookie(request, VISIT_COOKIE, visit.token, seconds, path)
        for path in (link_root(request), page_of_link(request))
    ]


def guest_cookie(request: Request, guest: Guest) -> str:
    """The same for the name that somebody gave, which the page does not need."""
    return _cookie(request, GUEST_COOKIE, guest.token, _GUEST_SECONDS, link_root(request))


def _cookie(request: Request, name: str, token: str, seconds: int, path: str) -> str:
    cookie: SimpleCookie = SimpleCookie({name: token})
    cookie[name].update(
        {
            "path": path,
            "max-age": str(seconds),
            "httponly": "true",
            "samesite": "Lax",
            **({"secure": "true"} if request.url.scheme == "https" else {}),
        }
    )
    return cookie.output(header="").strip()


def make_private(response: Response) -> None:
    """What says that nobody may store it keeps saying so."""
    kept = response.headers.get("Cache-Control", "")
    response.headers.update({**HEADERS, **({"Cache-Control": kept} if "no-store" in kept else {})})


def _moved_to(request: Request, slug: str) -> str:
    """The same address with the present name of the link."""
    root = api_root(request)
    before = LINK.format(link=request.path_params["link"])
    rest = request.scope["path"].removeprefix(f"{root}{before}")
    query = request.scope["query_string"].decode("latin-1")
    return f"{root}{LINK.format(link=slug)}{quote(rest)}{f'?{query}' if query else ''}"
