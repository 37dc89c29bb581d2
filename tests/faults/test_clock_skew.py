"""Machines whose clocks are five minutes off, either way: all go by the database's time."""

from pathlib import Path

import anyio
import asyncpg
import httpx
from tests.faults.deployment import FREQUENT_UPKEEP, Deployment, Patient, without
from tests.faults.looking import idle, rows, upload_state
from tests.faults.stories import Scene, resumable, whole
from tests.support.servers.sqs import ClockedSqsServer

FIVE_MINUTES = 300
SKEWS = {"api": FIVE_MINUTES, "worker": -FIVE_MINUTES, "worker-2": FIVE_MINUTES}
# Less than the clocks are off: a process that went by its own would end every upload of another one.
SHORT_LIFE = {"IMAGEGALLERY_UPLOADS_SESSION_LIFETIME": "0:02:00"}
# How often each job was claimed, when it is over.
REMEMBER = """
CREATE TABLE ended (kind text, attempts integer);
CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO ended VALUES (OLD.kind, OLD.attempts); RETURN OLD; END $$;
CREATE TRIGGER remember BEFORE DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION remember();"""
OVER = "UPDATE upload_sessions SET expires_at = clock_timestamp() WHERE id = $1"
IMAGES = 4


async def test_uploads_signatures_leases_and_expiry_hold_for_all(
    environment: dict[str, str], database_dsn: str, sqs_server: ClockedSqsServer, small_picture: Path, tmp_path: Path
) -> None:
    changed = {**without(environment, "_SQS_"), **SHORT_LIFE, **FREQUENT_UPKEEP}
    connection = await asyncpg.connect(database_dsn)
    await connection.execute(REMEMBER)
    async with (
        Deployment.running(changed, sqs_server, tmp_path, roles=tuple(SKEWS), skews=SKEWS) as deployment,
        httpx.AsyncClient(timeout=30) as http,
    ):
        client = Patient(http)
        made = await client.call("POST", f"{deployment.url}/galleries", json={"name": "Lisbon"})
        scene = Scene(deployment, client, made.json()["data"]["id"], small_picture)
        with anyio.fail_after(300):
            open_, over = await scene.begun(), await scene.begun()
            await scene.send(open_, scene.body)
            images = [*await resumable(scene)]
            for _ in range(IMAGES):
                images += await whole(scene)
            await idle(deployment)
            await connection.execute(OVER, over["id"])
            await upload_state(deployment, str(over["id"]), "expired")  # a sweep has passed over both
            completed = await scene.call("POST", f"/uploads/{open_['id']}/complete")
            assert completed.is_success, completed.text
            await idle(deployment)
            await shown(scene, str(images[0]))
        attempts = [row["attempts"] for row in await rows(deployment, "SELECT attempts FROM ended")]
        assert len(attempts) >= 2 * (len(images) + 1)
        assert set(attempts) == {1}
    await connection.close()


async def shown(scene: Scene, image_id: str) -> None:
    """The addresses that the API signs are good at the store."""
    answer = await scene.call("GET", f"/images/{image_id}")
    for variant in answer.json()["data"]["variants"]:
        assert (await scene.client.call("GET", variant["url"])).status_code == 200
