"""A run of tests whose pytest is killed leaves nothing behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.leftovers import Run
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="asks Linux who runs")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One with a short name: sockets must fit in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_what_a_killed_run_has_started_ends(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-n", "1", str(Path(__file__).with_name("abandoned.py"))]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, env=os.environ | {"TMPDIR": str(folder)}) as abandoned,
    ):
        until((folder / "mark").exists)
        run = Run((folder / "mark").read_text(), folder)
        started = {command.split()[0].rpartition("/")[2] for command in run.left(but=[abandoned.pid]).values()}
        assert started >= {"sleep", "postgres"}
        abandoned.kill()
    until(lambda: not run.left())
