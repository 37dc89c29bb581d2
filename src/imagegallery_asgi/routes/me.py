"""Who asks."""

from imagegallery import Permission
from imagegallery_asgi.api import me
from imagegallery_asgi.framework.operations import Operation

OPERATIONS = (
    Operation(
        "GET",
        "/me",
        me.get,
        "Who one is to this service: storage used, its limit, and what is on its way",
        needs_user=True,
        permission=Permission.NONE,
    ),
)
