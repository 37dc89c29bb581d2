"""The files of pictures as an application of WSGI, for hosts that serve them without the HTTP package.

app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/pictures": picture_files(gallery)})
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from imagegallery.errors import NotFound, ObjectNotFound, SignatureExpired, SignatureInvalid
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
            file = _find(gallery, environ["PATH_INFO"])
        except (SignatureInvalid, SignatureExpired):
            return _refuse(start_response, HTTPStatus.FORBIDDEN)
        except (NotFound, ObjectNotFound):
            return _refuse(start_response, HTTPStatus.NOT_FOUND)
        if environ.get("HTTP_IF_NONE_MATCH") == file.headers["ETag"]:
            kept = {name: value for name, value in file.headers.items() if name != "Content-Length"}
            return _refuse(start_response, HTTPStatus.NOT_MODIFIED, kept)
        start_response("200 OK", [*file.headers.items()])
        return () if environ["REQUEST_METHOD"] == "HEAD" else file

    return answer


def _find(gallery: SyncGallery, path: str) -> HostedFile:
    """Raises `NotFound`, `ObjectNotFound`, `SignatureInvalid` or `SignatureExpired`."""
    kind, _, rest = path.removeprefix("/").partition("/")
    if kind == "files":
        return public_file(gallery, rest)
    if kind == "objects":
        return signed_file(gallery, rest)
    raise NotFound.of("file")


def _refuse(start_response: "StartResponse", status: HTTPStatus, headers: dict[str, str] | None = None) -> list[bytes]:
    start_response(f"{status.value} {status.phrase}", [*(headers or {}).items()])
    return []
