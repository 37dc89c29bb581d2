"""Webhooks: where a user's events are posted to."""

from uuid import UUID

from imagegallery_asgi.api.documents import document
from imagegallery_asgi.api.requests import CreateWebhook
from imagegallery_asgi.api.responses import CreatedWebhookDocument, CursorList, CursorPagination, One, WebhookDocument
from imagegallery_asgi.framework.context import Call


async def list_webhooks(call: Call) -> CursorList[WebhookDocument]:
    webhooks = await call.gallery.webhooks.list(call.principal)
    return CursorList(tuple(document(WebhookDocument, each) for each in webhooks), CursorPagination(None, False))


async def create(call: Call, body: CreateWebhook) -> One[CreatedWebhookDocument]:
    created = await call.gallery.webhooks.create(
        call.principal, url=body.url, event_types=body.event_types, idempotency_key=call.idempotency_key
    )
    call.headers["Location"] = call.url(f"/webhooks/{created.webhook.id}")
    call.headers["Cache-Control"] = "no-store"
    return One(CreatedWebhookDocument(document(WebhookDocument, created.webhook), created.secret))


async def get(call: Call, webhook_id: UUID) -> One[WebhookDocument]:
    return One(document(WebhookDocument, await call.gallery.webhooks.get(call.principal, webhook_id)))


async def enable(call: Call, webhook_id: UUID) -> One[WebhookDocument]:
    return One(document(WebhookDocument, await call.gallery.webhooks.enable(call.principal, webhook_id)))


async def delete(call: Call, webhook_id: UUID) -> None:
    await call.gallery.webhooks.delete(call.principal, webhook_id)
