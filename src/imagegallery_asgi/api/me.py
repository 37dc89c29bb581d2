"""The user of the request, and their storage."""

from collections.abc import Mapping
from typing import Final

from imagegallery import Permission, Role
from imagegallery_asgi.api.responses.common import One
from imagegallery_asgi.api.responses.me import MeDocument, RoleName
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

_ROLES: Final[Mapping[Role, RoleName]] = {
    Role.MEMBER: "member",
    Role.MODERATOR: "moderator",
    Role.ADMIN: "admin",
}


@operation(
    "GET",
    "/me",
    "Who one is to this service: role, storage used, its limit, and what is on its way",
    needs_user=True,
    permission=Permission.NONE,
)
async def get_me(call: Call) -> One[MeDocument]:
    user_id = call.principal.require_user()
    room = await call.gallery.uploads.room(call.principal)
    return One(
        MeDocument(
            id=user_id,
            role=_ROLES[call.principal.role],
            storage_used=room.used,
            storage_limit=room.limit,
            storage_reserved=room.awaited,
            open_uploads=room.open,
            max_open_uploads=room.max_open,
            pending_guest_uploads=await call.gallery.contributions.count_pending(call.principal),
            guests_may_upload=call.gallery.uploads.takes_guests(),
        )
    )
