"""The figures of docs/explanation/scale.md are those that the script prints."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tables_are_what_the_script_prints() -> None:
    script = ROOT / "benchmarks" / "scale.py"
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs" / "explanation" / "scale.md").read_text()
    for table in printed.strip().split("\n\n"):
        assert table in page
