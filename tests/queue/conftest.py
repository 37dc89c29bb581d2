"""What the tests of queues share beyond `tests/conftest.py`: an SQS server, and queues of one's own on it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.clock import ManualClock
from tests.support.servers.sqs import ClockedSqsServer, SqsBench

from imagegallery.database.pool import Database


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[ClockedSqsServer]:
    with ClockedSqsServer.running() as server:
        yield server


@pytest.fixture
async def sqs(sqs_server: ClockedSqsServer, database: Database, clock: ManualClock) -> AsyncIterator[SqsBench]:
    async with SqsBench.open(sqs_server, database, clock) as bench:
        yield bench
