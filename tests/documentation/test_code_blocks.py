"""Every block of code on every page runs, or says why it cannot."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.servers.service import RunningService
from tests.support.studio import picture

import code_blocks

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
MOST_NOT_RUN = 3


@pytest.fixture(scope="module")
def workspace(service: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader stands: a folder with photographs, and the data directory of a service that runs."""
    folder = tmp_path_factory.mktemp("workspace")
    for name in ("data", "library-data", "imagegallery-data"):
        (folder / name).symlink_to(service.data_dir)
    for place in (folder, folder / "photos", folder / "Pictures" / "2026"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "photo.jpg").write_bytes(picture(640, 480))
    return folder


@pytest.fixture
def surroundings(workspace: Path, service: RunningService, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder and the environment that programs on the pages are run in."""
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("HOME", str(workspace))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("API", f"{service.url}/api/v1")
    monkeypatch.setenv("DATABASE", database_dsn)
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", "data")


def run_in_a_process(page: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "docs" / "code_blocks.py"), str(page)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def has_programs(page: Path) -> bool:
    blocks = code_blocks.blocks_of(page.read_text())
    return any(block.runs_here and block.language in code_blocks.PROGRAMS for block in blocks)


def of_pages(pages: Sequence[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT / "docs")))


@of_pages([page for page in PAGES if not has_programs(page)])
def test_a_page_without_programs(page: Path) -> None:
    code_blocks.run(page)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages show curl")
@pytest.mark.usefixtures("surroundings")
@of_pages([page for page in PAGES if has_programs(page)])
def test_the_programs_of(page: Path) -> None:
    done = run_in_a_process(page)
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
    with pytest.raises((Exception, SystemExit)):
        code_blocks.run(page)


def test_a_wrong_page_is_told_by_the_exit_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nassert 1 == 2\n```\n")
    done = run_in_a_process(page)
    assert done.returncode != 0
    assert f'"{page}", line 2' in done.stderr


def test_the_blocks_of_a_page_belong_together(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- hidden python\nimport asyncio\n-->\n\n```python\nit = 1\n```\n\nthen\n\n"
        "```python\nawait asyncio.sleep(0)\nassert it == 1\n```\n\n```sh\nNAME=x\n```\n\n```sh\ntest $NAME = x\n```\n"
    )
    code_blocks.run(page)


def test_few_blocks_are_not_run() -> None:
    reasons = [reason for page in PAGES for reason in re.findall(r"<!-- not run: (.*) -->", page.read_text())]
    assert len(reasons) <= MOST_NOT_RUN, reasons
