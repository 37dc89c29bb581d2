"""The events feature: subscriptions, and the application's own handlers."""

from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.events.event import EventOptions
from imagegallery.events.handlers import Handlers
from imagegallery.events.service import EventService
from imagegallery.feature import Feature
from imagegallery.queue.periodic import Periodic

FEATURE: Final = Feature(
    "events",
    options=EventOptions,
    services=lambda resources: (
        EventService(
            resources.database,
            resources.event_types,
            resources.options[EventOptions],
            resources.clock,
            resources.registered[Handlers],
            resources.registered[Authority],
        ),
    ),
    jobs=lambda resources: resources.services[EventService].job_handlers(),
    apart=lambda resources: resources.services[EventService].slots(),
    periodic=lambda resources: (
        Periodic("old events", resources.upkeep_interval, resources.services[EventService].prune),
    ),
    consumers=lambda resources: resources.services[EventService].consumers(),
)
