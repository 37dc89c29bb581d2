from pathlib import Path

import pytest

from imagegallery.database.pool import Database
from imagegallery.testing.clock import ManualClock
from imagegallery.testing.library import Library


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)
