from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library
from tests.support.processes import Process, running_process


@pytest.fixture
async def process(database_dsn: str, clock: ManualClock) -> AsyncIterator[Process]:
    async with running_process(database_dsn, clock) as process:
        yield process


@pytest.fixture
async def other(database_dsn: str, clock: ManualClock) -> AsyncIterator[Process]:
    """Another process on the same database."""
    async with running_process(database_dsn, clock) as process:
        yield process


@pytest.fixture
def library(process: Process, clock: ManualClock, tmp_path: Path) -> Library:
    """The services of ``process``."""
    return Library.on(process.database, tmp_path, clock)
