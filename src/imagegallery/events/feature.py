"""The events feature: subscriptions, and the application's own handlers."""

from typing import Final

from imagegallery.access.authority import Authority
from imagegallery.events import records
from imagegallery.events.event import EventOptions
from imagegallery.events.handlers import HandlerJobs, Handlers
from imagegallery.events.service import EventService
from imagegallery.feature import Feature, Resources
from imagegallery.queue.periodic import Periodic


def _handler_jobs(resources: Resources) -> HandlerJobs:
    options, handlers = resources.options[EventOptions], resources.registered[Handlers]
    return HandlerJobs(resources.database, resources.event_types, options, handlers)


FEATURE: Final = Feature(
    "events",
    options=EventOptions,
    holdings=records.HELD,
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
    jobs=lambda resources: _handler_jobs(resources).by_kind(),
    apart=lambda resources: _handler_jobs(resources).slots(),
    periodic=lambda resources: (
        Periodic("old events", resources.upkeep_interval, resources.services[EventService].prune),
    ),
    consumers=lambda resources: _handler_jobs(resources).consumers(),
)
