"""What both protocols of resumable uploads share at the edge: reading fields, and naming what went wrong."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from starlette.datastructures import Headers
from starlette.requests import Request

from imagegallery import UploadEnded, UploadSession
from imagegallery_asgi.call import Call
from imagegallery_asgi.errors import UploadGone

TUS_HEADER = "Tus-Resumable"
PATH = "/uploads/resumable"


def is_tus(request: Request) -> bool:
    return TUS_HEADER in request.headers


def fields(request: Request) -> Mapping[str, str]:
    """The header fields by name, in any case; one that came in several lines is one (RFC 9110 section 5.3)."""
    return Headers({name: ", ".join(request.headers.getlist(name)) for name in request.headers})


def location(call: Call, session: UploadSession) -> str:
    return call.url(f"{PATH}/{session.id}")


@contextmanager
def in_its_terms(_call: Call) -> Iterator[None]:
    """An upload that is over is gone, where the upload is what was asked for."""
    try:
        yield
    except UploadEnded as error:
        raise UploadGone(error.message) from error


@asynccontextmanager
async def whole_or_nothing(call: Call, session: UploadSession) -> AsyncIterator[None]:
    """For bytes that come with the request that begins an upload: if it fails, nobody knows the upload's address."""
    try:
        yield
    except BaseException:
        await call.gallery.uploads.resumable.give_up(session.id)
        raise
