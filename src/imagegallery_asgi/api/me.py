"""Who asks, and the room they have."""

from imagegallery_asgi.api.responses import MeDocument, One
from imagegallery_asgi.framework.context import Call


async def get(call: Call) -> One[MeDocument]:
    user_id = call.principal.require_user()
    room = await call.gallery.uploads.room(call.principal)
    return One(
        MeDocument(
            id=user_id,
            storage_used=room.used,
            storage_limit=room.limit,
            storage_reserved=room.awaited,
            open_uploads=room.open,
            max_open_uploads=room.max_open,
        )
    )
