"""Pages that the gallery keeps encoded, as answers: their tag, who may keep them for how long, and 304."""

from collections.abc import Callable
from hashlib import blake2b
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.responses import Response

from imagegallery import CachedPage, CacheResult, Gallery, Image, LoadedPage
from imagegallery_asgi.addresses import Known
from imagegallery_asgi.answers import CursorList
from imagegallery_asgi.call import Call
from imagegallery_asgi.errors import StaleCondition
from imagegallery_asgi.headers import has_tag, is_current, listed, quote_etag
from imagegallery_asgi.middleware import exchange_of
from imagegallery_asgi.operations import Answer, Content
from imagegallery_asgi.typeforms import TypeForm

# What every visitor gets alike may be a minute old; who signs in sees every change at once, and asks each time.
SHARED = {"Cache-Control": "public, max-age=60, stale-while-revalidate=30", "Vary": "Authorization, Cookie"}
PRIVATE = {"Cache-Control": "private, no-cache"}


def page_response(call: Call, page: CachedPage) -> Response:
    """The page, or 304 to who has it already."""
    call.host.metrics.paged(page.result, began_refresh=page.began_refresh)
    if page.ticket is not None:
        call.host.known.remember(call.request.scope, Known(page.ticket, exchange_of(call.request).route))
    return _tagged(call, page.body, page.digest, SHARED if page.is_shared else PRIVATE)


def unkept_response(call: Call, document: object) -> Response:
    """The same for a document that is made for this request."""
    body = msgspec.json.encode(document)
    call.host.metrics.paged(CacheResult.BYPASS, began_refresh=False)
    return _tagged(call, body, blake2b(body, digest_size=16).hexdigest(), PRIVATE)


def tag_of(document: object) -> str:
    """The ETag of a document as `unkept_response` answers it, and as pages that are kept are answered."""
    return quote_etag(blake2b(msgspec.json.encode(document), digest_size=16).hexdigest())


D = TypeVar("D", Image, Gallery)


def condition(call: Call, document_of: Callable[[D], object]) -> Callable[[D], None] | None:
    """What ``If-Match`` and ``If-Unmodified-Since`` ask for, as a check that raises `StaleCondition` unless the
    document of the thing is the one that its client has seen; ``None`` if they ask for nothing."""
    if_match = listed(call.request.headers, "If-Match")
    since = call.request.headers.get("If-Unmodified-Since")
    if if_match is None and since is None:
        return None

    def check(thing: D) -> None:
        if not is_current(if_match, since, etag=tag_of(document_of(thing)), modified_at=thing.updated_at):
            raise StaleCondition("It was changed meanwhile: read it again.")

    return check


def loaded_page(document: object) -> LoadedPage:
    """A list, encoded, and the cursor that leads on from it."""
    next_cursor = document.pagination.nextCursor if isinstance(document, CursorList) else None
    return LoadedPage(msgspec.json.encode(document), next_cursor)


def page_answers(document: TypeForm) -> dict[int, Answer]:
    """What is documented of an operation that answers so."""
    return {
        HTTPStatus.OK: Answer("Success.", (Content("application/json", document),), headers=("ETag",)),
        HTTPStatus.NOT_MODIFIED: Answer("It is what `If-None-Match` names.", headers=("ETag",)),
    }


def _tagged(call: Call, body: bytes, digest: str, caching: dict[str, str]) -> Response:
    etag = quote_etag(digest)
    headers = {"ETag": etag, **caching, **call.headers}
    if has_tag(listed(call.request.headers, "If-None-Match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, HTTPStatus.OK, headers, media_type="application/json")
