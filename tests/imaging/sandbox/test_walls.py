"""What a decoder that was taken over can do: nothing. See escapes.py for all that it tries."""

import ctypes
import errno
import json
import mmap
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import anyio
import pytest
from tests.support import images

from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.sandbox import process, seccomp, wire
from imagegallery.imaging.sandbox.process import DecoderProcess
from imagegallery.imaging.sandbox.syscalls import AARCH64, X86_64, Machine

Outcomes = Mapping[str, Mapping[str, str]]

WALLS = {wire.Wall.FILES: "allow_reading", wire.Wall.CALLS: "allow_only_needed_calls"}
SECRET = ctypes.create_string_buffer(b"secret")


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process of the same user that has nothing to do with it."""
    other = subprocess.Popen(["/bin/sleep", "600"])
    yield other.pid
    other.kill()
    other.wait()


async def escape(
    directory: Path, bystander: int, walls: Sequence[wire.Wall], monkeypatch: pytest.MonkeyPatch
) -> Outcomes:
    """What becomes of each attempt, by a real decoder with these walls."""
    data = directory / "data"
    data.mkdir()
    for name in ("secret.key", "object", "program.py"):
        (data / name).write_text("0123456789")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data / ".s"))
        listener.listen()
        targets = {
            "key": str(data / "secret.key"),
            "object": str(data / "object"),
            "program": str(data / "program.py"),
            "socket": str(data / ".s"),
            "parent": os.getpid(),
            "bystander": bystander,
            "address": ctypes.addressof(SECRET),
            "without": [name for wall, name in WALLS.items() if wall not in walls],
        }
        (directory / "targets.json").write_text(json.dumps(targets))
        script = shutil.copy(Path(__file__).with_name("escapes.py"), directory)
        monkeypatch.setattr(process, "BOOTSTRAP", Path(script))
        return await _asked(directory, walls)


async def _asked(directory: Path, walls: Sequence[wire.Wall]) -> Outcomes:
    picture = directory / "picture"
    picture.write_bytes(images.jpeg())
    child = await DecoderProcess.start(ImagingOptions(processes=1, threads=1))
    try:
        if child.walls != set(walls):
            pytest.skip(f"this kernel has only: {', '.join(child.walls) or 'none'}")
        with picture.open("rb") as file:
            answer = await child.ask(wire.Request("image/jpeg"), [file.fileno()])
    finally:
        await child.end()
    return answer  # type: ignore[return-value]


def worked(outcomes: Mapping[str, str]) -> list[str]:
    return [name for name, outcome in outcomes.items() if outcome == "worked"]


async def test_nothing_gets_out(tmp_path: Path, bystander: int, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = await escape(tmp_path, bystander, list(wire.Wall), monkeypatch)
    assert {kind: worked(each) for kind, each in outcomes.items()} == {
        "files": [],
        "writes": [],
        "calls": [],
        "limits": [],
    }


async def test_the_filter_of_calls_alone_leaves_files_to_be_read(
    tmp_path: Path, bystander: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = await escape(tmp_path, bystander, [wire.Wall.CALLS], monkeypatch)
    assert "read the signing key" in worked(outcomes["files"])
    assert [worked(outcomes[kind]) for kind in ("writes", "calls", "limits")] == [[], [], []]


async def test_the_wall_around_files_alone_leaves_calls(
    tmp_path: Path, bystander: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = await escape(tmp_path, bystander, [wire.Wall.FILES], monkeypatch)
    assert worked(outcomes["files"]) == []
    assert worked(outcomes["limits"]) == []
    assert "fork" in worked(outcomes["calls"])


async def test_without_walls_the_attempts_work(tmp_path: Path, bystander: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the other tests would prove nothing."""
    outcomes = await escape(tmp_path, bystander, [], monkeypatch)
    assert {"read the signing key", "read passwords", "look at processes"} <= set(worked(outcomes["files"]))
    assert set(outcomes["writes"]) - set(worked(outcomes["writes"])) <= {"a file without a name"}
    assert {"connect to the database", "an inet socket", "fork", "a program", "signal another"} <= set(
        worked(outcomes["calls"])
    )


