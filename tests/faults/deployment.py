"""A gallery in processes of its own, over real servers; whichever dies is started again.

A process is named for its role, ``api``, ``worker`` or ``relay``; a second one of a role ``api-2``.
"""

import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from unittest import mock

import anyio
import anyio.to_thread
import attrs
import httpx
from attrs import define, field, frozen
from tests.support.clock import SharedClock
from tests.support.faulty import preload, start
from tests.support.servers.object_store import SharedObjectStore
from tests.support.servers.sqs import ClockedSqsServer

from imagegallery.backends import open_sqs
from imagegallery.database.pool import Database
from imagegallery.dev_stack.object_store import AWS
from imagegallery.dev_stack.ports import free_port
from imagegallery.gallery import ImageGallery
from imagegallery.queue.job import NewJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.settings import ENV_PREFIX, Settings

ROLES = ("api", "worker")
SCRIPT = Path(__file__).with_name("roles.py")
# After it, everything that a dead process held is taken to be free.
LONGER_THAN_ANY_CLAIM = timedelta(minutes=3)

FAULT_PATIENCE = 60  # seconds from the end of the story
# For what only a sweep does.
FREQUENT_UPKEEP = {f"{ENV_PREFIX}UPKEEP_INTERVAL": "0:00:01"}

preload(
    "granian.server.embed",
    "imagegallery.queue.sqs.connection",
    "imagegallery.rates.counters",
    "imagegallery.redis.client",
    "imagegallery.storage.s3.store",
    "imagegallery_asgi",
)


@frozen
class Death:
    role: str
    exit_code: int | None


@define
class Deployment:
    """``gallery`` and ``database`` are the test's own view of it; ``ports`` are those of API processes."""

    gallery: ImageGallery
    database: Database
    environment: Mapping[str, str]
    directory: Path
    clock: SharedClock
    sqs: ClockedSqsServer
    ports: Mapping[str, int]
    skews: Mapping[str, int]
    deaths: list[Death] = field(factory=list)
    processes: dict[str, ForkServerProcess] = field(factory=dict)

    @property
    def url(self) -> str:
        return self.url_of("api")

    def url_of(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}/api/v1"

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        environment: Mapping[str, str],
        sqs: ClockedSqsServer,
        directory: Path,
        *,
        dies_at: str = "",
        roles: Sequence[str] = ROLES,
        skews: Mapping[str, int] | None = None,
    ) -> AsyncIterator["Deployment"]:
        """All processes while this is open; the first that reaches ``dies_at`` dies there.

        They share a clock that the test moves; or, with ``skews``, each has its machine's, so many seconds off.
        """
        settings = await anyio.to_thread.run_sync(settings_of, environment)
        await set_up_queues(settings)
        clock = SharedClock(directory / "clock")
        shared = {"TESTS_CLOCK": str(directory / "clock")} if skews is None else {}
        async with (
            Database.connect(attrs.evolve(settings.database, max_size=1)) as database,
            ImageGallery.open(settings, clock=clock) as gallery,
            anyio.create_task_group() as tasks,
        ):
            ports = {name: free_port() for name in roles if name.startswith("api")}
            deployment = cls(gallery, database, {**environment, **shared}, directory, clock, sqs, ports, skews or {})
            for name in roles:
                tasks.start_soon(deployment._keep_up, name, dies_at)
            try:
                yield deployment
            finally:
                tasks.cancel_scope.cancel()
                print(deployment.logs())  # for who looks why a test failed

    def pass_time(self, by: timedelta) -> None:
        """For all processes, and the messages in the queues."""
        self.clock.advance(by)
        self.sqs.advance(by)

    async def _keep_up(self, name: str, dies_at: str) -> None:
        """Run it, and when it is dead run it again, without the fault."""
        while True:
            process = self.processes[name] = self._start(name, dies_at)
            try:
                await anyio.wait_readable(process.sentinel)
            finally:
                process.kill()
                process.join()
                self.deaths.append(Death(name, process.exitcode))
                process.close()
            dies_at = ""
            if name not in self.ports:
                self.pass_time(LONGER_THAN_ANY_CLAIM)

    def _start(self, name: str, dies_at: str) -> ForkServerProcess:
        arguments = [str(self.ports[name])] if name in self.ports else []
        log = self.directory / f"{name}.log"
        role = name.partition("-")[0]
        environment = {**self.environment, "TESTS_SKEW": str(self.skews.get(name, 0))}
        return start(SCRIPT, role, *arguments, environment=environment, log=log, dies_at=dies_at)

    async def until_somebody_died(self) -> None:
        """Raises `TimeoutError` if the fault point is not reached."""
        with anyio.fail_after(FAULT_PATIENCE):
            while not self.deaths:
                await anyio.sleep(0.05)

    async def enqueue(self, job: NewJob) -> None:
        async with self.database.transaction() as connection:
            await PostgresQueue(self.database, self.clock).enqueue(connection, job, now=self.clock())

    def pause(self, role: str) -> None:
        """It stands still, and answers nothing."""
        os.kill(self._pid(role), signal.SIGSTOP)

    def resume(self, role: str) -> None:
        os.kill(self._pid(role), signal.SIGCONT)

    def _pid(self, role: str) -> int:
        pid = self.processes[role].pid
        assert pid is not None
        return pid

    def logs(self) -> str:
        """What the processes printed."""
        return "\n".join(f"{path.name}:\n{path.read_text()}" for path in sorted(self.directory.glob("*.log")))


