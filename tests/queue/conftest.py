"""What the tests of queues share beyond `tests/conftest.py`: an SQS server, and queues of one's own on it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from imagegallery.database.pool import Database
from imagegallery.testing.clock import ManualClock
from imagegallery.testing.servers.sqs import SqsBench, SqsServer


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[SqsServer]:
    with SqsServer.running() as server:
        yield server


@pytest.fixture
async def sqs(sqs_server: SqsServer, database: Database, clock: ManualClock) -> AsyncIterator[SqsBench]:
    async with SqsBench.open(sqs_server, database, clock) as bench:
        yield bench
