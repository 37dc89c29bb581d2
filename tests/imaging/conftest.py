"""One engine for the tests of a file: a child process takes a third of a second to start."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from imagegallery.imaging.sandbox.engine import SandboxedEngine

Place = Callable[[bytes], Path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[SandboxedEngine]:
    async with SandboxedEngine.open() as engine:
        yield engine


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Writes bytes to a file, and says where."""

    def write(data: bytes) -> Path:
        path = tmp_path / "picture"
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def into(tmp_path: Path) -> Path:
    directory = tmp_path / "out"
    directory.mkdir()
    return directory
