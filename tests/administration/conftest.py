"""One service in two processes, as administrators find it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from attrs import frozen
from tests.support.processes import settle

from imagegallery import ImageGallery, Principal, Role, Settings, UploadPolicy
from imagegallery.database.options import DatabaseOptions
from imagegallery.imaging.protocol import ImagingEngine

ADMIN = Principal.user("ada", role=Role.ADMIN)
OTHER_ADMIN = Principal.user("bea", role=Role.ADMIN)
MAX_SIZE = 1_000_000


@frozen
class Service:
    here: ImageGallery
    there: ImageGallery

    async def hear(self) -> None:
        """Return when the process there has heard of all that was committed."""
        await settle(self.there._resources.changes)


@asynccontextmanager
async def running(dsn: str, data_dir: Path, engine: ImagingEngine) -> AsyncIterator[ImageGallery]:
    uploads = UploadPolicy(max_size=MAX_SIZE, storage_limit=10 * MAX_SIZE)
    settings = Settings(data_dir=data_dir, database=DatabaseOptions(dsn=dsn), uploads=uploads)
    async with ImageGallery.open(settings, engine=engine) as gallery:
        yield gallery


@pytest.fixture
async def service(database_dsn: str, tmp_path: Path, imaging_engine: ImagingEngine) -> AsyncIterator[Service]:
    async with (
        running(database_dsn, tmp_path / "data", imaging_engine) as here,
        running(database_dsn, tmp_path / "data", imaging_engine) as there,
    ):
        yield Service(here, there)
