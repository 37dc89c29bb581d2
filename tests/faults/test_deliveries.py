"""Messages that come often, in any order, of jobs long over and of nobody's: each image is processed once."""

import random
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import anyio
import httpx
from tests.faults.deployment import Deployment, Patient
from tests.faults.looking import ZERO, check, idle, queue_client, rows
from tests.faults.stories import Scene, whole
from tests.support.servers.sqs import ClockedSqsServer

from imagegallery.queue.sqs.channel import OutgoingMessage, SqsChannel

WORKERS = ("worker", "worker-2")
COPIES = 4
ROUNDS = 5
IMAGES = 3
READY = "SELECT data->>'image_id' AS image_id FROM events WHERE type = 'image.ready'"
VARIANTS = "SELECT count(*) AS count FROM image_variants GROUP BY image_id"


async def test_each_image_is_processed_once_however_often_its_job_is_delivered(
    environment: dict[str, str], sqs_server: ClockedSqsServer, small_picture: Path, tmp_path: Path
) -> None:
    environment["IMAGEGALLERY_QUEUE_CONCURRENCY"] = "2"
    async with (
        Deployment.running(environment, sqs_server, tmp_path, roles=("api", *WORKERS)) as deployment,
        httpx.AsyncClient(timeout=30) as http,
    ):
        client = Patient(http)
        made = await client.call("POST", f"{deployment.url}/galleries", json={"name": "Lisbon"})
        scene = Scene(deployment, client, made.json()["data"]["id"], small_picture)
        with anyio.fail_after(300):
            for worker in WORKERS:
                deployment.pause(worker)
            images = [*await whole(scene), *await whole(scene), *await whole(scene)]
            jobs = [row["id"] for row in await rows(deployment, "SELECT id FROM jobs WHERE kind = 'image.process'")]
            assert len(jobs) == len(set(images)) == IMAGES
            await deliver(deployment, jobs)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(deliver_now_and_then, deployment, jobs)
                for worker in WORKERS:
                    deployment.resume(worker)
                await idle(deployment)
                await deliver(deployment, jobs)
            await check(deployment, images)
        ready = [UUID(row["image_id"]) for row in await rows(deployment, READY)]
        assert sorted(ready) == sorted(images)
        assert len({row["count"] for row in await rows(deployment, VARIANTS)}) == 1
        assert deployment.deaths == []


async def deliver_now_and_then(deployment: Deployment, jobs: Sequence[UUID]) -> None:
    """While they are worked on, too."""
    for _ in range(ROUNDS):
        await deliver(deployment, jobs, copies=1)
        await anyio.sleep(0.3)


async def deliver(deployment: Deployment, jobs: Sequence[UUID], *, copies: int = COPIES) -> None:
    """Each several times, and something that is not ours, in no order."""
    bodies = [f'{{"version": 1, "job": "{job}", "kind": "image.process"}}' for job in jobs] * copies
    bodies += ["hello", '{"version": 1, "job": "somebody else\'s"}']
    random.Random(7).shuffle(bodies)
    settings = deployment.gallery.settings
    async with queue_client(settings) as client:
        channel = SqsChannel(client, str(settings.queue.sqs.queue_url))
        for start in range(0, len(bodies), 10):
            await channel.send([OutgoingMessage(body, ZERO) for body in bodies[start : start + 10]])
