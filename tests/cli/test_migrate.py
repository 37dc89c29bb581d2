"""``imagegallery migrate``, and errors that every command tells in the same way."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from imagegallery import Conflict, NotFound
from imagegallery.cli.main import cli, run
from imagegallery.database import migrate as migrations


def _imagegallery(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "imagegallery.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


def test_it_says_what_it_would_apply_and_then_applies_it(tmp_path: Path) -> None:
    arguments = ("migrate", "--data-dir", str(tmp_path / "data"))
    planned = _imagegallery(*arguments, "--dry-run")
    applied, again = _imagegallery(*arguments), _imagegallery(*arguments)
    names = sorted(path.stem for path in Path(migrations.__file__).with_name("migrations").glob("*.sql"))
    assert planned.stdout.splitlines() == [f"would apply {name}" for name in names], planned.stderr
    assert applied.stdout.splitlines() == [f"applied {name}" for name in names]
    assert again.stdout == "The database is up to date.\n"


def test_a_database_that_does_not_answer_is_one_line() -> None:
    done = _imagegallery("migrate", IMAGEGALLERY_DATABASE_DSN="postgresql://nobody@127.0.0.1:9/none")
    assert (done.returncode, done.stderr) == (1, "Error: The database does not answer.\n")


def test_an_option_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[imagegallery.uploads]\nmax_sise = 1\n")
    done = _imagegallery("migrate", "--config", str(tmp_path / "settings.toml"))
    assert done.returncode == 1
    assert "uploads.max_sise" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_read_is_named() -> None:
    done = _imagegallery("migrate", IMAGEGALLERY_UPLOADS_MAX_SIZE="much")
    assert done.returncode == 1
    assert "uploads.max_size" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_wrong_usage_is_exit_code_two() -> None:
    assert CliRunner().invoke(cli, ["import"]).exit_code == 2


def test_errors_out_of_task_groups_are_told_one_by_one() -> None:
    def fails(**_: object) -> None:
        raise ExceptionGroup("two", [NotFound("no such thing"), ExceptionGroup("one", [Conflict("not now")])])

    assert run(fails) == 1
