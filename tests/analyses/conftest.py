import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.studio import Studio

from imagegallery.database.pool import Database
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.sandbox.engine import SandboxedEngine

BRIGHTNESS = """
def measure(subject):
    assert len(subject.pixels) == 16
    return {"brightness": round(sum(subject.pixels) / 16), "is_wide": subject.width > subject.height}
"""
SAME = """
def measure(subject):
    return "0123456789abcdef"
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules ``brightness`` and ``same``, each a file of its own, where Python and the decoder find it."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "brightness.py").write_text(BRIGHTNESS)
    (folder / "same.py").write_text(SAME)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)
    for name in ("brightness", "same"):  # here first: it leaves a cache in the folder, which a decoder may not list
        importlib.import_module(name)


@pytest.fixture
async def studio(own_file: None, database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Studio]:
    """With a decoder of its own: it knows the file that was added."""
    async with (
        SandboxedEngine.open(ImagingOptions(processes=1, threads=1)) as engine,
        Studio.open(database, clock, tmp_path, engine) as studio,
    ):
        yield studio
