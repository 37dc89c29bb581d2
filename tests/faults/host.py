"""An application that has the gallery in its own database, and attaches a picture to each of its items."""

import asyncpg

from imagegallery.access.permission import Permission
from imagegallery.errors import AlreadyUsed
from imagegallery_asgi.api.common import BYTES
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring

TABLE = "CREATE TABLE items (name text PRIMARY KEY, image_id uuid NOT NULL REFERENCES images)"
OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "PUT", "/items/{name}", "An item with its picture", needs_user=True, permission=Permission.NONE, consumes=(BYTES,)
)
async def put_item(call: Call, name: str) -> None:
    """Who got no answer sends it again: the item is the same, and has one picture."""
    gallery, me = call.gallery, call.principal
    staged = await gallery.uploads.stage(me, call.request.stream(), filename=f"{name}.jpg", idempotency_key=name)
    connection = await asyncpg.connect(gallery.settings.database.dsn)
    try:
        async with connection.transaction():
            image = await staged.attach(connection)
            await connection.execute("INSERT INTO items VALUES ($1, $2)", name, image.id)
    except AlreadyUsed:
        pass  # by the request whose answer was lost, and the item with it
    finally:
        await connection.close()
