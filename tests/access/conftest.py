from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library

from imagegallery.database.pool import Database


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)
