"""The webhooks feature."""

from collections.abc import Iterable, Mapping
from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.feature import Feature, Resources
from imagegallery.queue.protocol import JobHandler
from imagegallery.webhooks import records
from imagegallery.webhooks.delivery import DELIVER, DeliverWebhook, WebhookConsumer
from imagegallery.webhooks.service import WebhookService
from imagegallery.webhooks.transport import Sender
from imagegallery.webhooks.webhook import WebhookOptions


def _services(resources: Resources) -> Iterable[object]:
    options = resources.options[WebhookOptions]
    sender = Sender(options.timeout, options.allow_private)
    authority = resources.registered[Authority]
    return sender, WebhookService(
        resources.database, sender, resources.event_types, options, resources.clock, authority
    )


def _jobs(resources: Resources) -> Mapping[str, JobHandler]:
    deliver = DeliverWebhook(
        resources.database,
        resources.queue,
        resources.outbox,
        resources.services[Sender],
        resources.event_types,
        resources.options[WebhookOptions],
        resources.clock,
    )
    return {DELIVER: deliver}


FEATURE: Final = Feature(
    "webhooks",
    options=WebhookOptions,
    services=_services,
    holdings=records.HELD,
    jobs=_jobs,
    apart=lambda resources: {DELIVER: resources.options[WebhookOptions].max_at_once},
    consumers=lambda _: (WebhookConsumer(),),
)
