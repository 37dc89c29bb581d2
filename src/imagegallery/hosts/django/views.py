"""The files of pictures, under WSGI and ASGI."""

from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from imagegallery.access.hotlinks import AskingPage
from imagegallery.errors import HotlinkRefused, NotFound, ObjectNotFound, SignatureExpired, SignatureInvalid
from imagegallery.hosts.django.conf import gallery
from imagegallery.hosts.files import HostedFile, public_file, signed_file


@require_safe
def public(request: HttpRequest, key: str) -> HttpResponseBase:
    """A variant that everybody may see."""
    names = ("Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Dest")
    page = AskingPage(*map(request.headers.get, names))
    return _answer(request, lambda: public_file(gallery, key, page, request.get_host()))


@require_safe
def signed(request: HttpRequest, token: str) -> HttpResponseBase:
    """What a signed URL allows."""
    return _answer(request, lambda: signed_file(gallery, token))


def _answer(request: HttpRequest, find: Callable[[], HostedFile]) -> HttpResponseBase:
    try:
        file = find()
    except (SignatureInvalid, SignatureExpired, HotlinkRefused) as error:
        unkept = {"Cache-Control": "no-store"}
        return HttpResponse(error.message, status=403, content_type="text/plain", headers=unkept)
    except (NotFound, ObjectNotFound) as error:
        raise Http404(error.message) from None
    chunks = _in_threads(iter(file)) if isinstance(request, ASGIRequest) else iter(file)
    response: HttpResponseBase = StreamingHttpResponse(chunks, headers=dict(file.headers))
    modified_at = int(file.modified_at.timestamp())
    return get_conditional_response(request, file.headers["ETag"], modified_at, response)  # type: ignore[arg-type, return-value] # takes any


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same for an event loop, which must not wait."""
    following = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    while (chunk := await following()) is not None:
        yield chunk
