"""Webhooks: where a user's events are posted to."""

from uuid import UUID

from imagegallery import Webhook
from imagegallery_asgi.api.requests import CreateWebhook
from imagegallery_asgi.api.responses import CreatedWebhookDocument, CursorList, CursorPagination, One, WebhookDocument
from imagegallery_asgi.framework.context import Call


async def list_webhooks(call: Call) -> CursorList[WebhookDocument]:
    webhooks = await call.gallery.webhooks.list(call.principal)
    return CursorList(tuple(map(_document, webhooks)), CursorPagination(None, False))


async def create(call: Call, body: CreateWebhook) -> One[CreatedWebhookDocument]:
    created = await call.gallery.webhooks.create(
        call.principal, url=body.url, event_types=body.event_types, idempotency_key=call.idempotency_key
    )
    call.headers["Location"] = call.url(f"/webhooks/{created.webhook.id}")
    call.headers["Cache-Control"] = "no-store"
    return One(CreatedWebhookDocument(_document(created.webhook), created.secret))


async def get(call: Call, webhook_id: UUID) -> One[WebhookDocument]:
    return One(_document(await call.gallery.webhooks.get(call.principal, webhook_id)))


async def enable(call: Call, webhook_id: UUID) -> One[WebhookDocument]:
    return One(_document(await call.gallery.webhooks.enable(call.principal, webhook_id)))


async def delete(call: Call, webhook_id: UUID) -> None:
    await call.gallery.webhooks.delete(call.principal, webhook_id)


def _document(webhook: Webhook) -> WebhookDocument:
    return WebhookDocument(
        id=webhook.id,
        url=webhook.url,
        event_types=webhook.event_types,
        active=webhook.active,
        disabled_reason=webhook.disabled_reason,
        failures=webhook.failures,
        created_at=webhook.created_at,
    )
