"""The system user that PostgreSQL runs as, and programs run as that user."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import anyio
from attrs import frozen

from imagegallery.database.embedded import unprivileged
from imagegallery.errors import ConfigurationError

# An account that an administrator made only for this. Not PostgreSQL's own: administrators of another server could get
# into ours, and make it read files for them.
_KNOWN_ACCOUNTS = ("imagegallery",)
# Otherwise an unused user id: below 65536, where containers map their ids, and outside the ranges that distributions
# give to people (1000 to 59999), Debian to packages and systemd to services (61184 to 65519).
_UNUSED_IDS = range(60_600, 60_700)
_BOOTSTRAP_ACCOUNT = "nobody"

# Programs get the part of the environment needed to find things. PGDATA and the like would change what they do.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


@frozen
class Account:
    """A user and group to change to, which only root can."""

    uid: int
    gid: int

    @property
    def has_name(self) -> bool:
        """Whether the user database knows it: ``initdb`` requires that, ``postgres`` does not."""
        return any(entry.pw_uid == self.uid for entry in pwd.getpwall())

    @property
    def is_ours(self) -> bool:
        """Whether nobody else can be this user, except for `_BOOTSTRAP_ACCOUNT` during `initdb`."""
        known = (Account.named(name) for name in (*_KNOWN_ACCOUNTS, _BOOTSTRAP_ACCOUNT))
        return self.uid in _UNUSED_IDS or self in known

    @classmethod
    def named(cls, name: str) -> "Account | None":
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return cls(entry.pw_uid, entry.pw_gid)

    @classmethod
    def owning(cls, path: Path) -> "Account":
        status = path.stat()
        return cls(status.st_uid, status.st_gid)

    def take(self, path: Path) -> None:
        """Make it the owner of everything at and below this path, which must be ours.

        Raises `ConfigurationError` if root is not allowed to.
        """
        try:
            self._own(path)
            for folder, folders, names in os.walk(path):
                for name in (*folders, *names):
                    self._own(Path(folder, name))
        except OSError as error:
            raise _as_root(f"root may not give files to user {self.uid} here ({error.strerror})") from error

    def _own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def service_account() -> Account | None:
    """The account for a new server. ``None`` for the current user, who is not root."""
    if os.geteuid() != 0:
        return None
    known = (Account.named(name) for name in _KNOWN_ACCOUNTS)
    return next((account for account in known if account is not None), None) or _unused_account()


def owner_account(cluster: Path) -> Account | None:
    """The account of an existing server: the owner of its files. A copy that root made gets a new owner."""
    if os.geteuid() != 0:
        return None
    owner = Account.owning(cluster)
    if owner.uid != 0:
        return owner
    account = service_account()
    if account is not None:
        account.take(cluster)
    return account


def cluster_account(cluster: Path) -> Account | None:
    """The account of the server in this directory, existing or new."""
    return owner_account(cluster) if cluster.exists() else service_account()


def bootstrap_account(account: Account | None) -> Account | None:
    """The account for ``initdb``: ``account``, or one with a name if that has none."""
    if account is None or account.has_name:
        return account
    return Account.named(_BOOTSTRAP_ACCOUNT) or account


def _unused_account() -> Account:
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    free = next(uid for uid in _UNUSED_IDS if uid not in taken)
    return Account(free, free)


async def run_as(
    account: Account | None, command: Sequence[str | Path], *, folder: Path, reaching: Iterable[Path] = ()
) -> subprocess.CompletedProcess[bytes]:
    """Run a program in a data directory as that user, or as the current one for ``None``.

    ``reaching`` are further directories that it needs. Ctrl-C in a terminal does not reach the program; cancellation
    kills it. Raises `ConfigurationError` if root cannot become that user, or the user cannot reach a directory.
    """
    words = [str(word) for word in command]
    if account is not None:
        words = [*_launcher(account, (folder, *reaching)), *words]
    try:
        done = await _run(words, folder)
    except PermissionError as error:
        raise _as_root(f"root itself may not enter {folder} here") from error
    if account is not None and done.returncode == unprivileged.EX_NOPERM:
        raise _as_root(done.stdout.decode(errors="replace").strip())
    return done


async def _run(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return await anyio.run_process(
        words,
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment | {"LC_ALL": "C", "TZ": "UTC", "PGDATA": str(folder)},
        start_new_session=True,
    )


def _as_root(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"PostgreSQL does not run as root, and {why}. Run this as another user, or put the data directory and the "
        "Python environment where every user may look."
    )


def _launcher(account: Account, reaching: Iterable[Path]) -> list[str]:
    python = sys.executable or shutil.which("python3") or "python3"
    script = Path(unprivileged.__file__)
    unaided = () if account.is_ours else (unprivileged.UNAIDED,)
    return [python, "-I", "-S", str(script), *unaided, str(account.uid), str(account.gid), *map(str, reaching), "--"]
