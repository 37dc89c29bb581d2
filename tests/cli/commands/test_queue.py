"""``imagegallery queue dead`` and ``queue redrive``: what failed for good is shown, and tried again."""

import json
import subprocess
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from tests.cli.conftest import InProcess

from imagegallery.clock import utc_now
from imagegallery.database.pool import Database
from imagegallery.queue.job import DeadJob, NewJob
from imagegallery.queue.postgres import PostgresQueue

QueueCommand = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
def queue_command(in_process: InProcess, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> QueueCommand:
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", database_dsn)
    return partial(in_process.aside, "queue")


@pytest.fixture
def queue(database: Database) -> PostgresQueue:
    return PostgresQueue(database, utc_now)


@pytest.fixture
async def dead(database: Database, queue: PostgresQueue) -> list[DeadJob]:
    """Three of them, the latest first."""
    async with database.transaction() as connection:
        for number in range(3):
            await queue.enqueue(connection, NewJob("work", {"number": number}), now=utc_now())
    for job in await queue.claim(["work"], limit=3, lease=timedelta(minutes=1)):
        await queue.bury(job, error=f"the cause of {job.payload['number']}")
    return await queue.dead(limit=10)


async def test_they_are_shown_with_their_errors(dead: list[DeadJob], queue_command: QueueCommand) -> None:
    lines = (await queue_command("dead")).stdout.splitlines()
    assert [(str(job.id) in line, job.error in line) for job, line in zip(dead, lines, strict=True)] == [
        (True, True)
    ] * 3
    (line,) = (await queue_command("dead", "--json", "--limit", "1")).stdout.splitlines()
    assert json.loads(line) == {
        "id": str(dead[0].id),
        "kind": "work",
        "payload": dead[0].payload,
        "attempts": 1,
        "error": dead[0].error,
        "died_at": dead[0].died_at.isoformat(),
    }


async def test_those_that_are_named_are_tried_again(
    dead: list[DeadJob], queue_command: QueueCommand, queue: PostgresQueue
) -> None:
    assert (await queue_command("redrive", str(dead[1].id))).stdout == f"requeued {dead[1].id}\n"
    assert [job.id for job in await queue.dead(limit=10)] == [dead[0].id, dead[2].id]
    (again,) = await queue.claim(["work"], limit=3, lease=timedelta(minutes=1))
    assert (again.id, again.attempt) == (dead[1].id, 1)


async def test_all_are_tried_again_up_to_a_limit(
    dead: list[DeadJob], queue_command: QueueCommand, queue: PostgresQueue
) -> None:
    assert len((await queue_command("redrive", "--all", "--limit", "2")).stdout.splitlines()) == 2
    assert await queue.dead(limit=10) == dead[2:]


async def test_those_of_a_kind_are_discarded(
    dead: list[DeadJob], queue_command: QueueCommand, queue: PostgresQueue
) -> None:
    assert (await queue_command("discard", "--all", "--kind", "rest")).stdout == ""
    assert (await queue_command("discard", str(dead[1].id))).stdout == f"discarded {dead[1].id}\n"
    assert len((await queue_command("discard", "--all", "--kind", "work")).stdout.splitlines()) == 2
    assert await queue.dead(limit=10) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Name the jobs"),
        (("--all", str(uuid4())), 2, "Name the jobs"),
        (("--kind", "work", str(uuid4())), 2, "who names jobs has chosen"),
        ((str(uuid4()),), 1, "no dead letter"),
    ],
)
async def test_what_is_no_dead_letter_is_one_line(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    dead: list[DeadJob],
    queue_command: QueueCommand,
    queue: PostgresQueue,
) -> None:
    done = await queue_command("redrive", *arguments)
    assert (done.returncode, said in done.stderr.splitlines()[-1]) == (code, True)
    assert await queue.dead(limit=10) == dead
