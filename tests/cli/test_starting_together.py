"""Processes of one gallery that start at the same moment, on a database that nobody has used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer

from imagegallery.database import migrate as migrations

AT_ONCE = 4
# Each says that it is there and waits to be told, so that none is done before the last begins.
WAITING = """
import sys
from imagegallery.cli.main import main
print("here", flush=True)
sys.stdin.read(1)
main()
"""


@pytest.fixture
def processes(database_server: DatabaseServer, tmp_path: Path) -> "list[subprocess.CompletedProcess[str]]":
    """What became of `imagegallery migrate`, run by all of them at once."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(database_server.empty()) as dsn:
        environment = {**os.environ, "IMAGEGALLERY_DATABASE_DSN": dsn, "IMAGEGALLERY_DATA_DIR": str(tmp_path)}
        started = [
            subprocess.Popen(
                [sys.executable, "-c", WAITING, "migrate"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(AT_ONCE)
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        ended = [(process, *process.communicate()) for process in started]
        return [subprocess.CompletedProcess(process.args, process.returncode, out, err) for process, out, err in ended]


def test_each_migration_is_applied_by_one_of_them(processes: "list[subprocess.CompletedProcess[str]]") -> None:
    assert [(process.returncode, process.stderr) for process in processes] == [(0, "")] * AT_ONCE
    lines = [line for process in processes for line in process.stdout.splitlines()]
    names = sorted(path.stem for path in Path(migrations.__file__).with_name("migrations").glob("*.sql"))
    assert sorted(line for line in lines if line.startswith("applied")) == [f"applied {name}" for name in names]
