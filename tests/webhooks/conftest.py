from collections.abc import Iterator

import pytest
from tests.support.events import EventLog

from imagegallery.database.pool import Database
from imagegallery.testing.clock import ManualClock
from imagegallery.testing.servers.webhooks import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.running() as receiver:
        yield receiver


@pytest.fixture
def log(database: Database, clock: ManualClock) -> EventLog:
    return EventLog(database, clock)
