"""What type checkers know of the library, as an application sees it."""

import subprocess
import sys
from pathlib import Path

from mypy.version import __version__ as mypy_version

import imagegallery.types

ROOT = Path(__file__).parents[2]
HOST = Path(__file__).with_name("host.py")


def test_an_application_is_typed_strictly_and_its_mistakes_are_found() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", str(HOST.relative_to(ROOT))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (mypy_version, done.stdout)


def test_the_names_for_annotations_are_those_of_the_modules() -> None:
    assert sorted(imagegallery.types.__all__) == imagegallery.types.__all__
    exported = {name for name in vars(imagegallery.types) if name.isidentifier() and not name.startswith("_")}
    assert exported == set(imagegallery.types.__all__)
    page = (ROOT / "docs" / "reference" / "python" / "types.md").read_text()
    assert [name for name in exported if f"`{name}`" not in page] == []
