from collections.abc import Iterator

import pytest
from tests.support.clock import ManualClock
from tests.support.events import EventLog
from tests.support.servers.webhooks import Receiver

from imagegallery.database.pool import Database


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.running() as receiver:
        yield receiver


@pytest.fixture
def log(database: Database, clock: ManualClock) -> EventLog:
    return EventLog(database, clock)