async def set_up_queues(settings: Settings) -> None:
    if settings.queue.sqs.queue_url is not None:
        async with open_sqs(settings) as queues:
            await queues.set_up(dry_run=False)


def without(environment: Mapping[str, str], *words: str) -> dict[str, str]:
    """The variables in whose names none of these words is."""
    return {name: value for name, value in environment.items() if not any(word in name for word in words)}


def settings_of(environment: Mapping[str, str]) -> Settings:
    with mock.patch.dict(os.environ, environment):
        return Settings.from_env()


def engines(
    dsn: str, store: SharedObjectStore, sqs: ClockedSqsServer, redis_url: str, data_dir: Path
) -> dict[str, str]:
    """The settings of a distributed gallery on these servers, as environment variables."""
    place, jobs = store.options(), sqs.options()
    settings = {
        "DATA_DIR": str(data_dir),
        "SECRET_KEY": "shared by all processes of the test",
        "DATABASE_DSN": dsn,
        "DATABASE_MAX_SIZE": "4",
        "STORAGE_S3_BUCKET": str(place.bucket),
        "STORAGE_S3_PREFIX": place.prefix,
        "STORAGE_S3_ENDPOINT_URL": str(place.endpoint_url),
        "STORAGE_S3_PATH_STYLE": "true",
        "AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
        "AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key),
        "QUEUE_SQS_QUEUE_URL": str(jobs.queue_url),
        "QUEUE_SQS_EVENTS_URL": sqs.queue_url(f"events-{place.prefix.strip('/')}"),
        "QUEUE_SQS_ENDPOINT_URL": sqs.url,
        "QUEUE_CONCURRENCY": "1",
        "QUEUE_POLL_INTERVAL": "0:00:01",
        "REDIS_URL": redis_url,
        "IMAGING_PROCESSES": "1",
        "IMAGING_THREADS": "1",
    }
    return {f"{ENV_PREFIX}{name}": value for name, value in settings.items()}


@define
class Patient:
    """An HTTP client that repeats what failed, as every real one does, until the server takes or refuses it."""

    http: httpx.AsyncClient

    async def call(self, method: str, url: str, **rest: object) -> httpx.Response:
        while True:
            with suppress(httpx.TransportError):
                answer = await self.http.request(method, url, **rest)  # type: ignore[arg-type]
                if answer.status_code < 500:
                    return answer
            await anyio.sleep(0.05)


def were_killed(deaths: Sequence[Death]) -> bool:
    """Whether somebody died, and everybody who did was killed: other processes may come by the same point."""
    return {death.exit_code for death in deaths} == {-signal.SIGKILL}
