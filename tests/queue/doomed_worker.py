"""A worker process that never gets its job done: ``python -m tests.queue.doomed_worker DSN``.

It prints the attempt when it has begun.
"""

import sys

import anyio
from tests.support.worker import EAGER, ScriptedHandler

from imagegallery.clock import utc_now
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.queue.job import ClaimedJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.worker import Worker


async def begin_and_never_end(job: ClaimedJob) -> None:
    sys.stdout.write(f"{job.attempt}")  # one digit, so that it arrives in one piece
    sys.stdout.flush()
    await anyio.sleep_forever()


async def main(dsn: str) -> None:
    async with Database.connect(DatabaseOptions(dsn=dsn)) as database:
        queue = PostgresQueue(database, utc_now)
        await Worker(queue, {"work": ScriptedHandler(begin_and_never_end)}, EAGER, utc_now).run()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
