"""Folders that are for this user alone. Blocking: for threads."""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_PASSED_BY_GROUP = 0o710
# That a group may pass a folder shows it nothing: see `let_pass`.
_OPEN = 0o067


def make(folder: Path) -> list[Path]:
    """Make it, and what is missing above it, private and for good. Answers what was made."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    found = missing[-1].parent if missing else folder  # maybe just made by another, who has not synced it yet
    for each in (found, *reversed(missing)):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        with suppress(PermissionError):  # a folder that we may add to, but not read
            sync(each.parent)
    return missing


def sync(folder: Path) -> None:
    """Return once the names of what is in it are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """`make` it; and close it to others if it is open, and ours to close."""
    make(folder)
    status = folder.stat()
    if status.st_uid == os.geteuid() and _is_open(status):
        folder.chmod(PRIVATE_FOLDER)


def let_pass(folder: Path, group: int) -> None:
    """Let members of the group through a folder of ours, without seeing what is in it."""
    os.chown(folder, -1, group)
    folder.chmod(_PASSED_BY_GROUP)


def is_open(folder: Path) -> bool:
    """Whether others may look, write or pass in there."""
    return _is_open(folder.stat())


def _is_open(status: os.stat_result) -> bool:
    return bool(stat.S_IMODE(status.st_mode) & _OPEN)
