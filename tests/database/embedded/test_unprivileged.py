"""As root: PostgreSQL runs as somebody else, reaches its files, and no permission outside of them changes."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import asyncpg
import pytest

from imagegallery.database.embedded import account, unprivileged
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.errors import ConfigurationError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")

FAST = {"fsync": "off", "shared_buffers": "16MB"}
SOMEBODY = 60_600

# Gives up capabilities for good, then runs the rest of its arguments: what root is in a container.
WITHOUT = """
import ctypes, os, sys
for capability in sys.argv[1].split(","):
    if ctypes.CDLL(None).prctl(24, int(capability), 0, 0, 0) != 0:
        raise SystemExit(f"no capability {capability} to drop")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory that only root may enter, with one inside that anybody could."""
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name, "closed")
        (closed / "home").mkdir(parents=True)
        closed.chmod(0o700)
        Path(name).chmod(0o755)
        yield closed


def permissions_outside(cluster: Path) -> dict[Path, tuple[int, int, int]]:
    """Owner, group and mode of everything from the root directory to the cluster's own directory."""
    found = {path: path.stat() for path in cluster.parent.parents}
    return {path: (status.st_uid, status.st_gid, status.st_mode) for path, status in found.items()}


def capabilities_of_server(cluster: Path) -> tuple[int, int]:
    """The user id of the running server and its effective capabilities, as bits."""
    pid = (cluster / "postmaster.pid").read_text().split("\n", 1)[0]
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["Uid"].split()[1]), int(lines["CapEff"], 16)


@linux_only
@pytest.mark.parametrize("known", [account._KNOWN_ACCOUNTS, ()], ids=["known account", "unused id"])
async def test_below_a_closed_directory_it_works_and_changes_no_permission(
    closed: Path, known: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "_KNOWN_ACCOUNTS", known)
    directory = closed / "home" / "postgres"
    await anyio.Path(directory).mkdir()
    before = await anyio.to_thread.run_sync(permissions_outside, directory / "cluster")
    for _ in range(2):
        async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
            await (await asyncpg.connect(dsn)).close()
            uid, capabilities = await anyio.to_thread.run_sync(capabilities_of_server, directory / "cluster")
            assert uid != 0
            assert capabilities == 1 << unprivileged.CAP_DAC_READ_SEARCH
    assert await anyio.to_thread.run_sync(permissions_outside, directory / "cluster") == before
    assert stat.S_IMODE((await anyio.Path(directory, "cluster").stat()).st_mode) == 0o700


@linux_only
async def test_where_everybody_may_look_no_capability_is_lent(closed: Path) -> None:
    directory = closed.parent / "postgres"
    async with EmbeddedPostgres.running(directory, settings=FAST):
        uid, capabilities = await anyio.to_thread.run_sync(capabilities_of_server, directory / "cluster")
        assert uid != 0
        assert capabilities == 0


async def test_a_cluster_copied_by_root_is_taken_over(closed: Path) -> None:
    directory = closed.parent / "postgres"
    async with EmbeddedPostgres.running(directory, settings=FAST):
        pass
    await anyio.to_thread.run_sync(account.Account(0, 0).take, directory / "cluster")
    async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
        await (await asyncpg.connect(dsn)).close()


