"""Every block of code on every page runs, or says why it cannot."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imagegallery.testing.service import RunningService
from imagegallery.testing.studio import picture

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
MOST_NOT_RUN = 3


@pytest.fixture(scope="module")
def workspace(service: RunningService) -> Path:
    """Where a reader stands: a folder with photographs, and the data directory of a service that runs."""
    folder = service.data_dir.parent
    for place in (folder, folder / "photos", folder / "Pictures" / "2026"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "photo.jpg").write_bytes(picture(640, 480))
    return folder


def run_page(page: Path, workspace: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, str(ROOT / "docs" / "code_blocks.py"), str(page)],
        cwd=workspace,
        env={**os.environ, "HOME": str(workspace), "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages show curl")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT / "docs")))
def test_the_code_of(page: Path, workspace: Path, service: RunningService, database_dsn: str) -> None:
    surroundings = {"API": f"{service.url}/api/v1", "DATABASE": database_dsn, "IMAGEGALLERY_DATA_DIR": "data"}
    done = run_page(page, workspace, **surroundings)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "block",
    [
        "```python\nassert 1 == 2\n```",
        "```sh\nfalse\ntrue\n```",
        "```sh\necho $NOT_SET\n```",
        "```json\n{'single': 1}\n```",
        "```toml\n[imagegallery.uploads]\nno_such_option = 1\n```",
        '```toml\n[imagegallery.uploads]\nmax_size = "big"\n```',
        "```\nno language\n```",
        "```python notest\nassert 1 == 2\n```",
        "1. In a list:\n\n   ```python\n   assert 1 == 2\n   ```",
        "```python\nassert 1 == 1\n",
        "```rust\nfn main() {}\n```",
        "<!-- run by tests/no_such_test.py -->\n```python\n```",
        "<!-- hidden python\nraise SystemExit(1)\n-->",
        "```python\nimport asyncio\nawait asyncio.sleep(0)\nassert False\n```",
    ],
)
def test_a_wrong_block_is_noticed(block: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{block}\n")
    assert run_page(page, tmp_path).returncode != 0


def test_the_blocks_of_a_page_belong_together(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- hidden python\nimport asyncio\n-->\n\n```python\nit = 1\n```\n\nthen\n\n"
        "```python\nawait asyncio.sleep(0)\nassert it == 1\n```\n\n```sh\nNAME=x\n```\n\n```sh\ntest $NAME = x\n```\n"
    )
    done = run_page(page, tmp_path)
    assert done.returncode == 0, done.stderr


def test_few_blocks_are_not_run() -> None:
    reasons = [reason for page in PAGES for reason in re.findall(r"<!-- not run: (.*) -->", page.read_text())]
    assert len(reasons) <= MOST_NOT_RUN, reasons
