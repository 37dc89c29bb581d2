"""Each fault point is walked: the process that comes there first is killed, started again, and all is well in the end.

A new point is walked by the story of its area, the part of its name before the dot; one that no story comes by fails.
"""

from collections.abc import Mapping
from pathlib import Path

import anyio
import httpx
import pytest
from tests.faults import stories
from tests.faults.deployment import FREQUENT_UPKEEP, Deployment, Patient, were_killed
from tests.faults.looking import check, unfinished
from tests.faults.stories import Scene, Story
from tests.support.servers.sqs import ClockedSqsServer

from fault_points import all_fault_points

# By point, else by area.
STORIES: Mapping[str, Story] = {
    "arrivals": stories.arrived,
    "attach": stories.attached,
    "completion": stories.whole,
    "completion.duplicate": stories.duplicate,
    "completion.rejected": stories.refused,
    "discard": stories.discarded,
    "erasure": stories.erased,
    "export": stories.exported,
    "parts": stories.whole,
    "processing": stories.processed,
    "processing.refused": stories.spoilt,
    "purge": stories.purged,
    "relay": stories.processed,
    "resumable": stories.resumable,
    "resumable.joined": stories.concatenated,
    "s3": stories.resumable,
    "service": stories.through_the_service,
    "service.arrived": stories.sent_to_the_service,
    "sqs": stories.processed,
    "stage": stories.attached,
    "sweep": stories.abandoned,
    "trash": stories.purged,
    "upload": stories.whole,
    "upload.cancelled": stories.cancelled,
    "worker": stories.processed,
    "worker.worked": stories.purged,
}
# The later formats are another job, and variants are several: the same places once more.
AGAIN = (
    "worker.claimed:2",
    "processing.fetched:2",
    "processing.stored:2",
    "processing.stored:4",
    "processing.recorded:2",
)
IN_PARTS = {"IMAGEGALLERY_UPLOADS_PARTS_THRESHOLD": "0"}
WITHOUT_GRACE = {"IMAGEGALLERY_PRIVACY_ERASE_GRACE": "00:00:00"}
RELAY_APART = {"IMAGEGALLERY_QUEUE_RELAY_IN_WORKER": "false"}
# Of these only the store knows; its lifecycle rule aborts them (`imagegallery storage setup`).
LEFT_TO_THE_STORE = {"parts.created"}
PATIENCE = 300
# A step of each process, in each kind of upload, in every run; the others take minutes (`nox -s slow`).
ALWAYS = {
    "attach.written",
    "completion.promoted",
    "parts.joined",
    "processing.stored",
    "relay.reserved",
    "resumable.appended",
}


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=() if point in ALWAYS else pytest.mark.slow)
        for point in (*sorted(all_fault_points()), *AGAIN)
    ],
)
async def test_a_process_that_is_killed_at(
    point: str, environment: dict[str, str], sqs_server: ClockedSqsServer, small_picture: Path, tmp_path: Path
) -> None:
    name = point.partition(":")[0]
    area = name.partition(".")[0]
    story = STORIES.get(name) or STORIES[area]
    environment |= IN_PARTS if area == "parts" else {}
    environment |= FREQUENT_UPKEEP if area == "sweep" else {}
    environment |= WITHOUT_GRACE if area == "erasure" else {}
    environment |= RELAY_APART if area == "relay" else {}
    roles = ("api", "worker", "relay") if area == "relay" else ("api", "worker")
    with anyio.fail_after(PATIENCE):
        async with (
            Deployment.running(environment, sqs_server, tmp_path, dies_at=point, roles=roles) as deployment,
            httpx.AsyncClient(timeout=30) as http,
        ):
            client = Patient(http)
            made = await client.call("POST", f"{deployment.url}/galleries", json={"name": "Lisbon"})
            gallery_id = made.raise_for_status().json()["data"]["id"]
            images = await story(Scene(deployment, client, gallery_id, small_picture))
            await deployment.until_somebody_died()
            await check(deployment, images)
            assert bool(await unfinished(deployment)) == (point in LEFT_TO_THE_STORE)
            assert were_killed(deployment.deaths)
