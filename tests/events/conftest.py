import pytest
from tests.support.clock import ManualClock
from tests.support.events import EventLog

from imagegallery.database.pool import Database
from imagegallery.events.event import EventOptions
from imagegallery.events.service import EventService
from imagegallery.gallery import EVENT_TYPES


@pytest.fixture
def log(database: Database, clock: ManualClock) -> EventLog:
    return EventLog(database, clock)


@pytest.fixture
def events(database: Database, clock: ManualClock) -> EventService:
    return EventService(database, EVENT_TYPES, EventOptions(buffer=10), clock)
