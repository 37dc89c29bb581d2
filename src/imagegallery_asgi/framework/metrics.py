"""Metrics for Prometheus, of one process, or of many through ``PROMETHEUS_MULTIPROC_DIR``."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from imagegallery import ImageGalleryError
from imagegallery.cache.stale_while_revalidate import CacheResult
from imagegallery.queue.job import QueueStats

MULTIPROC_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
ACCEPTED = "accepted"


class Metrics:
    """The counters of one application. Routes are counted by template, which keeps the series few."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "imagegallery_http_requests",
            "Requests answered; status 0: the client went away before an answer.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "imagegallery_http_request_duration_seconds",
            "From the first byte asked to the last byte answered.",
            ("method", "route"),
            registry=self._registry,
        )
        self._uploads = Counter(
            "imagegallery_uploads",
            "Uploads that ended: accepted, or refused with this error code.",
            ("result",),
            registry=self._registry,
        )
        self._pages = Counter(
            "imagegallery_page_cache_requests",
            "Pages asked for: found fresh (hit), served stale, made and kept (miss), or made and never kept (bypass).",
            ("result",),
            registry=self._registry,
        )
        self._refreshes = Counter(
            "imagegallery_page_cache_refreshes",
            "Pages made anew in the background, because a stale one was served.",
            registry=self._registry,
        )
        self._task_failures = Counter(
            "imagegallery_background_failures",
            "Tasks that go on in the background and failed; each was begun again.",
            ("task",),
            registry=self._registry,
        )
        self._counted_failures: dict[str, int] = {}

        # `labels` checks and locks each time; there are few of these, and every response needs them.
        self._answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._paged = {result: self._pages.labels(result.value) for result in CacheResult}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        found = self._answered.get(key)
        if found is None:
            found = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._answered[key] = found
        found[0].inc()
        found[1].observe(seconds)

    def paged(self, result: CacheResult, *, began_refresh: bool) -> None:
        self._paged[result].inc()
        if began_refresh:
            self._refreshes.inc()

    @contextmanager
    def counted_upload(self) -> Iterator[None]:
        """Count the result of the upload in the block."""
        try:
            yield
        except ImageGalleryError as error:
            self.ended_upload(error.code)
            raise
        self.ended_upload(ACCEPTED)

    def ended_upload(self, result: str) -> None:
        """``result`` is `ACCEPTED`, or the code of the error."""
        self._uploads.labels(result).inc()

    def tasks_failed(self, failures: Mapping[str, int]) -> None:
        """``failures`` of each task since the start of this process."""
        for task, count in failures.items():
            self._task_failures.labels(task).inc(count - self._counted_failures.get(task, 0))
            self._counted_failures[task] = count

    def render(self, queue: QueueStats) -> bytes:
        """The exposition, in `CONTENT_TYPE_LATEST`. Blocking: in multi-process mode it reads every process's file."""
        registry = self._registry
        if MULTIPROC_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry) + generate_latest(_QueueDepth(queue))


class _QueueDepth(Collector):
    """Read from the database at the scrape, the same in every process."""

    def __init__(self, stats: QueueStats) -> None:
        self._stats = stats

    def collect(self) -> Iterable[Metric]:
        jobs = GaugeMetricFamily("imagegallery_queue_jobs", "Jobs in the queue, by state.", labels=("state",))
        jobs.add_metric(("waiting",), self._stats.waiting)
        jobs.add_metric(("running",), self._stats.running)
        jobs.add_metric(("dead",), self._stats.dead)
        yield jobs
