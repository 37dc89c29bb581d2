"""The files that URLs of this application lead to, for hosts that serve them without the HTTP package."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Final

from attrs import frozen

from imagegallery.access.hotlinks import AskingPage, origin_of
from imagegallery.clock import utc_now
from imagegallery.common.disposition import attachment
from imagegallery.errors import NotFound
from imagegallery.gallery import ImageGallery
from imagegallery.images.public_files import PublicFiles
from imagegallery.storage.keys import content_type_of
from imagegallery.storage.protocol import ObjectInfo, ObjectStream, ServesDownloads, SignedObject, SignedStream
from imagegallery.sync.gallery import SyncGallery

# They can run no code, and pages under cross-origin isolation may show them.
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
Opening = Callable[[ImageGallery], AbstractAsyncContextManager[ObjectStream | SignedStream]]


@frozen
class HostedFile:
    """A file as a response: its ``headers``, and its bytes in chunks when it is iterated over."""

    headers: Mapping[str, str]
    modified_at: datetime
    _chunks: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks()


def public_file(gallery: SyncGallery, key: str, page: AskingPage, host: str) -> HostedFile:
    """What ``/files/{key}`` leads to, for a page. Those of this ``host`` (with its port, unless it is the usual one)
    are the application's own.

    Raises:
        NotFound: Unless everybody may fetch it now.
        HotlinkRefused: If its owner does not let this page show it.
    """
    rule = gallery.call(lambda opened: opened.service(PublicFiles).find(key))
    rule.require(page, [origin for scheme in ("http", "https") if (origin := origin_of(f"{scheme}://{host}"))])
    info = gallery.call(lambda opened: opened.server.store.head(key))
    headers = {"Content-Type": content_type_of(key), "Cache-Control": rule.cache_control}
    return _hosted(gallery, info, headers, lambda opened: opened.server.store.get(key))


def signed_file(gallery: SyncGallery, token: str) -> HostedFile:
    """What ``/objects/{token}`` leads to; the token is not percent-encoded.

    Raises:
        SignatureInvalid: For a token that was altered.
        SignatureExpired: After its time.
        NotFound: If the object is gone, or the store signs URLs of its own.
    """

    async def described(opened: ImageGallery) -> SignedObject:
        return await _downloads(opened).describe(token)

    signed = gallery.call(described)
    left = max(0, int((signed.expires_at - utc_now()).total_seconds()))
    headers = {"Content-Type": signed.content_type, "Cache-Control": f"private, max-age={left}"}
    if signed.download_as is not None:
        headers["Content-Disposition"] = attachment(signed.download_as)
    return _hosted(gallery, signed.info, headers, lambda opened: _downloads(opened).open(token))


def _downloads(opened: ImageGallery) -> ServesDownloads:
    if opened.server.downloads is None:
        raise NotFound("The objects of this application have addresses of their own.")
    return opened.server.downloads


def _hosted(gallery: SyncGallery, info: ObjectInfo, headers: Mapping[str, str], opening: Opening) -> HostedFile:
    described = {
        "Content-Length": str(info.size),
        "ETag": f'"{info.etag}"',
        "Last-Modified": format_datetime(info.modified_at, usegmt=True),
    }
    return HostedFile({**headers, **described, **_SAFE}, info.modified_at, partial(_chunks, gallery, opening))


def _chunks(gallery: SyncGallery, opening: Opening) -> Iterator[bytes]:
    """Opened when the first chunk is asked for, as a host may ask for none."""
    with gallery.enter(opening) as stream:
        yield from gallery.each(stream.chunks)
