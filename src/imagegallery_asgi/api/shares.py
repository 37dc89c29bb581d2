"""Shares: what their owner lets others do, by a link or by name."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from uuid import UUID

import msgspec

from imagegallery import Conflict, InvalidInput, NotFound, Permission
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import OWNER
from imagegallery.common.unset import UNSET, Unset
from imagegallery.errors import Fault
from imagegallery.sharing.share import RecipientKind, Share, ShareRecipient, ShareTarget
from imagegallery_asgi.api.documents import (
    created_share,
    cursor_accesses,
    cursor_pagination,
    received_document,
    share_document,
)
from imagegallery_asgi.api.pages import condition, tag_of
from imagegallery_asgi.api.requests import (
    AccessesQuery,
    CreateShare,
    DeleteShareQuery,
    ReceivedSharesQuery,
    RecipientBody,
    SharesQuery,
    TargetBody,
    UpdateShare,
)
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.shares import (
    CreatedShareDocument,
    ReceivedShareDocument,
    ShareAccessDocument,
    ShareDocument,
)
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, Repeats, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "POST",
    "/shares",
    "Share galleries, images or the library",
    status=HTTPStatus.CREATED,
    raises=(NotFound, Conflict),
    repeats=Repeats.REFUSED,
    permission=Permission.NONE,
)
async def create_share(call: Call, body: CreateShare) -> One[CreatedShareDocument]:
    created = await call.gallery.shares.create(
        call.principal,
        targets=_targets(body.targets),
        permissions=body.permissions,
        metadata=body.metadata,
        download=body.download,
        link=body.link,
        slug=body.slug,
        password=body.password,
        expires_at=body.expires_at,
        max_views=body.max_views,
        recipients=_recipients(body.recipients),
        note=body.note,
        starts_at=body.starts_at,
        approval=body.approval,
        guest_max_images=body.guest_max_images,
        guest_max_bytes=body.guest_max_bytes,
    )
    call.headers["Location"] = call.url(f"/shares/{created.share.id}")
    call.headers["Cache-Control"] = "no-store"
    return One(created_share(created, _url(call, created.share, created.token)))


@operation("GET", "/shares", "One's shares, newest first", needs_user=True, permission=Permission.NONE)
async def list_shares(call: Call, query: SharesQuery) -> CursorList[ShareDocument]:
    page = await call.gallery.shares.list(
        call.principal,
        gallery_id=query.gallery_id,
        image_id=query.image_id,
        with_revoked=query.with_revoked,
        cursor=query.cursor,
        limit=query.limit,
    )
    return CursorList(tuple(_document(call, each).data for each in page.items), cursor_pagination(page))


@operation(
    "GET",
    "/received-shares",
    "What others share with one, the latest first",
    needs_user=True,
    permission=Permission.NONE,
)
async def list_received_shares(call: Call, query: ReceivedSharesQuery) -> CursorList[ReceivedShareDocument]:
    """By name, by a verified address, by a group, and what one has kept of links."""
    page = await call.gallery.shares.received.list(call.principal, cursor=query.cursor, limit=query.limit)
    return CursorList(tuple(map(received_document, page.items)), cursor_pagination(page))


@operation(
    "GET",
    "/received-shares/{share_id}",
    "One of these; its owner sees that one has opened it",
    raises=(NotFound,),
    needs_user=True,
    permission=Permission.VIEW,
)
async def get_received_share(call: Call, share_id: UUID) -> One[ReceivedShareDocument]:
    return One(received_document(await call.gallery.shares.received.get(call.principal, share_id)))


@operation(
    "DELETE",
    "/received-shares/{share_id}",
    "Give back what somebody shares with one",
    raises=(NotFound, Conflict),
    permission=Permission.VIEW,
)
async def leave_share(call: Call, share_id: UUID) -> None:
    """What one has by a group, only its owner can end."""
    await call.gallery.shares.received.leave(call.principal, share_id)


@operation("GET", "/shares/{share_id}", "One share", raises=(NotFound,), needs_user=True, permission=OWNER)
async def get_share(call: Call, share_id: UUID) -> One[ShareDocument]:
    return _tagged(call, await call.gallery.shares.get(call.principal, share_id))


@operation(
    "PATCH",
    "/shares/{share_id}",
    "Change a share; it holds at once",
    raises=(NotFound, Conflict),
    holds_conditions=True,
    permission=OWNER,
)
async def update_share(call: Call, share_id: UUID, body: UpdateShare) -> One[ShareDocument]:
    changed = await call.gallery.shares.update(
        call.principal,
        share_id,
        targets=body.targets if isinstance(body.targets, Unset) else _targets(body.targets),
        permissions=body.permissions,
        metadata=body.metadata,
        download=body.download,
        slug=body.slug,
        password=body.password,
        expires_at=body.expires_at,
        max_views=UNSET if isinstance(body.max_views, msgspec.UnsetType) else body.max_views,
        recipients=body.recipients if isinstance(body.recipients, Unset) else _recipients(body.recipients),
        note=body.note,
        approval=body.approval,
        guest_max_images=_number(body.guest_max_images),
        guest_max_bytes=_number(body.guest_max_bytes),
        check=_condition(call),
    )
    return _tagged(call, changed)


@operation(
    "DELETE",
    "/shares/{share_id}",
    "End a share for everybody, at once",
    raises=(NotFound,),
    holds_conditions=True,
    permission=OWNER,
)
async def delete_share(call: Call, share_id: UUID, query: DeleteShareQuery) -> None:
    """Its link says that it was revoked, unless it is deleted permanently."""
    end = call.gallery.shares.delete if query.permanent else call.gallery.shares.revoke
    await end(call.principal, share_id, check=_condition(call))


@operation(
    "POST",
    "/shares/{share_id}/link",
    "Have a new link, in place of the one there is",
    raises=(NotFound, Conflict),
    repeats=Repeats.REFUSED,
    permission=OWNER,
)
async def rotate_share_link(call: Call, share_id: UUID) -> One[CreatedShareDocument]:
    created = await call.gallery.shares.rotate_link(call.principal, share_id)
    call.headers["Cache-Control"] = "no-store"
    return One(created_share(created, _url(call, created.share, created.token)))


@operation(
    "DELETE",
    "/shares/{share_id}/link",
    "End the link; recipients keep the share",
    raises=(NotFound, Conflict),
    permission=OWNER,
)
async def remove_share_link(call: Call, share_id: UUID) -> None:
    await call.gallery.shares.remove_link(call.principal, share_id)


@operation(
    "DELETE",
    "/shares/{share_id}/recipients/{recipient_id}",
    "Take a share from one of its recipients",
    raises=(NotFound,),
    permission=OWNER,
)
async def remove_share_recipient(call: Call, share_id: UUID, recipient_id: UUID) -> None:
    """Also from one who came by its link, and kept it."""
    await call.gallery.shares.remove_recipient(call.principal, share_id, recipient_id)


@operation(
    "GET",
    "/shares/{share_id}/accesses",
    "When and how often it was opened, the latest days first",
    raises=(NotFound,),
    needs_user=True,
    permission=OWNER,
)
async def list_share_accesses(call: Call, share_id: UUID, query: AccessesQuery) -> CursorList[ShareAccessDocument]:
    return cursor_accesses(
        await call.gallery.shares.accesses(call.principal, share_id, cursor=query.cursor, limit=query.limit)
    )


def _number(given: int | msgspec.UnsetType) -> int | Unset:
    return UNSET if isinstance(given, msgspec.UnsetType) else given


def _tagged(call: Call, share: Share) -> One[ShareDocument]:
    """The share, with its ETag for the next change."""
    document = _document(call, share)
    call.headers["ETag"] = tag_of(document)
    return document


def _condition(call: Call) -> Callable[[Share], None] | None:
    return condition(call, lambda share: _document(call, share))


def _document(call: Call, share: Share) -> One[ShareDocument]:
    return One(share_document(share, _url(call, share, None)))


def _url(call: Call, share: Share, token: str | None) -> str | None:
    """The page of its link, for people: by its name, or by the token while that is known."""
    name = share.slug or token
    return f"{call.root}/s/{name}" if share.has_link and name is not None else None


def _targets(given: Iterable[TargetBody]) -> list[ShareTarget]:
    """Raise `InvalidInput` for one that names nothing, or two things."""
    targets: list[ShareTarget] = []
    faults: list[Fault] = []
    for index, each in enumerate(given):
        if sum((each.gallery_id is not None, each.image_id is not None, each.library)) != 1:
            path = ("body", "targets", str(index))
            faults.append(Fault(path, "must be one of gallery_id, image_id and library"))
        targets.append(ShareTarget(each.gallery_id, each.image_id))
    _refuse(faults)
    return targets


def _recipients(given: Iterable[RecipientBody]) -> list[ShareRecipient]:
    """Raise `InvalidInput` for one that names nobody, or two."""
    recipients: list[ShareRecipient] = []
    faults: list[Fault] = []
    for index, each in enumerate(given):
        named = {kind: name for kind in RecipientKind if (name := getattr(each, kind.value)) is not None}
        if len(named) != 1:
            faults.append(Fault(("body", "recipients", str(index)), "must be one of user, email and group"))
            continue
        ((kind, name),) = named.items()
        recipients.append(
            ShareRecipient(
                kind,
                name,
                None if each.permissions is None else _flags(each.permissions),
                None if each.metadata is None else MetadataShown[each.metadata.upper()],
                None if each.download is None else DownloadAllowed[each.download.upper()],
            )
        )
    _refuse(faults)
    return recipients


def _flags(names: Iterable[str]) -> Permission:
    granted = Permission.NONE
    for name in names:
        granted |= Permission[name.upper()]
    return granted


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InvalidInput("; ".join(f"{'.'.join(each.path)} {each.message}" for each in faults[:3]), faults)
