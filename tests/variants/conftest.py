from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.studio import Studio

from imagegallery.database.pool import Database
from imagegallery.imaging.protocol import ImagingEngine


@pytest.fixture
async def studio(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[Studio]:
    async with Studio.open(database, clock, tmp_path, imaging_engine) as studio:
        yield studio
