"""What the README shows, run as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.servers.service import RunningService

ROOT = Path(__file__).parents[2]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)


def test_the_two_lines_are_on_the_first_screen() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:20]
    lines = [line for line in first_screen if line.startswith("python3 -m venv")]
    assert [line.rsplit(None, 1)[-1] for line in lines] == ["serve", ".venv/bin/pytest"]


def test_ci_runs_the_second_line_of_the_two() -> None:
    second = _blocks("sh")[1].strip()
    assert all(part in (ROOT / ".ci" / "run").read_text() for part in second.split(" && "))


def test_every_block_is_one_of_those_tested_here() -> None:
    assert len(re.findall(r"^\s*```", (ROOT / "README.md").read_text(), re.MULTILINE)) == 2 * 4
    assert (len(_blocks("sh")), len(_blocks("python"))) == (3, 1)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the session is curl's")
def test_the_curl_session(service: RunningService, photo: Path) -> None:
    (session,) = (block for block in _blocks("sh") if "curl" in block)
    environment = {**os.environ, "API": f"{service.url}/api/v1", "PHOTO": str(photo)}
    done = subprocess.run(["sh", "-euc", session], env=environment, check=True, capture_output=True, text=True)
    uploaded, end = json.JSONDecoder().raw_decode(done.stdout)
    listed = json.loads(done.stdout[end:])
    assert [image["id"] for image in listed["data"]] == [uploaded["data"]["id"]]
    assert uploaded["data"]["filename"]


def test_the_library_example(photo: Path, tmp_path: Path) -> None:
    (example,) = _blocks("python")
    code_lines = [line for line in example.splitlines() if line.strip()]
    assert len(code_lines) <= 20
    shutil.copy(photo, tmp_path / "photo.jpg")
    (tmp_path / "example.py").write_text(example)
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert re.search(r"\.webp\S* \d+w", done.stdout)
