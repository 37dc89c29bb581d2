"""A model of a disk in a power failure: what of a folder may be left, given what was synced.

Of a file there is what it was when it was last synced; one that never was is not there, whatever names it. The names in
a folder are those of any one moment since the folder was last synced: nothing synced them, and nothing kept the system
from writing them down. Bytes that were not synced, and may be there by luck, are of no use to anybody.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import pytest
from attrs import frozen

P = ParamSpec("P")
T = TypeVar("T")

# A step is over when one of these was done.
_STEPS: Final = ("link", "rename", "replace", "unlink", "mkdir", "rmdir")

Names = dict[int, dict[str, int]]
"""Of each folder, by inode: the inode under each name."""


@frozen
class Leftover:
    """What may be left: the path of each file with its bytes, and of each folder with None."""

    files: frozenset[tuple[str, bytes | None]]

    def put_in(self, folder: Path) -> Path:
        """Make it in there, which is a new folder."""
        folder.mkdir()
        for path, content in sorted(self.files, key=lambda entry: entry[0]):
            if content is None:
                (folder / path).mkdir(parents=True, exist_ok=True)
            else:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        return folder


class Disk:
    """Watches a folder that exists, and all that comes to lie in it; what is there at the beginning is durable.

    Of folders whose names begin with ``passing_over`` nothing is told: they are scratch, and nobody relies on them.
    """

    def __init__(self, root: Path, *, passing_over: str) -> None:
        self._root = root
        self._passing_over = passing_over
        self._steps: list[Names] = [_names(root)]
        self._files: dict[int, bytes] = {}  # what was synced last, by inode
        self._folders: dict[int, int] = {}  # at which step they were synced last, by inode
        self._promises = 0
        self._leftovers: dict[Leftover, int] = {}
        self._pins: list[int] = []  # as long as a descriptor is open, no other file gets its inode
        self._is_ahead = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record what is done to files meanwhile. Nothing is really synced: it would only take time."""
        with pytest.MonkeyPatch.context() as patch:
            for name in _STEPS:
                patch.setattr(os, name, self._noting(getattr(os, name)))
            for name in ("fsync", "fdatasync"):
                patch.setattr(os, name, self._sync)
            try:
                yield
            finally:
                for pin in self._pins:
                    os.close(pin)

    @contextmanager
    def before_folders_are_synced(self) -> Iterator[None]:
        """What is done in here has come as far as that, and no further: somebody else is still at it."""
        self._is_ahead = True
        yield
        self._is_ahead = False

    def promise(self) -> None:
        """From now on, one more thing has to be there after a failure."""
        self._promises += 1
        self._note()

    def leftovers(self) -> dict[Leftover, int]:
        """All that a failure may have left at any time, and how many promises had been made by then."""
        return self._leftovers

    def _noting(self, act: Callable[P, T]) -> Callable[P, T]:
        def noting(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return act(*args, **kwargs)
            finally:
                self._note()

        return noting

    def _sync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            self._files[status.st_ino] = Path(f"/proc/self/fd/{descriptor}").read_bytes()
        elif self._is_ahead:
            return
        else:
            self._folders[status.st_ino] = len(self._steps)
        self._pins.append(os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY))
        self._note()

    def _note(self) -> None:
        self._steps.append(_names(self._root))
        for step in range(len(self._steps)):
            self._leftovers[self._left(step)] = self._promises

    def _left(self, step: int) -> Leftover:
        """If the names were written down as they were at that step, but for those that were synced later."""
        root = self._root.stat().st_ino
        return Leftover(frozenset(self._walk(root, "", step)))

    def _walk(self, folder: int, path: str, step: int) -> Iterator[tuple[str, bytes | None]]:
        names = self._steps[max(step, self._folders.get(folder, 0))]
        for name, inode in names.get(folder, {}).items():
            if name.startswith(self._passing_over):
                continue
            if self._is_folder(inode):
                yield f"{path}{name}", None
                yield from self._walk(inode, f"{path}{name}/", step)
            elif inode in self._files:
                yield f"{path}{name}", self._files[inode]

    def _is_folder(self, inode: int) -> bool:
        return any(inode in names for names in self._steps)


def _names(root: Path) -> Names:
    names: Names = {}
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            found = list(entries)
        names[folder.stat().st_ino] = {entry.name: entry.inode() for entry in found}
        waiting += [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
    return names
