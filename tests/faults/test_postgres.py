"""PostgreSQL crashes and is restarted under load: what was acknowledged is there, and nobody has to be restarted."""

import io
import os
import signal
from pathlib import Path
from uuid import UUID

import anyio
import httpx
from attrs import define, field
from PIL import Image as Pillow
from tests.faults.deployment import Deployment, Patient, without
from tests.faults.looking import check
from tests.support.servers.sqs import ClockedSqsServer

from imagegallery.database.embedded.cluster import Cluster
from imagegallery.database.embedded.server import EmbeddedPostgres

# Commits are not on disk when they are acknowledged, but with the system, which does not crash here.
SETTINGS = {"fsync": "off", "shared_buffers": "32MB", "max_connections": "60"}
# Nobody finds a job who does not listen.
BY_WORD_ONLY = {"IMAGEGALLERY_QUEUE_POLL_INTERVAL": "1:00:00", "IMAGEGALLERY_QUEUE_CONCURRENCY": "2"}
# What ``pg_ctl stop`` does with ``-m immediate``, and with ``-m fast``.
ENDS = (signal.SIGQUIT, signal.SIGINT)
UPLOADERS = 2
BETWEEN = 4  # uploads


@define
class Load:
    """Uploads and reads, again and again; whatever fails must be said to be passing."""

    http: httpx.AsyncClient
    address: str
    acknowledged: list[UUID] = field(factory=list)
    refused: int = 0

    async def upload(self, number: int) -> None:
        while True:
            body = _picture(number, len(self.acknowledged))
            answer = await self.http.post(self.address, content=body, headers={"Content-Type": "image/png"})
            if self._went_well(answer, 202):
                self.acknowledged.append(UUID(answer.json()["data"]["id"]))

    async def read(self) -> None:
        while True:
            self._went_well(await self.http.get(self.address), 200)

    def _went_well(self, answer: httpx.Response, expected: int) -> bool:
        if answer.status_code == expected:
            return True
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"]
        self.refused += 1
        return False

    async def until(self, acknowledged: int) -> None:
        while len(self.acknowledged) < acknowledged:
            await anyio.sleep(0.05)


async def test_what_was_acknowledged_survives_crashes_and_restarts_of_the_database(
    environment: dict[str, str], sqs_server: ClockedSqsServer, tmp_path: Path
) -> None:
    directory = tmp_path / "postgres"
    async with EmbeddedPostgres.running(directory, settings=SETTINGS) as dsn:
        cluster = await Cluster.open(directory / "cluster")
        changed = {**without(environment, "_SQS_", "REDIS"), **BY_WORD_ONLY, "IMAGEGALLERY_DATABASE_DSN": dsn}
        async with (
            Deployment.running(changed, sqs_server, tmp_path) as deployment,
            httpx.AsyncClient(timeout=60) as http,
        ):
            made = await Patient(http).call("POST", f"{deployment.url}/galleries", json={"name": "Lisbon"})
            load = Load(http, f"{deployment.url}/galleries/{made.json()['data']['id']}/images")
            with anyio.fail_after(300):
                async with anyio.create_task_group() as tasks:
                    for number in range(UPLOADERS):
                        tasks.start_soon(load.upload, number)
                    tasks.start_soon(load.read)
                    for each in ENDS:
                        await load.until(len(load.acknowledged) + BETWEEN)
                        await end(directory, each)
                        await cluster.start(SETTINGS)
                    await load.until(len(load.acknowledged) + BETWEEN)
                    tasks.cancel_scope.cancel()
                assert load.refused, "nobody was at it when the database was away"
                await check(deployment, load.acknowledged, at_least=True)
            assert deployment.deaths == []


async def end(directory: Path, how: signal.Signals) -> None:
    """Returns when it is gone."""
    pidfile = anyio.Path(directory, "cluster", "postmaster.pid")
    os.kill(int((await pidfile.read_text()).split()[0]), how)
    while await pidfile.exists():
        await anyio.sleep(0.02)


def _picture(*numbers: int) -> bytes:
    """A PNG like no other."""
    buffer = io.BytesIO()
    Pillow.new("RGB", (64, 48), (*numbers, 7)).save(buffer, "PNG")
    return buffer.getvalue()
