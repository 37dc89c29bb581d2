from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library

from imagegallery.access.options import SharingOptions
from imagegallery.database.pool import Database
from imagegallery.rates.counters import BoundedStorage, WindowCounts
from imagegallery.rates.limiter import RateLimiter
from imagegallery.rates.options import RateOptions
from imagegallery.sharing.service import ShareService


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


@pytest.fixture
def shares(database: Database, clock: ManualClock) -> ShareService:
    rates = RateLimiter(WindowCounts(BoundedStorage(clock)), RateOptions(passwords="3/minute"))
    return ShareService(database, rates, SharingOptions(max_per_owner=5), clock)
