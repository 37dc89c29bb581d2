"""Events sent elsewhere."""

from http import HTTPStatus

from imagegallery import Conflict, NotFound, Permission
from imagegallery.access.permission import OWNER
from imagegallery_asgi.api import webhooks
from imagegallery_asgi.framework.operations import Operation, Repeats

OPERATIONS = (
    Operation(
        "GET",
        "/webhooks",
        webhooks.list_webhooks,
        "All of one's webhooks, oldest first",
        needs_user=True,
        permission=Permission.NONE,
    ),
    Operation(
        "POST",
        "/webhooks",
        webhooks.create,
        "Have events posted to an address",
        status=HTTPStatus.CREATED,
        raises=(Conflict,),
        repeats=Repeats.KEYED,
        permission=Permission.NONE,
    ),
    Operation(
        "GET",
        "/webhooks/{webhook_id}",
        webhooks.get,
        "One webhook",
        raises=(NotFound,),
        needs_user=True,
        permission=OWNER,
    ),
    Operation(
        "DELETE",
        "/webhooks/{webhook_id}",
        webhooks.delete,
        "Deliver no more",
        raises=(NotFound, Conflict),
        permission=OWNER,
    ),
    Operation(
        "POST",
        "/webhooks/{webhook_id}/enable",
        webhooks.enable,
        "Switch a webhook on again that failed too often",
        raises=(NotFound,),
        permission=OWNER,
    ),
)
