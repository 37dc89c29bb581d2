"""All that is kept of a user: an archive of it, and its end."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from uuid import UUID

from attrs import frozen
from starlette.responses import Response

from imagegallery import Conflict, NotFound, Permission
from imagegallery.access.permission import OWNER
from imagegallery.errors import ObjectNotFound, RateLimited
from imagegallery.privacy.archive import Archive
from imagegallery.storage.protocol import ByteRange
from imagegallery_asgi.api.documents import document
from imagegallery_asgi.api.responses.common import CursorList, CursorPagination, One
from imagegallery_asgi.api.responses.me import ErasureDocument, ExportDocument
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import RangeNotSatisfiable
from imagegallery_asgi.framework.headers import quote_etag
from imagegallery_asgi.framework.object_response import ObjectResponse, OpenedObject, Representation
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

ZIP = Content("application/zip")
_ARCHIVE = {
    200: DeclaredAnswer("The whole archive.", (ZIP,), headers=("ETag", "Last-Modified", "Accept-Ranges")),
    206: DeclaredAnswer("The range asked for.", (ZIP,), headers=("ETag", "Content-Range")),
    304: DeclaredAnswer("Not changed since.", headers=("ETag",)),
}


@operation(
    "POST",
    "/me/export",
    "Have an archive made of all that is kept of one",
    status=HTTPStatus.ACCEPTED,
    raises=(Conflict, RateLimited),
    permission=Permission.NONE,
)
async def request_export(call: Call) -> One[ExportDocument]:
    """Originals, an XMP sidecar beside each, and every row of the database about the user, as of the moment when a
    worker begins. Follow its `state` at the `Location`. There is one at a time: while it is there, this answers it.
    """
    export = await call.gallery.exports.request(call.principal)
    call.headers["Location"] = call.url(f"/me/exports/{export.id}")
    return One(document(ExportDocument, export))


@operation("GET", "/me/exports", "One's exports, latest first", needs_user=True, permission=Permission.NONE)
async def list_exports(call: Call) -> CursorList[ExportDocument]:
    exports = await call.gallery.exports.list(call.principal)
    return CursorList(tuple(document(ExportDocument, each) for each in exports), CursorPagination(None, False))


@operation(
    "GET",
    "/me/exports/{export_id}",
    "One export, with its state and progress",
    raises=(NotFound,),
    needs_user=True,
    permission=OWNER,
)
async def get_export(call: Call, export_id: UUID) -> One[ExportDocument]:
    return One(document(ExportDocument, await call.gallery.exports.get(call.principal, export_id)))


@operation(
    "DELETE",
    "/me/exports/{export_id}",
    "Delete what was made for an export",
    raises=(NotFound,),
    permission=OWNER,
)
async def delete_export(call: Call, export_id: UUID) -> None:
    await call.gallery.exports.delete(call.principal, export_id)


@operation(
    "GET",
    "/me/exports/{export_id}/archive",
    "The archive of an export: a ZIP file",
    raises=(NotFound, Conflict, ObjectNotFound, RangeNotSatisfiable),
    answers=_ARCHIVE,
    needs_user=True,
    answers_head=True,
    holds_conditions=True,
    permission=OWNER,
)
async def get_archive(call: Call, export_id: UUID) -> Response:
    """The same to the byte each time: a download that broke off goes on with `Range` and `If-Range`, also days later.
    It is not ready before the export's `state` is `ready` (409).
    """
    return ObjectResponse(_ServedArchive(await call.gallery.exports.archive(call.principal, export_id)))


@operation(
    "POST",
    "/me/erase",
    "Have all that is kept of one erased",
    status=HTTPStatus.ACCEPTED,
    raises=(Conflict,),
    permission=Permission.NONE,
)
async def request_erasure(call: Call) -> One[ErasureDocument]:
    """At once nobody else sees any of it: images and galleries are private, shares end. At `erase_at` it is deleted,
    and nothing is left but a receipt of how much there was, which names nobody. Asked again, the answer is the same.
    """
    return One(document(ErasureDocument, await call.gallery.erasures.request(call.principal)))


@operation(
    "GET",
    "/me/erase",
    "How far the erasure is",
    raises=(NotFound,),
    needs_user=True,
    permission=Permission.NONE,
)
async def get_erasure(call: Call) -> One[ErasureDocument]:
    """While it is `telling`, its `counts` are the receipt. When webhooks have received it, too, the service does not
    know the user any more (404).
    """
    return One(document(ErasureDocument, await call.gallery.erasures.get(call.principal)))


@operation("DELETE", "/me/erase", "Stay", raises=(NotFound, Conflict), permission=Permission.NONE)
async def cancel_erasure(call: Call) -> None:
    """Nothing is erased, and what was public is so again. Shares that were ended stay so."""
    await call.gallery.erasures.cancel(call.principal)


@frozen
class _ServedArchive:
    archive: Archive

    async def describe(self) -> Representation:
        archive = self.archive
        return Representation(
            archive.etag,
            "application/zip",
            archive.size,
            quote_etag(archive.etag),
            archive.made_at,
            "private, no-cache",
            archive.name,
        )

    @asynccontextmanager
    async def open(self, byte_range: ByteRange | None) -> AsyncIterator[OpenedObject]:
        async with aclosing(self.archive.read(byte_range)) as chunks:
            yield OpenedObject(await self.describe(), chunks)
