"""What others add to an owner's galleries, by shares: the owner's inbox, and what guests see and take back of their
own."""

from uuid import UUID

from imagegallery import Forbidden, InvalidInput, NotFound, Permission
from imagegallery.contributions.contribution import ShownContribution, Verdict
from imagegallery.errors import Fault, StillReferenced
from imagegallery_asgi.api.common import LONG_LIST
from imagegallery_asgi.api.documents import added_by, cursor_pagination, document, image_summary
from imagegallery_asgi.api.requests import ContributionsQuery, DecideContributions, UploadsQuery
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.contributions import ContributionDocument, VerdictDocument
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "GET",
    "/guest-uploads",
    "What others added to one's galleries by shares, latest first: by default what waits to be approved",
    needs_user=True,
    permission=Permission.NONE,
)
async def list_guest_uploads(call: Call, query: ContributionsQuery) -> CursorList[ContributionDocument]:
    page = await call.gallery.contributions.list(
        call.principal, state=query.state, share_id=query.share_id, cursor=query.cursor, limit=query.limit
    )
    return CursorList(tuple(_document(each, call.api_root) for each in page.items), cursor_pagination(page))


@operation(
    "POST",
    "/guest-uploads/approve",
    "Let images that wait into the galleries that they are for: some, or up to 1,000 at once",
    raises=(InvalidInput,),
    json_limit=LONG_LIST,
    permission=Permission.NONE,
)
async def approve_guest_uploads(call: Call, body: DecideContributions) -> One[VerdictDocument]:
    """`image_ids`, or `all` of them, also of one share (`share_id`). May be repeated."""
    return _verdict(await call.gallery.contributions.approve(call.principal, _chosen(body), share_id=body.share_id))


@operation(
    "POST",
    "/guest-uploads/reject",
    "Delete images that wait, for good: some, or up to 1,000 at once",
    raises=(InvalidInput,),
    json_limit=LONG_LIST,
    permission=Permission.NONE,
)
async def reject_guest_uploads(call: Call, body: DecideContributions) -> One[VerdictDocument]:
    """`image_ids`, or `all` of them, also of one share (`share_id`). May be repeated."""
    return _verdict(await call.gallery.contributions.reject(call.principal, _chosen(body), share_id=body.share_id))


@operation(
    "GET",
    "/guest-uploads/mine",
    "What one added oneself to others' galleries, latest first: also what waits to be approved",
    needs_user=True,
    for_links=True,
    permission=Permission.NONE,
)
async def list_own_guest_uploads(call: Call, query: UploadsQuery) -> CursorList[ContributionDocument]:
    """By a link: what was added under the name that the guest gave there."""
    page = await call.gallery.contributions.mine(call.principal, cursor=query.cursor, limit=query.limit)
    return CursorList(tuple(_document(each, call.api_root) for each in page.items), cursor_pagination(page))


@operation(
    "DELETE",
    "/guest-uploads/mine/{contribution_id}",
    "Take back what one added: out of all galleries, into the trash of its owner, or gone if it still waits",
    raises=(NotFound, Forbidden, StillReferenced),
    for_links=True,
    permission=Permission.NONE,
)
async def withdraw_guest_upload(call: Call, contribution_id: UUID) -> None:
    """Its id is that of the image."""
    await call.gallery.contributions.withdraw(call.principal, contribution_id)


def _document(shown: ShownContribution, root: str) -> ContributionDocument:
    return document(
        ContributionDocument,
        shown.contribution,
        added_by=added_by(shown.contribution.added_by),
        image=image_summary(shown.image, root),
    )


def _verdict(verdict: Verdict) -> One[VerdictDocument]:
    return One(document(VerdictDocument, verdict))


def _chosen(body: DecideContributions) -> tuple[UUID, ...] | None:
    """The ids, or ``None`` for all. Raises `InvalidInput` unless it is one of the two."""
    if (body.image_ids is None) is not body.all:
        fault = Fault(("body", "image_ids"), "must be given, or all, and not both")
        raise InvalidInput("Say which images, or all of them.", [fault])
    return body.image_ids
