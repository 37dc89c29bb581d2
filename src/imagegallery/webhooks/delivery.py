"""Deliveries of events to webhooks: a consumer that makes a job for each webhook and event, and the jobs.

A failed delivery adds the job for its next attempt itself, much later than the queue's retries: the receiver may be
down for hours. The queue's own retries are for our errors.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.events import records as event_records
from imagegallery.events.event import DomainEvent, Event, EventTypes, parse_event_id
from imagegallery.queue.job import PRIORITY_DELIVERY, ClaimedJob, NewJob, Payload
from imagegallery.queue.protocol import JobOutbox, Queue
from imagegallery.webhooks import records
from imagegallery.webhooks.signature import signed_headers
from imagegallery.webhooks.slots import DeliverySlots
from imagegallery.webhooks.transport import DeliveryFailed, Sender
from imagegallery.webhooks.webhook import Webhook, WebhookOptions, retry_delay, target_of

logger = logging.getLogger(__name__)

DELIVER: Final = "webhook.deliver"
# The cursor's name. Migration 0002 has put it at the start of the log.
CONSUMER: Final = "webhooks"
USER_AGENT: Final = "imagegallery-webhooks/1"


def deliver(webhook: Webhook, event_id: str, attempt: int = 1, run_at: datetime | None = None) -> NewJob:
    """The job of one attempt, counted from 1."""
    payload: Payload = {"webhook_id": str(webhook.id), "event_id": event_id, "attempt": attempt}
    return NewJob(DELIVER, payload, priority=PRIORITY_DELIVERY, run_at=run_at, owner_id=webhook.owner_id)


class WebhookConsumer:
    """A `Consumer` that adds a job for each webhook that wants the event."""

    name = CONSUMER

    async def jobs_for(self, connection: Connection, events: Sequence[Event[DomainEvent]]) -> Sequence[NewJob]:
        hearers = frozenset().union(*(event.data.hearers for event in events))
        by_owner: dict[str, list[Webhook]] = {}
        for webhook in await records.list_active(connection, hearers):
            by_owner.setdefault(webhook.owner_id, []).append(webhook)
        return [
            deliver(webhook, event.id)
            for event in events
            for hearer in event.data.hearers
            for webhook in by_owner.get(hearer, ())
            if webhook.wants(event.type, event.occurred_at)
        ]


@frozen
class WebhookDelivery:
    """An event and its webhook."""

    webhook: Webhook
    secret: bytes
    event: Event[DomainEvent]


@frozen
class DeliverWebhook:
    """The `JobHandler` of ``webhook.deliver``."""

    _database: Database
    _queue: Queue
    _outbox: JobOutbox
    _sender: Sender
    _types: EventTypes
    _options: WebhookOptions
    _clock: Clock
    _slots: DeliverySlots = field(init=False)

    @_slots.default
    def _of_options(self) -> DeliverySlots:
        return DeliverySlots(self._options.max_at_once_per_owner, self._options.max_at_once_per_host)

    async def run(self, job: ClaimedJob) -> None:
        """Deliver the event, unless the webhook is gone or off, or the event is no longer kept.

        Raises `Overloaded` while this process makes too many deliveries to this host, or for this owner.
        """
        delivery = await self._load(job.payload)
        if delivery is None:
            return
        try:
            with self._slots.take(delivery.webhook.owner_id, target_of(delivery.webhook.url).host):
                await self._send(delivery)
        except DeliveryFailed as error:
            await self._record_failure(job, delivery.webhook.id, error.message)
        else:
            await self._succeeded(job, delivery.webhook.id)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        logger.error("webhook %s: event %s: %s", job.payload["webhook_id"], job.payload["event_id"], error)

    async def _load(self, payload: Payload) -> WebhookDelivery | None:
        webhook_id = UUID(str(payload["webhook_id"]))
        async with self._database.transaction() as connection:
            webhook = await records.get(connection, webhook_id)
            event = await event_records.get(connection, self._types, parse_event_id(str(payload["event_id"])))
            if webhook is None or not webhook.active or event is None:
                return None
            return WebhookDelivery(webhook, await records.secret_of(connection, webhook_id), event)

    async def _send(self, delivery: WebhookDelivery) -> None:
        """Send it. Raises `DeliveryFailed` unless the receiver responds with 2xx."""
        body = delivery.event.to_json().encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **signed_headers(delivery.secret, delivery.event.id, body, self._clock()),
        }
        status = await self._sender.post(target_of(delivery.webhook.url), headers, body)
        if not 200 <= status < 300:
            raise DeliveryFailed(f"The receiver answered {status}.")

    async def _succeeded(self, job: ClaimedJob, webhook_id: UUID) -> None:
        async with self._database.transaction() as connection:
            await self._queue.fence(connection, job)
            await records.record_success(connection, webhook_id)

    async def _record_failure(self, job: ClaimedJob, webhook_id: UUID, error: str) -> None:
        """Count the failure, and in the same transaction add the next attempt, or switch the webhook off."""
        now = self._clock()
        async with self._database.transaction() as connection:
            await self._queue.fence(connection, job)
            webhook = await records.lock(connection, webhook_id)
            if webhook is None or not webhook.active:
                return
            reason = webhook.disabling_reason(error, now, self._options)
            await records.record_failure(connection, webhook_id, disabled_reason=reason, now=now)
            if reason is None:
                await self._try_later(connection, webhook, job, now)
        logger.warning("webhook %s: event %s: %s", webhook_id, job.payload["event_id"], reason or error)

    async def _try_later(self, connection: Connection, webhook: Webhook, job: ClaimedJob, now: datetime) -> None:
        attempt = int(job.payload["attempt"] or 1)
        delay = retry_delay(attempt, self._options)
        if delay is None:
            logger.error("webhook %s: event %s is not tried again", webhook.id, job.payload["event_id"])
            return
        again = deliver(webhook, str(job.payload["event_id"]), attempt + 1, now + delay)
        await self._outbox.enqueue(connection, again, now=now)
