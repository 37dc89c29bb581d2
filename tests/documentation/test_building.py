"""The pages build without a warning."""

import importlib.util
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra docs")
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "reference" / "python" / "services" / "index.html").read_text()
    assert "imagegallery.ImageGallery.open" in reference
    protocols = (tmp_path / "reference" / "python" / "protocols" / "index.html").read_text()
    raises = protocols.partition("if_absent")[2].partition("Raises:")[2]
    assert "PreconditionFailed" in raises[: raises.index("</ul>")], "docstrings are read as Google style"
    values = unescape(re.sub(r"<[^>]+>", "", (tmp_path / "reference" / "python" / "values" / "index.html").read_text()))
    for shown in ("filename: str", "urls_expire_at: datetime | None = None", "HIT = 'hit'"):
        assert shown in " ".join(values.split()), shown
