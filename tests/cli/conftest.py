"""What most commands here are run with: a database of the shared server, and variants that are quickly made.

Those whose subject is the embedded database have a ``--data-dir`` of their own instead: its start and stop with each
command takes longer than all that most commands do.
"""

import subprocess
from pathlib import Path

import anyio.to_thread
import pytest
from attrs import frozen

from imagegallery import Settings
from imagegallery.cli.main import cli, run

# One that is made at once, and one that is made later.
SMALL_PRESETS = """
[[imagegallery.variants.presets]]
name = "thumbnail"
width = 80
height = 80
format = "webp"
quality = 70

[[imagegallery.variants.presets]]
name = "small"
width = 60
height = 60
format = "avif"
quality = 50
"""


@pytest.fixture
def small_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that every command of the test reads its settings from, unless it names another one."""
    path = tmp_path / "presets.toml"
    path.write_text(SMALL_PRESETS)
    monkeypatch.setenv("IMAGEGALLERY_CONFIG", str(path))
    return path


@pytest.fixture
def settings(small_presets: Path, database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those that every command of the test finds in its environment."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", database_dsn)
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(tmp_path / "data"))
    return Settings.from_env()


@frozen
class InProcess:
    """Runs commands in this process, for tests of what needs none of its own: it would take most of their time."""

    _capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        self._capsys.readouterr()
        code = run(lambda **options: cli.main(list(arguments), **options))
        return subprocess.CompletedProcess(arguments, code, *self._capsys.readouterr())

    async def aside(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The same beside an event loop: a command has its own."""
        return await anyio.to_thread.run_sync(lambda: self(*arguments))


@pytest.fixture
def in_process(capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(capsys)
