"""What both protocols of resumable uploads share at the edge: reading fields, and naming what went wrong."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import Request

from imagegallery import ImageGalleryError, UploadEnded, UploadSession, UploadState
from imagegallery.uploads.resumable.rules import UploadPiece
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import UploadGone
from imagegallery_asgi.framework.metrics import ACCEPTED

TUS_HEADER = "Tus-Resumable"
PATH = "/uploads/resumable"


def is_tus(request: Request) -> bool:
    return TUS_HEADER in request.headers


def fields(request: Request) -> Mapping[str, str]:
    """The header fields by name, in any case; one that came in several lines is one (RFC 9110 section 5.3)."""
    lines: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        lines.setdefault(name, []).append(value)
    return Headers({name: ", ".join(values) for name, values in lines.items()})


def location(call: Call, session: UploadSession) -> str:
    return call.url(f"{PATH}/{session.id}")


@contextmanager
def in_its_terms() -> Iterator[None]:
    """An upload that is over is gone, where the upload is what was asked for."""
    try:
        yield
    except UploadGone:
        raise
    except UploadEnded as error:
        raise UploadGone(error.message) from error


async def append_body(call: Call, upload_id: UUID, piece: UploadPiece) -> UploadSession:
    """Add the request's body to the upload; if that ends it, count what became of it."""
    uploads, metrics = call.gallery.uploads, call.host.metrics
    try:
        session = await uploads.server.resumable.append(call.principal, upload_id, call.request.stream(), piece)
    except ImageGalleryError as error:
        with suppress(ImageGalleryError):
            if (await uploads.get(call.principal, upload_id)).state is UploadState.REJECTED:
                metrics.ended_upload(error.code)
        raise
    if session.state is UploadState.COMPLETED:
        metrics.ended_upload(ACCEPTED)
    return session


@asynccontextmanager
async def whole_or_nothing(call: Call, session: UploadSession) -> AsyncIterator[None]:
    """For bytes that come with the request that begins an upload: if it fails, nobody knows the upload's address,
    unless by an ``Idempotency-Key``."""
    try:
        yield
    except BaseException:
        if call.idempotency_key is not None:
            raise
        await call.gallery.uploads.server.resumable.give_up(session.id)
        raise
