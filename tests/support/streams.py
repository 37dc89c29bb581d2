"""Event streams of an application that runs in the test itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ObjectReceiveStream
from starlette.applications import Starlette
from starlette.types import Message, Scope


@asynccontextmanager
async def listening(app: Starlette, token: str = "") -> AsyncIterator[ObjectReceiveStream[Message]]:
    """What the application sends to who asks for events, and stays."""
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/events",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
    }
    sender, receiver = anyio.create_memory_object_stream[Message](10)

    async def stay() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def answer() -> None:
        await app(scope, stay, sender.send)

    async with anyio.create_task_group() as tasks, sender, receiver:
        tasks.start_soon(answer)
        with anyio.fail_after(30):
            assert (await receiver.receive())["status"] == 200
            assert b"alive" in (await receiver.receive())["body"]
            yield receiver
        tasks.cancel_scope.cancel()
