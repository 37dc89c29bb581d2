"""Webhooks: addresses that a user's events are posted to."""

from http import HTTPStatus
from uuid import UUID

from imagegallery import Conflict, NotFound, Permission
from imagegallery.access.permission import OWNER
from imagegallery_asgi.api.documents import document
from imagegallery_asgi.api.requests import CreateWebhook
from imagegallery_asgi.api.responses.common import CursorList, CursorPagination, One
from imagegallery_asgi.api.responses.webhooks import CreatedWebhookDocument, WebhookDocument
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, Repeats, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation("GET", "/webhooks", "All of one's webhooks, oldest first", needs_user=True, permission=Permission.NONE)
async def list_webhooks(call: Call) -> CursorList[WebhookDocument]:
    webhooks = await call.gallery.webhooks.list(call.principal)
    return CursorList(tuple(document(WebhookDocument, each) for each in webhooks), CursorPagination(None, False))


@operation(
    "POST",
    "/webhooks",
    "Have events posted to an address",
    status=HTTPStatus.CREATED,
    raises=(Conflict,),
    repeats=Repeats.KEYED,
    permission=Permission.NONE,
)
async def create_webhook(call: Call, body: CreateWebhook) -> One[CreatedWebhookDocument]:
    created = await call.gallery.webhooks.create(
        call.principal, url=body.url, event_types=body.event_types, idempotency_key=call.idempotency_key
    )
    call.headers["Location"] = call.url(f"/webhooks/{created.webhook.id}")
    call.headers["Cache-Control"] = "no-store"
    return One(CreatedWebhookDocument(document(WebhookDocument, created.webhook), created.secret))


@operation("GET", "/webhooks/{webhook_id}", "One webhook", raises=(NotFound,), needs_user=True, permission=OWNER)
async def get_webhook(call: Call, webhook_id: UUID) -> One[WebhookDocument]:
    return One(document(WebhookDocument, await call.gallery.webhooks.get(call.principal, webhook_id)))


@operation(
    "POST",
    "/webhooks/{webhook_id}/enable",
    "Switch a webhook on again that failed too often",
    raises=(NotFound,),
    permission=OWNER,
)
async def enable_webhook(call: Call, webhook_id: UUID) -> One[WebhookDocument]:
    return One(document(WebhookDocument, await call.gallery.webhooks.enable(call.principal, webhook_id)))


@operation("DELETE", "/webhooks/{webhook_id}", "Deliver no more", raises=(NotFound, Conflict), permission=OWNER)
async def delete_webhook(call: Call, webhook_id: UUID) -> None:
    await call.gallery.webhooks.delete(call.principal, webhook_id)