def launch(
    folder: Path, *command: str, without: str | None = None, options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who needs ``folder``, as root without some capabilities."""
    launcher = [
        sys.executable,
        "-I",
        "-S",
        unprivileged.__file__,
        *options,
        str(SOMEBODY),
        str(SOMEBODY),
        str(folder),
        "--",
    ]
    before = [] if without is None else [sys.executable, "-c", WITHOUT, without]
    return subprocess.run([*before, *launcher, *command], capture_output=True, text=True, check=False)


@linux_only
def test_the_user_is_changed_for_good(closed: Path) -> None:
    done = launch(closed.parent, "/bin/sh", "-c", "id -u; id -g; id -G; umask; cat /proc/self/status")
    uid, gid, groups, umask, *status = done.stdout.splitlines()
    assert (uid, gid, groups, umask) == (str(SOMEBODY), str(SOMEBODY), str(SOMEBODY), "0077")
    assert "Uid:\t60600\t60600\t60600\t60600" in status
    assert {line for line in status if line.startswith(("CapPrm", "CapEff", "CapAmb"))} == {
        f"{name}:\t{0:016x}" for name in ("CapPrm", "CapEff", "CapAmb")
    }


@linux_only
@pytest.mark.parametrize(
    ("without", "lent"),
    [(None, unprivileged.CAP_DAC_READ_SEARCH), (f"{unprivileged.CAP_DAC_READ_SEARCH}", unprivileged.CAP_DAC_OVERRIDE)],
    ids=["all of root's", "as in a container"],
)
def test_one_capability_is_lent_for_a_closed_directory(closed: Path, without: str | None, lent: int) -> None:
    done = launch(closed / "home", "/bin/sh", "-c", "cat /proc/self/status", without=without)
    status = dict(line.split(":\t", 1) for line in done.stdout.splitlines() if ":\t" in line)
    assert status["Uid"].split() == [str(SOMEBODY)] * 4
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {1 << lent}


@linux_only
@pytest.mark.parametrize(
    ("mode", "lent"),
    [(0o755, unprivileged.CAP_DAC_READ_SEARCH), (0o700, unprivileged.CAP_DAC_OVERRIDE)],
    ids=["installed by root", "installed by root with a strict umask"],
)
def test_a_program_below_a_closed_directory_can_be_run(closed: Path, mode: int, lent: int) -> None:
    program = closed / "home" / "cat"
    shutil.copyfile("/bin/cat", program)
    program.chmod(mode)
    done = launch(closed.parent, str(program), "/proc/self/status")
    assert f"CapEff:\t{1 << lent:016x}" in done.stdout.splitlines(), done.stderr


@linux_only
def test_a_program_that_asks_first_gets_the_answer_that_trying_would_give(closed: Path) -> None:
    program = closed / "home" / "cat"
    shutil.copyfile("/bin/cat", program)
    program.chmod(0o755)
    assert launch(closed / "home", "/bin/sh", "-c", f"test -x {program}").returncode == 0


@linux_only
def test_without_a_capability_to_lend_it_says_what_is_closed(closed: Path) -> None:
    done = launch(closed / "home", "/bin/true", without="1,2")
    assert done.returncode == unprivileged.EX_NOPERM
    assert done.stderr.strip().count("\n") == 0
    assert str(closed / "home") in done.stderr


@linux_only
def test_a_user_that_others_can_be_is_lent_no_capability(closed: Path) -> None:
    done = launch(closed / "home", "/bin/true", options=(unprivileged.UNAIDED,))
    assert done.returncode == unprivileged.EX_NOPERM
    assert f"{closed / 'home'}, and root gives it no capability" in done.stderr


@linux_only
async def test_a_cluster_that_another_user_has_written_gets_no_capability(closed: Path) -> None:
    """Its settings name programs to run."""
    directory = closed / "home" / "postgres"
    async with EmbeddedPostgres.running(directory, settings=FAST):
        pass
    daemon = account.Account.named("daemon")
    assert daemon is not None
    await anyio.to_thread.run_sync(daemon.take, directory / "cluster")
    with pytest.raises(ConfigurationError, match="gives it no capability"):
        async with EmbeddedPostgres.running(directory, settings=FAST):
            pass


@linux_only
async def test_only_the_servers_user_is_let_through(closed: Path) -> None:
    directory = closed.parent / "data" / "postgres"
    async with EmbeddedPostgres.running(directory, settings=FAST):
        cluster = await anyio.Path(directory, "cluster").stat()
        for folder in (directory, directory.parent):
            status = await anyio.Path(folder).stat()
            assert stat.S_IMODE(status.st_mode) == 0o710
            assert (status.st_uid, status.st_gid) == (0, cluster.st_gid)


@linux_only
def test_root_that_may_not_change_its_user_says_so(closed: Path) -> None:
    done = launch(closed.parent, "/bin/true", without="6,7")
    assert done.returncode == unprivileged.EX_NOPERM
    assert "may not change to user" in done.stderr


async def test_what_the_launcher_says_becomes_one_error_with_advice(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> list[str]:
        return ["/bin/sh", "-c", "echo user 1 cannot reach it >&2; exit 77", "--"]

    monkeypatch.setattr(account, "_launcher", refuse)
    with pytest.raises(ConfigurationError, match=r"does not run as root, and user 1 cannot reach it\. Run this as"):
        async with EmbeddedPostgres.running(closed.parent / "postgres", settings=FAST):
            pass
