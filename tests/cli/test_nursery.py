"""What is forked together ends together, whoever of the family goes first and however."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
Service = subprocess.Popen[str]


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    command = [sys.executable, "-m", "tests.support.family", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Runs, and so does its program."""
    with serving(tmp_path) as process:
        until((tmp_path / "started").exists)
        yield process


def parent_of(process: int) -> int:
    """By `/proc/PID/stat`; its second field, a name in parentheses, may hold blanks."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def is_gone(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


def test_a_program_is_told_to_end_when_the_service_is_cancelled(service: Service, tmp_path: Path) -> None:
    program = int((tmp_path / "started").read_text())
    service.communicate("cancel\n", timeout=60)
    assert service.returncode == 0
    assert is_gone(program)
    assert (tmp_path / "ended").read_text() == "SIGTERM"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on(service: Service, tmp_path: Path, number: signal.Signals) -> None:
    service.send_signal(number)
    until((tmp_path / "ended").exists)
    assert (tmp_path / "ended").read_text() == number.name


@pytest.mark.parametrize("who", ["service", "nursery"])
def test_nobody_is_left_when_one_is_killed(service: Service, tmp_path: Path, who: str) -> None:
    program = int((tmp_path / "started").read_text())
    nursery = parent_of(program)
    assert parent_of(nursery) == service.pid
    os.kill({"service": service.pid, "nursery": nursery}[who], signal.SIGKILL)
    until(lambda: is_gone(program) and (is_gone(nursery) or parent_of(nursery) == service.pid))
    assert (tmp_path / "ended").read_text() == "SIGINT"
    if who == "nursery":
        _, said = service.communicate()
        assert "The process that starts the others ended unexpectedly." in said


def test_all_end_when_one_that_must_live_has_ended(tmp_path: Path) -> None:
    (tmp_path / "fails").touch()
    with serving(tmp_path) as service:
        assert service.stderr is not None
        assert "The lasting process ended unexpectedly (exit code 3)." in service.stderr.read()
