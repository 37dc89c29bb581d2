"""Links of shares: what all who have one see. Below `/s/{link}` are all operations with `x-for-links`, with the same
paths and documents, so that a client of this API is one of a link by another base URL.
"""

from http import HTTPStatus
from typing import Annotated

from imagegallery import Conflict, Forbidden, InvalidInput, NotFound, Permission, Principal, Unauthenticated
from imagegallery.errors import LinkMoved, PasswordRequired, RateLimited, ShareEnded, VisitRequired, WrongPassword
from imagegallery.sharing.link import OpenedShare
from imagegallery_asgi.api.documents import document, link_document, received_document
from imagegallery_asgi.api.requests import NameGuest, OpenShareQuery, UnlockLink
from imagegallery_asgi.api.responses.common import One
from imagegallery_asgi.api.responses.shares import GuestDocument, LinkDocument, ReceivedShareDocument
from imagegallery_asgi.framework.constraints import example
from imagegallery_asgi.framework.context import Call, client_address
from imagegallery_asgi.framework.links import (
    GUEST_COOKIE,
    GUEST_HEADER,
    VISIT_COOKIE,
    VISIT_HEADER,
    guest_cookie,
    open_link,
    visit_cookies,
)
from imagegallery_asgi.framework.operations import LINK, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

LinkName = Annotated[str, example("kT3v0c2mQy7rZ9xL4bWn8sHd")]
_RAISES = (NotFound, LinkMoved, ShareEnded, PasswordRequired, RateLimited)
_GUEST_HEADERS = {
    GUEST_HEADER: f"The `token` of an earlier answer; browsers send it as the cookie `{GUEST_COOKIE}`.",
}
_HEADERS = {VISIT_HEADER: f"The `visit` of an earlier answer; browsers send it as the cookie `{VISIT_COOKIE}`."}


@operation(
    "GET",
    LINK,
    "Open a link",
    raises=(*_RAISES, VisitRequired),
    headers={**_HEADERS, **_GUEST_HEADERS},
    needs_principal=False,
    permission=Permission.NONE,
)
async def open_share(call: Call, link: LinkName, query: OpenShareQuery) -> One[LinkDocument]:
    """Each opening without a visit that goes on counts as a view, and begins one. HEAD counts nothing."""
    begins = query.begins and call.request.method != "HEAD"
    opened = await open_link(call.gallery, call.request, begins=begins, visitor=await _signed_in(call))
    return await _shown(call, opened)


@operation(
    "POST",
    f"{LINK}/unlock",
    "Open a link by its password",
    raises=(*_RAISES, WrongPassword),
    needs_principal=False,
    is_safe=True,  # what somebody sees by it changes nothing
    permission=Permission.NONE,
)
async def unlock_share(call: Call, link: LinkName, body: UnlockLink) -> One[LinkDocument]:
    """It counts as a view, and begins a visit. The same address has a few tries at the password of a link."""
    opened = await open_link(
        call.gallery, call.request, begins=True, password=body.password, visitor=await _signed_in(call)
    )
    return await _shown(call, opened)


@operation(
    "POST",
    f"{LINK}/join",
    "Keep what a link shares, as a user",
    raises=(*_RAISES, Conflict, Unauthenticated),
    headers=_HEADERS,
    needs_principal=False,
    permission=Permission.NONE,
)
async def join_share(call: Call, link: LinkName) -> One[ReceivedShareDocument]:
    """It is then among `/received-shares` and `/galleries?shared=with-me`, until its owner ends it or the user leaves
    it, whatever becomes of the link. A link with a password is opened first. May be repeated."""
    principal = await call.host.principal_of(call.request)
    principal.require_user()
    opened = await open_link(call.gallery, call.request, begins=False, visitor=principal)
    return One(received_document(await call.gallery.shares.received.join(principal, opened)))


@operation(
    "POST",
    f"{LINK}/guests",
    "Say who one is, to add images by a link",
    status=HTTPStatus.CREATED,
    raises=(*_RAISES, InvalidInput, Forbidden),
    headers={**_HEADERS, **_GUEST_HEADERS},
    needs_principal=False,
    is_safe=True,  # nothing is kept of it here
    permission=Permission.NONE,
)
async def name_guest(call: Call, link: LinkName, body: NameGuest) -> One[GuestDocument]:
    """A name is no account, and anybody may give any. A client that sends the `token` with this stays the same guest,
    under another name."""
    opened = await open_link(call.gallery, call.request, begins=False)
    guest = await call.gallery.shares.links.name_guest(opened, body.name, address=client_address(call.request))
    call.cookies.append(guest_cookie(call.request, guest))
    call.headers["Cache-Control"] = "private, no-store"
    return One(document(GuestDocument, guest))


async def _shown(call: Call, opened: OpenedShare) -> One[LinkDocument]:
    """What is shared, as who came by the link sees it."""
    targets = await call.gallery.shares.links.targets(opened)
    gallery_ids = [each.gallery_id for each in targets if each.gallery_id is not None]
    image_ids = [each.image_id for each in targets if each.image_id is not None]
    galleries = await call.gallery.galleries.get_many(opened.principal, gallery_ids)
    images = await call.gallery.images.get_many(opened.principal, image_ids)
    if opened.visit is not None:
        call.cookies.extend(visit_cookies(call.request, opened.visit, call.host.clock()))
    call.headers["Cache-Control"] = "private, no-store"
    has_library = any(each.is_library for each in targets)
    return One(
        link_document(
            opened,
            galleries.values(),
            images.values(),
            call.api_root,
            has_library=has_library,
            takes_uploads=Permission.ADD_IMAGES in opened.share.permissions and call.gallery.uploads.takes_guests(),
        )
    )


async def _signed_in(call: Call) -> Principal | None:
    """Who is signed in where the link is opened, if anybody is: only to note which recipient it was."""
    try:
        return await call.host.principal_of(call.request)
    except (Unauthenticated, Forbidden):
        return None
