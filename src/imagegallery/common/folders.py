"""Folders that belong to this user alone. Blocking: for threads."""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_PASSED_BY_GROUP = 0o710
# A group that may pass a folder sees nothing of it: see `let_pass`.
_OPEN = 0o067


def make(folder: Path) -> list[Path]:
    """Make the folder and its missing parents, private and durable. Returns what was made."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    found = missing[-1].parent if missing else folder  # perhaps another process just made it and has not synced it yet
    for each in (found, *reversed(missing)):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        with suppress(PermissionError):  # a folder that we may add to, but not read
            sync(each.parent)
    return missing


def sync(folder: Path) -> None:
    """Sync the names in the folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """`make` it, and close it to others if it is open and ours."""
    make(folder)
    status = folder.stat()
    if status.st_uid == os.geteuid() and _is_open(status):
        folder.chmod(PRIVATE_FOLDER)


def let_pass(folder: Path, group: int) -> None:
    """Let members of the group pass through our folder, without seeing its content."""
    os.chown(folder, -1, group)
    folder.chmod(_PASSED_BY_GROUP)


def is_open(folder: Path) -> bool:
    """Whether others may read, write or pass it."""
    return _is_open(folder.stat())


def _is_open(status: os.stat_result) -> bool:
    return bool(stat.S_IMODE(status.st_mode) & _OPEN)
