"""Where a request for a file comes from: the page that a browser names, and the service's own pages."""

from collections.abc import Mapping

from imagegallery.access.hotlinks import AskingPage, origin_of
from imagegallery.http_options import ANY_ORIGIN
from imagegallery_asgi.framework.context import Call


def asking_page(headers: Mapping[str, str]) -> AskingPage:
    """What the request says of its page."""
    return AskingPage(
        headers.get("Origin"), headers.get("Referer"), headers.get("Sec-Fetch-Site"), headers.get("Sec-Fetch-Dest")
    )


def own_origins(call: Call) -> frozenset[str]:
    """The origins of the service and of the pages that may use the API: by its address in the settings and in the
    request, by either scheme, as a proxy may end TLS."""
    base, host = call.gallery.settings.delivery.base_url, call.request.url.netloc
    told = (base or "", f"http://{host}", f"https://{host}", *(each for each in call.host.cors if each != ANY_ORIGIN))
    return frozenset(filter(None, map(origin_of, told)))
