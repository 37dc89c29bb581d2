"""What of the page needs no browser, by Node's test runner: one test here for each file there."""

import subprocess
from pathlib import Path

import pytest
from tests.support.node import find_node

UNITS = sorted((Path(__file__).parent / "unit").glob("*.test.js"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit(unit: Path) -> None:
    done = subprocess.run([find_node(), "--test", str(unit)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
