"""Cached pages as responses: ETag, caching rules, and 304."""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from starlette.responses import Response

from imagegallery import Gallery, Image
from imagegallery.administration.policy_history import StandingPolicy
from imagegallery.cache.stale_while_revalidate import CacheResult
from imagegallery.clock import EPOCH, MICROSECOND
from imagegallery.galleries.pages import CachedPage, LoadedPage
from imagegallery.sharing.share import Share
from imagegallery_asgi.api.responses.administration import StandingPolicyDocument
from imagegallery_asgi.api.responses.common import CursorPagination, One, PagePagination
from imagegallery_asgi.api.responses.galleries import GalleryDetail
from imagegallery_asgi.api.responses.images import ImageDetail
from imagegallery_asgi.api.responses.shares import ShareDocument
from imagegallery_asgi.framework.context import Call, exchange_of
from imagegallery_asgi.framework.errors import StaleCondition
from imagegallery_asgi.framework.headers import has_tag, is_current, listed, names, quote_etag
from imagegallery_asgi.framework.json_schema import TypeForm
from imagegallery_asgi.framework.known_pages import Known
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer

D = TypeVar("D", Image, Gallery, Share, StandingPolicy)
R = TypeVar("R", ImageDetail, GalleryDetail, ShareDocument, StandingPolicyDocument)


class _Dated(msgspec.Struct):
    updated_at: datetime


class _Record(msgspec.Struct):
    """The part of a page about one thing that identifies its version."""

    data: _Dated


_READ = msgspec.json.Decoder(_Record)

KEPT_LIMITS: Final = frozenset((10, 12, 15, 20, 24, 25, 30, 40, 48, 50, 60, 75, 100))
"""Pages of these common sizes are cached. In a hundred sizes, one list would displace all others."""

UNKEPT_FIELDS: Final = frozenset(("tags",))
"""A tag that gets another name changes images without a notice."""

# Pages that all visitors share may be a minute old; a signed-in user sees every change at once, and asks each time.
SHARED = {"Cache-Control": "public, max-age=60, stale-while-revalidate=30", "Vary": "Authorization, Cookie"}
PRIVATE = {"Cache-Control": "private, no-cache"}


def page_response(call: Call, page: CachedPage, *, is_record: bool = False) -> Response:
    """The page, or 304 for a client that has it. ``is_record``: it is one image or gallery, which can be changed."""
    call.host.metrics.paged(page.result, began_refresh=page.began_refresh)
    # Whose address tells the principal, as that of a link, is asked for it each time.
    if page.ticket is not None and call.principal.link is None:
        known = Known(page.ticket, exchange_of(call.request).route, is_record=is_record)
        call.host.known.remember(call.request.scope, known)
    return _tagged(call, page.body, page_tag(page, is_record=is_record), SHARED if page.is_shared else PRIVATE)


def unkept_response(call: Call, document: object, *, updated_at: datetime | None = None) -> Response:
    """The same for a document made for this request; ``updated_at`` of one image."""
    body = msgspec.json.encode(document)
    call.host.metrics.paged(CacheResult.BYPASS, began_refresh=False)
    digest = _digest(body)
    return _tagged(call, body, quote_etag(digest) if updated_at is None else _record_tag(updated_at, digest), PRIVATE)


def page_tag(page: CachedPage, *, is_record: bool) -> str:
    """The ETag of a cached page."""
    if not is_record:
        return quote_etag(page.digest)
    return _record_tag(_READ.decode(page.body).data.updated_at, page.digest)


def tag_of(document: One[R]) -> str:
    """The ETag of one image or gallery, or of the policy. Its first part identifies the version, for conditional
    changes. The rest identifies the bytes: signed URLs change every half an hour, and caches must notice.
    """
    return _record_tag(document.data.updated_at, _digest(msgspec.json.encode(document)))


def condition(call: Call, document_of: Callable[[D], One[R]]) -> Callable[[D], None] | None:
    """The conditions ``If-Match``, ``If-None-Match`` and ``If-Unmodified-Since``, as a check that raises
    `StaleCondition` unless the thing is as its client has seen it; ``None``
    without any.
    """
    headers = call.request.headers
    if_match, if_none_match = listed(headers, "If-Match"), listed(headers, "If-None-Match")
    since = headers.get("If-Unmodified-Since")
    if if_match is None and if_none_match is None and since is None:
        return None

    def check(thing: D) -> None:
        tag = tag_of(document_of(thing))
        is_unwanted = has_tag(if_none_match, tag)
        if is_unwanted or not is_current(
            if_match, since, etag=tag, modified_at=thing.updated_at, same=_is_same_version
        ):
            raise StaleCondition("It was changed meanwhile: read it again.")

    return check


def _is_same_version(one: str, other: str) -> bool:
    return _version(one) == _version(other)


def _version(tag: str) -> str:
    return tag.partition("-")[0]


def _record_tag(updated_at: datetime, digest: str) -> str:
    return quote_etag(f"{(updated_at - EPOCH) // MICROSECOND:x}-{digest}")


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def loaded_page(document: object, pagination: CursorPagination | PagePagination) -> LoadedPage:
    """An encoded list, with the cursor for its next page."""
    next_cursor = pagination.nextCursor if isinstance(pagination, CursorPagination) else None
    return LoadedPage(msgspec.json.encode(document), next_cursor)


def page_answers(document: TypeForm) -> dict[int, DeclaredAnswer]:
    """The documented responses of an operation that returns such pages."""
    return {
        HTTPStatus.OK: DeclaredAnswer("Success.", (Content("application/json", document),), headers=("ETag",)),
        HTTPStatus.NOT_MODIFIED: DeclaredAnswer("It is what `If-None-Match` names.", headers=("ETag",)),
    }


def _tagged(call: Call, body: bytes, etag: str, caching: dict[str, str]) -> Response:
    if_match = listed(call.request.headers, "If-Match")
    if if_match is not None and not names(if_match, etag):
        raise StaleCondition("It is not what If-Match names.")
    headers = {"ETag": etag, **caching, **call.headers}
    if has_tag(listed(call.request.headers, "If-None-Match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, HTTPStatus.OK, headers, media_type="application/json")
