"""The page about storage backends: its example passes the suite that it shows, and a photo goes through it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 120


def test_the_example_passes_the_suite(tmp_path: Path) -> None:
    write_files(tmp_path)
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "--rootdir", str(tmp_path)]
    printed = run(tmp_path, "-m", "pytest", *options, "test_memory_store.py")
    passed = re.search(r"(\d+) passed", printed)
    assert passed is not None
    assert int(passed.group(1)) > 50


def test_a_photo_goes_through_the_example(tmp_path: Path, tram: Path) -> None:
    write_files(tmp_path)
    keys = [line.split()[0] for line in run(tmp_path, "use_memory_store.py", "data", str(tram)).splitlines()]
    assert sum("/original." in key for key in keys) == 1
    assert any("/thumbnail-" in key for key in keys)
    assert not any(key.startswith("incoming/") for key in keys)
    assert not (tmp_path / "data" / "objects").exists()


@pytest.fixture
def tram(tmp_path: Path) -> Path:
    path = tmp_path / "tram.jpg"
    Image.new("RGB", (400, 300), (200, 60, 20)).save(path)
    return path


def write_files(folder: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "storage-backend.md").read_text()
    files = re.findall(r"`(\w+\.py)`.*?```python\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in files] == ["memory_store.py", "test_memory_store.py", "use_memory_store.py"]
    for name, code in files:
        (folder / name).write_text(code)


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
