"""``imagegallery migrate``, and errors that every command tells in the same way."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.conftest import InProcess
from tests.support.database import DatabaseServer

from imagegallery import Conflict, NotFound, Unavailable
from imagegallery.cli.main import cli, run
from imagegallery.database import migrate as migrations
from imagegallery.database.pool import Database, DatabaseOptions


@pytest.fixture
async def unused(database_server: DatabaseServer) -> AsyncIterator[str]:
    """The DSN of a database without a schema."""
    async with database_server.empty() as dsn:
        yield dsn


async def test_it_says_what_it_would_apply_and_then_applies_it(
    unused: str, in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", unused)
    planned = await in_process.aside("migrate", "--dry-run")
    applied, again = await in_process.aside("migrate"), await in_process.aside("migrate")
    names = sorted(path.stem for path in Path(migrations.__file__).with_name("migrations").glob("*.sql"))
    assert planned.stdout.splitlines() == [f"would apply {name}" for name in names], planned.stderr
    assert applied.stdout.splitlines() == [f"applied {name}" for name in names]
    assert again.stdout == "The database is up to date.\n"


async def test_it_makes_the_indexes_by_keys_of_meta_that_the_settings_name(
    unused: str, in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", unused)
    monkeypatch.setenv("IMAGEGALLERY_META_INDEXED", "sku,shop")
    planned = await in_process.aside("migrate", "--dry-run")
    assert "index" not in planned.stdout
    first = await in_process.aside("migrate")
    made = ["images_meta_sku", "galleries_meta_sku", "images_meta_shop", "galleries_meta_shop"]
    assert first.stdout.splitlines()[-4:] == [f"made the index {name}" for name in made], first.stderr
    monkeypatch.setenv("IMAGEGALLERY_META_INDEXED", "sku")
    dropped = [f"the index {name}" for name in ("galleries_meta_shop", "images_meta_shop")]
    assert (await in_process.aside("migrate", "--dry-run")).stdout.splitlines() == [
        f"would drop {each}" for each in dropped
    ]
    assert (await in_process.aside("migrate")).stdout.splitlines() == [f"dropped {each}" for each in dropped]
    assert (await in_process.aside("migrate")).stdout == "The database is up to date.\n"


async def test_who_is_in_the_way_is_named_in_one_line(
    unused: str, in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", unused)
    async with Database.connect(DatabaseOptions(dsn=unused)) as database, database.transaction() as other:
        await other.execute(migrations.CREATE_VERSION_TABLE)
        done = await in_process.aside("migrate", "--lock-timeout", "0.05")
        said = f"In the way: process {other.get_server_pid()} (imagegallery, "
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_one_line() -> None:
    environment = {**os.environ, "IMAGEGALLERY_DATABASE_DSN": "postgresql://nobody@127.0.0.1:9/none"}
    command = [sys.executable, "-m", "imagegallery.cli", "migrate"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (1, "Error: The database does not answer.\n")


def test_an_option_that_does_not_exist_is_named(tmp_path: Path, in_process: InProcess) -> None:
    (tmp_path / "settings.toml").write_text("[imagegallery.uploads]\nmax_sise = 1\n")
    done = in_process("migrate", "--config", str(tmp_path / "settings.toml"))
    assert done.returncode == 1
    assert "uploads.max_sise" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_read_is_named(in_process: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_UPLOADS_MAX_SIZE", "much")
    done = in_process("migrate")
    assert done.returncode == 1
    assert "uploads.max_size" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_wrong_usage_is_exit_code_two() -> None:
    assert CliRunner().invoke(cli, ["import"]).exit_code == 2


def test_what_is_for_who_runs_the_service_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def fails(**_: object) -> None:
        error = Unavailable("The database does not answer.")
        error.add_note("It says: query_wait_timeout.")
        raise error

    assert run(fails) == 1
    assert capsys.readouterr().err == "Error: The database does not answer. It says: query_wait_timeout.\n"


def test_errors_out_of_task_groups_are_told_one_by_one() -> None:
    def fails(**_: object) -> None:
        raise ExceptionGroup("two", [NotFound("no such thing"), ExceptionGroup("one", [Conflict("not now")])])

    assert run(fails) == 1
