"""The page about storage backends: its example passes the suite that it shows."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 120


def test_the_example_passes_the_suite(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "storage-backend.md").read_text()
    files = re.findall(r"`(\w+\.py)`.*?```python\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in files] == ["memory_store.py", "test_memory_store.py"]
    for name, code in files:
        (tmp_path / name).write_text(code)
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_memory_store.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed.group(1)) > 50