@pytest.mark.parametrize("code", ["", "\nraise SystemExit(3)"], ids=["alive", "dead"])
async def test_what_a_child_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Where calls are not filtered it could start programs."""
    script = tmp_path / "script.py"
    ready = wire.frame(wire.ready_message(frozenset()))
    script.write_text(
        "import os, subprocess, sys\n"
        "other = subprocess.Popen(['/bin/sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(other.pid))\n"
        f"os.write(1, {ready!r})\n"
        "sys.stdin.buffer.read(1)\n" + code
    )
    monkeypatch.setattr(process, "BOOTSTRAP", script)
    child = await DecoderProcess.start(ImagingOptions())
    started = Path(f"/proc/{int((tmp_path / 'pid').read_text())}/stat")
    assert started.exists()
    if code:
        with pytest.raises(process.DecoderDied):
            await child.ask(wire.Request("image/jpeg"), [0])
    await child.end()
    with anyio.fail_after(60):
        while started.exists() and " Z " not in started.read_text():
            await anyio.sleep(0.01)


ALLOW, REFUSE, ABSENT, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000


def verdict(machine: Machine, name_or_number: str | int, *arguments: int, audit: int | None = None) -> int:
    """What the filter answers, by the rules of bpf(4), for a call in the process 77."""
    number = machine.calls[name_or_number] if isinstance(name_or_number, str) else name_or_number
    data = struct.pack("<IIQ6Q", number, audit or machine.audit, 0, *arguments, *(0,) * (6 - len(arguments)))
    program, at, loaded = seccomp.program(machine, 77), 0, 0
    while True:
        code, then, otherwise, value = program[at]
        at += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = loaded == value if code == 0x15 else bool(loaded & value)
            at += then if holds else otherwise


@pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=["x86_64", "aarch64"])
def test_calls_are_judged_by_their_arguments(machine: Machine) -> None:
    assert verdict(machine, "read", 0) == ALLOW
    assert verdict(machine, "read", 0, audit=0x40000003) == KILL
    assert verdict(machine, "openat", 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    for flag in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_TMPFILE | os.O_RDWR):
        assert verdict(machine, "openat", 0, 0, flag) == REFUSE
    assert verdict(machine, "clone", 0x3D0F00) == ALLOW
    assert verdict(machine, "clone", 0x1200011) == REFUSE
    assert verdict(machine, "tgkill", 77, 78, 6) == ALLOW
    assert verdict(machine, "tgkill", 78, 78, 6) == REFUSE
    assert [verdict(machine, "prlimit64", pid) for pid in (0, 77, 1)] == [ALLOW, ALLOW, REFUSE]
    assert [verdict(machine, "prctl", option) for option in (15, 16, 1)] == [ALLOW, ALLOW, REFUSE]
    assert [verdict(machine, "fcntl", 0, command) for command in (0, 1030, 8, 10, 1031)] == [
        ALLOW,
        ALLOW,
        *[REFUSE] * 3,
    ]
    private, shared, anonymous, write = mmap.MAP_PRIVATE, mmap.MAP_SHARED, mmap.MAP_ANONYMOUS, mmap.PROT_WRITE
    assert verdict(machine, "mmap", 0, 4096, write, private | anonymous) == ALLOW
    assert verdict(machine, "mmap", 0, 4096, mmap.PROT_READ, shared) == ALLOW
    assert verdict(machine, "mmap", 0, 4096, write, shared) == REFUSE
    assert verdict(machine, "mmap", 0, 4096, mmap.PROT_READ, shared | anonymous) == REFUSE
    assert verdict(machine, 100_000) == ABSENT
    x32 = 0x40000000
    assert verdict(machine, x32 | machine.calls["read"]) == ABSENT


def test_what_gets_out_is_in_no_table() -> None:
    for machine in (X86_64, AARCH64):
        assert not {"socket", "connect", "execve", "kill", "ptrace", "io_uring_setup", "keyctl"} & set(machine.calls)
        assert len(set(machine.calls.values())) == len(machine.calls)
        assert len(seccomp.program(machine, 1)) < 4096  # BPF_MAXINSNS
