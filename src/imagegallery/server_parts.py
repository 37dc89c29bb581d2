"""What a gallery has for those who serve it to others: an HTTP package, workers, metrics."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import anyio

from imagegallery.events.relay import Relay
from imagegallery.feature import Feature, Resources
from imagegallery.galleries.pages import CachedPages
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.periodic import RETRY_PAUSE, Periodic, keep_up, once_for_all
from imagegallery.queue.protocol import WorkerObserver
from imagegallery.queue.worker import Worker

T = TypeVar("T")


class ServerParts:
    """The ``store`` of objects and ``downloads`` by signed URLs of our own, the ``queue`` of jobs, the limits of
    requests (``rates``) and encoded ``pages`` of galleries; workers and relays.

    Applications that only use a gallery need none of it.
    """

    def __init__(self, resources: Resources, queue_options: QueueOptions) -> None:
        self.store = resources.store
        self.downloads = resources.downloads
        self.queue = resources.queue
        self.rates = resources.rates
        self.pages = resources.services[CachedPages]
        self.is_retiring = False
        self._resources = resources
        self._queue_options = queue_options

    @property
    def task_failures(self) -> Mapping[str, int]:
        """The number of failures of each background task, which was restarted then."""
        return self._resources.health.failures

    def retire(self) -> None:
        """Make `ImageGallery.ready` raise from now on, while everything else continues: load balancers should look
        elsewhere before this process stops."""
        self.is_retiring = True

    def make_worker(self, observer: WorkerObserver | None = None) -> Worker:
        """Make a worker for this gallery's queue; its ``run`` works until ``stop`` is called or it is cancelled."""
        resources = self._resources
        periodic = [task for feature in resources.features for task in feature.periodic(resources)]
        if self._queue_options.relay_in_worker:
            periodic += self._relays()
        return Worker(
            self.queue,
            self._by_kind(lambda feature: feature.jobs(resources)),
            self._queue_options,
            resources.clock,
            periodic=[
                task if task.in_every_worker else once_for_all(task, resources.database, resources.clock)
                for task in periodic
            ],
            observer=observer,
            apart=self._by_kind(lambda feature: feature.apart(resources)),
        )

    async def relay(self) -> None:
        """Relay events and jobs to the workers until cancelled, through outages of any part. Every worker does so, too,
        unless ``queue.relay_in_worker`` is off. Any number may run.
        """
        async with anyio.create_task_group() as tasks:
            for task in self._relays():
                tasks.start_soon(keep_up, task)

    def make_event_relay(self) -> Relay:
        """Make what relays events to their consumers: webhooks, and the application's handlers."""
        resources = self._resources
        consumers = [consumer for feature in resources.features for consumer in feature.consumers(resources)]
        return Relay(resources.database, resources.outbox, resources.event_types, consumers, resources.clock)

    def _relays(self) -> Sequence[Periodic]:
        relays = [Periodic("relaying events", RETRY_PAUSE, self.make_event_relay().run, in_every_worker=True)]
        if self._resources.relay is not None:
            relays.append(Periodic("relaying jobs", RETRY_PAUSE, self._resources.relay.run, in_every_worker=True))
        return relays

    def _by_kind(self, brought: Callable[[Feature], Mapping[str, T]]) -> Mapping[str, T]:
        """What all features bring by kinds of job. Raises `ValueError` for a kind of two of them."""
        by_kind: dict[str, T] = {}
        for feature in self._resources.features:
            for kind, each in brought(feature).items():
                if by_kind.setdefault(kind, each) is not each:
                    raise ValueError(f"Two features do jobs of the kind {kind!r}, one of them {feature.name}.")
        return by_kind
