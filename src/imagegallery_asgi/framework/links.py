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
from imagegallery.sharing.link import OpenedShare, Visit
from imagegallery_asgi.framework.context import api_root, client_address, exchange_of, link_root
from imagegallery_asgi.framework.operations import LINK

VISIT_COOKIE: Final = "imagegallery_visit"
VISIT_HEADER: Final = "Share-Visit"
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
    """Open the link in the path of the request; guesses count as visitors' requests. Raises as `ShareService.open`."""
    address = client_address(request)
    await gallery.server.rates.admit_request(Principal.anonymous(), address)
    try:
        return await gallery.shares.open(
            request.path_params["link"],
            visit=request.headers.get(VISIT_HEADER) or request.cookies.get(VISIT_COOKIE),
            password=password,
            address=address,
            visitor=visitor,
            begins=begins,
        )
    except LinkMoved as moved:
        exchange_of(request).error_headers["Location"] = _moved_to(request, moved.slug)
        raise


def visit_cookie(request: Request, visit: Visit, now: datetime) -> str:
    """Has a browser send the visit with all that is below this link, and with nothing else."""
    cookie: SimpleCookie = SimpleCookie({VISIT_COOKIE: visit.token})
    cookie[VISIT_COOKIE].update(
        {
            "path": link_root(request),
            "max-age": str(max(0, int((visit.expires_at - now).total_seconds()))),
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
