import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from imagegallery.storage.scratch import Scratch

HOLDER = """
import sys
from pathlib import Path
import anyio
from imagegallery.storage.scratch import Scratch

async def main():
    async with Scratch.open(Path(sys.argv[1])) as scratch, scratch.directory() as directory:
        (directory / "left behind").write_bytes(b"x")
        print(scratch.path, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


def processes(directory: Path) -> list[Path]:
    return sorted(directory.glob("process-*"))


async def test_a_directory_is_fresh_private_and_removed(tmp_path: Path) -> None:
    async with Scratch.open(tmp_path / "made" / "for it") as scratch:
        async with scratch.directory() as first, scratch.directory() as second:
            assert first != second
            assert list(first.iterdir()) == []
            assert first.stat().st_mode & 0o077 == 0
            (first / "folder").mkdir()
            (first / "folder" / "file").write_bytes(b"x")
        assert not first.exists()
        assert not second.exists()
    assert processes(tmp_path / "made" / "for it") == []


async def test_a_directory_is_removed_on_errors_and_cancellation(tmp_path: Path) -> None:
    async with Scratch.open(tmp_path) as scratch:
        with pytest.raises(RuntimeError):
            async with scratch.directory() as failed:
                raise RuntimeError
        with anyio.CancelScope() as scope:
            async with scratch.directory() as cancelled:
                scope.cancel()
                await anyio.sleep_forever()
        assert not failed.exists()
        assert not cancelled.exists()


async def test_the_living_keep_theirs(tmp_path: Path) -> None:
    async with Scratch.open(tmp_path) as first, first.directory() as directory:
        async with Scratch.open(tmp_path) as second:
            assert first.path != second.path
            assert directory.exists()
        assert directory.exists()


async def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    async with Scratch.open(tmp_path) as scratch:
        await scratch.aclose()


async def test_what_is_not_a_process_directory_stays(tmp_path: Path) -> None:
    (tmp_path / "somebody's").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "process-link").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "file").write_bytes(b"x")
    async with Scratch.open(tmp_path):
        assert (tmp_path / "somebody's").exists()
        assert (tmp_path / "outside" / "file").exists()


async def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    async with await anyio.open_process([sys.executable, "-c", HOLDER, str(tmp_path)], stderr=None) as holder:
        assert holder.stdout is not None
        with anyio.fail_after(60):
            held = Path((await holder.stdout.receive()).decode().strip())
        async with Scratch.open(tmp_path):
            assert held in processes(tmp_path), "it is alive"
        os.kill(holder.pid, signal.SIGKILL)
        await holder.wait()
    assert [file.name for file in held.rglob("left*")] == ["left behind"]
    async with Scratch.open(tmp_path) as scratch:
        assert processes(tmp_path) == [scratch.path]
