"""A service that takes small files in parts."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.uploads import Uploading
from tests.uploads.multipart.sending import PART, POLICY

from imagegallery.database.pool import Database
from imagegallery.imaging.protocol import ImagingEngine


@pytest.fixture
async def uploading(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> AsyncIterator[Uploading]:
    """A service that takes anything beyond 1,000 bytes in parts of 300."""
    async with Uploading.on(database, tmp_path, clock, imaging_engine) as uploading:
        yield uploading.having(policy=POLICY)


@pytest.fixture
def picture(encode: Callable[..., bytes]) -> bytes:
    """Some parts long, the last shorter than the others: bytes after its end do a JPEG no harm."""
    picture = encode("JPEG", (80, 60))
    assert len(picture) > 4 * PART
    return picture if len(picture) % PART else picture + b"\0"
