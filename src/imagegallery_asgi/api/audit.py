"""The audit: acts that matter for security, with the one that did each, by what right and from where."""

from attrs import asdict

from imagegallery import Permission, Role
from imagegallery.audit.entry import AuditRecord
from imagegallery_asgi.api.documents import cursor_pagination, document
from imagegallery_asgi.api.requests import AuditQuery, EveryAuditQuery
from imagegallery_asgi.api.responses.audit import ActorDocument, AuditRecordDocument
from imagegallery_asgi.api.responses.common import CursorList
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "GET",
    "/audit",
    "What was done to one's own things, latest first",
    needs_user=True,
    permission=Permission.NONE,
)
async def list_audit(call: Call, query: AuditQuery) -> CursorList[AuditRecordDocument]:
    """Deletions, what opens and closes, shares, and downloads of originals by others. The records of a thing stay when
    it is gone; others' things have none here."""
    page = await call.gallery.audit.list(
        call.principal,
        image_id=query.image_id,
        gallery_id=query.gallery_id,
        share_id=query.share_id,
        cursor=query.cursor,
        limit=query.limit,
    )
    return CursorList(tuple(map(audit_document, page.items)), cursor_pagination(page))


@operation(
    "GET",
    "/admin/audit",
    "What was done to everybody's things, latest first",
    role=Role.ADMIN,
    permission=Permission.NONE,
)
async def list_every_audit(call: Call, query: EveryAuditQuery) -> CursorList[AuditRecordDocument]:
    page = await call.gallery.audit.all(call.principal, **asdict(query))
    return CursorList(tuple(map(audit_document, page.items)), cursor_pagination(page))


def audit_document(kept: AuditRecord) -> AuditRecordDocument:
    entry, origin = kept.entry, kept.origin
    return document(
        AuditRecordDocument,
        entry,
        id=kept.id,
        happened_at=kept.happened_at,
        actor=document(ActorDocument, entry.actor),
        address=origin.address,
        request_id=origin.request_id,
        user_agent=origin.user_agent,
    )
