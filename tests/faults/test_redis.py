"""Redis dies and comes back while two API processes are read and written: nobody notices but the clock."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import anyio
import httpx
from tests.faults.deployment import Deployment, Patient
from tests.support.servers.redis import RedisServer
from tests.support.servers.sqs import ClockedSqsServer

APIS = ("api", "api-2")
CHANGES = 6


async def test_each_process_answers_right_while_redis_dies_and_comes_back(
    environment: dict[str, str], sqs_server: ClockedSqsServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Whoever made a change sees it at once, the other process soon, and nobody goes back to what was before."""
    async with (
        Deployment.running(environment, sqs_server, tmp_path, roles=APIS) as deployment,
        httpx.AsyncClient(timeout=30) as http,
    ):
        client = Patient(http)
        made = await client.call("POST", f"{deployment.url}/galleries", json={"name": "0", "visibility": "public"})
        path = f"/galleries/{made.raise_for_status().json()['data']['id']}"
        addresses = [deployment.url_of(api) + path for api in APIS]
        for address in addresses:
            await client.call("GET", address)
        with anyio.fail_after(300):
            for happens in (lambda: None, redis_server.kill, redis_server.start, redis_server.restart):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_change_and_read, http, addresses)
                    await anyio.to_thread.run_sync(happens)
        assert deployment.deaths == []


async def _change_and_read(http: httpx.AsyncClient, addresses: Sequence[str]) -> None:
    """Changes by either process in turn, each read in both."""
    before = int(await _name(http, addresses[0]))
    for number, (here, there) in zip(
        range(before + 1, before + 1 + CHANGES), cycle([addresses, addresses[::-1]]), strict=False
    ):
        changed = await http.patch(here, json={"name": str(number)})
        assert changed.status_code == 200, changed.text
        assert await _name(http, here) == str(number)
        while (name := await _name(http, there)) != str(number):
            assert name == str(number - 1)


async def _name(http: httpx.AsyncClient, address: str) -> str:
    answer = await http.get(address)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["data"]["name"]
    return name
