from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imagegallery.database.pool import Database
from imagegallery.testing.clock import ManualClock
from imagegallery.testing.studio import Studio


@pytest.fixture
async def studio(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Studio]:
    async with Studio.open(database, clock, tmp_path) as studio:
        yield studio
