"""The files of pictures as an application of WSGI, for hosts that serve them without the HTTP package.

app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/pictures": picture_files(gallery)})
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from imagegallery.access.hotlinks import AskingPage
from imagegallery.errors import HotlinkRefused, NotFound, ObjectNotFound, SignatureExpired, SignatureInvalid
from imagegallery.hosts.files import HostedFile, public_file, signed_file
from imagegallery.sync.gallery import SyncGallery

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def picture_files(gallery: SyncGallery) -> "WSGIApplication":
    """Make an application that answers ``/files/…`` and ``/objects/…``, to be mounted where ``root`` of
    `imagegallery.picture` says."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _refuse(start_response, HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        try:
            file = _find(gallery, environ)
        except (SignatureInvalid, SignatureExpired, HotlinkRefused):
            return _refuse(start_response, HTTPStatus.FORBIDDEN)
        except (NotFound, ObjectNotFound):
            return _refuse(start_response, HTTPStatus.NOT_FOUND)
        if environ.get("HTTP_IF_NONE_MATCH") == file.headers["ETag"]:
            kept = {name: value for name, value in file.headers.items() if name != "Content-Length"}
            return _refuse(start_response, HTTPStatus.NOT_MODIFIED, kept)
        start_response("200 OK", [*file.headers.items()])
        return () if environ["REQUEST_METHOD"] == "HEAD" else file

    return answer


def _find(gallery: SyncGallery, environ: "WSGIEnvironment") -> HostedFile:
    """Raises `NotFound`, `ObjectNotFound`, `HotlinkRefused`, `SignatureInvalid` or `SignatureExpired`."""
    kind, _, rest = environ["PATH_INFO"].removeprefix("/").partition("/")
    if kind == "files":
        names = ("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_DEST")
        return public_file(gallery, rest, AskingPage(*map(environ.get, names)), environ.get("HTTP_HOST", ""))
    if kind == "objects":
        return signed_file(gallery, rest)
    raise NotFound.of("file")


def _refuse(start_response: "StartResponse", status: HTTPStatus, headers: dict[str, str] | None = None) -> list[bytes]:
    start_response(f"{status.value} {status.phrase}", [*(headers or {}).items()])
    return []
