"""Servers on loopback for a gallery on distributed engines: ``python -m imagegallery.dev_stack.servers DIR``.

Runs PostgreSQL, an S3 server, Redis and a queue that speaks SQS until SIGINT or SIGTERM. Once all respond,
``DIR/stack.env`` holds the settings for our processes. The directory keeps the database and objects, but not the
queue's messages and Redis's data: jobs are in the database, and are relayed again.

It needs the extra ``dev-stack``. `imagegallery dev-stack` runs it.
"""

import logging
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.to_thread

from imagegallery.backends import open_sqs, set_up_storage
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.dev_stack.object_store import AWS, BUCKET, ObjectStoreServer
from imagegallery.dev_stack.redis import RedisServer
from imagegallery.dev_stack.sqs import SqsServer
from imagegallery.settings import ENV_PREFIX, Settings

logger = logging.getLogger(__name__)

VARIABLES = "stack.env"
QUEUE = "imagegallery"
# For two APIs, two workers and a relay, with a few for a person.
CONNECTIONS = "200"
LOOK = timedelta(milliseconds=500)
# Until unfinished uploads expire.
DAYS = 7


@asynccontextmanager
async def running_stack(directory: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run the servers and yield their settings. Raises `ConfigurationError`, or `RuntimeError` or `TimeoutError` when a
    server
    does not start.
    """
    async with AsyncExitStack() as stack:
        postgres = EmbeddedPostgres.running(directory / "postgres", settings={"max_connections": CONNECTIONS})
        dsn = await stack.enter_async_context(postgres)
        objects = await stack.enter_async_context(ObjectStoreServer.running(directory / "objects"))
        redis = await stack.enter_async_context(_running_redis(directory / "redis"))
        sqs = stack.enter_context(SqsServer.running())
        yield {
            "DATABASE_DSN": dsn,
            "STORAGE_S3_BUCKET": BUCKET,
            "STORAGE_S3_ENDPOINT_URL": objects.url,
            "STORAGE_S3_PATH_STYLE": "true",
            "AWS_ACCESS_KEY_ID": str(AWS.access_key_id),
            "AWS_SECRET_ACCESS_KEY": str(AWS.secret_access_key),
            "REDIS_URL": redis.url,
            "QUEUE_SQS_QUEUE_URL": sqs.queue_url(QUEUE),
            "QUEUE_SQS_ENDPOINT_URL": sqs.url,
            "QUEUE_RELAY_IN_WORKER": "false",
        }


@asynccontextmanager
async def _running_redis(directory: Path) -> AsyncIterator[RedisServer]:
    """Run Redis. If it is killed, it is restarted, empty."""
    await anyio.Path(directory).mkdir(parents=True, exist_ok=True)
    server = RedisServer(directory)
    async with anyio.create_task_group() as tasks:
        await anyio.to_thread.run_sync(server.start)
        tasks.start_soon(_keep_up, server)
        try:
            yield server
        finally:
            tasks.cancel_scope.cancel()
            server.kill()


async def _keep_up(server: RedisServer) -> None:
    while True:
        await anyio.sleep(LOOK.total_seconds())
        try:
            await anyio.to_thread.run_sync(server.command, "PING")
        except OSError:
            await anyio.to_thread.run_sync(server.restart)


def main() -> None:
    anyio.run(run, Path(sys.argv[1]))


async def run(directory: Path) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running_stack(directory) as variables:
            environment = {f"{ENV_PREFIX}{name}": value for name, value in variables.items()}
            os.environ.update(environment)
            await _set_up(Settings.from_env())
            await anyio.to_thread.run_sync(_publish, directory / VARIABLES, environment)
            await anext(signals)


async def _set_up(settings: Settings) -> None:
    """Make the queues, and the bucket's rules for pages from anywhere."""
    async with open_sqs(settings) as sqs:
        await sqs.set_up(dry_run=False)
    async with aclosing(set_up_storage(settings, ("*",), DAYS, create=False, dry_run=False)) as steps:
        async for step in steps:
            logger.info("%s: %s", step.subject, step.outcome.value)


def _publish(file: Path, variables: Mapping[str, str]) -> None:
    """Write the file for a shell, atomically, since another process waits for it."""
    draft = file.with_suffix(".draft")
    draft.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
    draft.rename(file)


if __name__ == "__main__":
    main()
