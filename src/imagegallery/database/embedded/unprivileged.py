"""Become another user, then another program: PostgreSQL refuses to run as root.

    python -I -S unprivileged.py [--unaided] UID GID PATH... -- PROGRAM ARGUMENT...

That user must be able to reach each PATH and PROGRAM, but a home or a virtual environment below ``/root`` is closed
to it, and the permissions of directories that are not ours are not ours to change. So, on Linux and only where it
is needed, one capability is kept over the change of user, as an ambient capability (capabilities(7)):
CAP_DAC_READ_SEARCH, which passes closed directories and reads; or, where root itself lacks it, as in a container
with Docker's defaults, CAP_DAC_OVERRIDE. ``--unaided`` lends none: to a user whom others can become, or whose files
others may have written.

A script of the standard library alone, so that it starts in milliseconds and from anywhere. Exit status 77
(EX_NOPERM of sysexits.h) means that it could not do this, and why is one line on its standard error.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Sequence

EX_NOPERM = 77
UNAIDED = "--unaided"

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
# From <linux/prctl.h> and <linux/capability.h>.
_CAP_SETPCAP = 8
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


class Capabilities:
    """What Linux lets a process do apart from its user id, through libc. Only numbers below 32 are used."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._prctl(_PR_SET_KEEPCAPS, 1)
        self._permitted = self._read_permitted()

    def may_use(self, capability: int) -> bool:
        return bool(self._permitted & 1 << capability)

    def use(self, capability: int | None) -> None:
        """Make only this capability effective, keeping others available."""
        if capability is not None and self.may_use(_CAP_SETPCAP):
            # access(2) ignores the capabilities of ordinary users unless this is set, and PostgreSQL uses it to find
            # its programs.
            self._write(effective=_bit(_CAP_SETPCAP), permitted=self._permitted)
            self._prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
        self._write(effective=_bit(capability), permitted=self._permitted)

    def keep_only(self, capability: int | None) -> None:
        """Give up all other capabilities, and keep this one through ``exec`` of an ordinary program."""
        self._prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        self._write(effective=_bit(capability), permitted=_bit(capability))
        if capability is not None:
            self._prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)

    def _read_permitted(self) -> int:
        sets = (_Sets * 2)()
        self._call(self._libc.capget, ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets)
        return int(sets[0].permitted)

    def _write(self, *, effective: int, permitted: int) -> None:
        sets = (_Sets * 2)(_Sets(effective, permitted, effective), _Sets(0, 0, 0))
        self._call(self._libc.capset, ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets)

    def _prctl(self, option: int, *arguments: int) -> None:
        padded = (*arguments, 0, 0, 0, 0)[:4]
        self._call(self._libc.prctl, option, *(ctypes.c_ulong(argument) for argument in padded))

    @staticmethod
    def _call(function: Callable[..., int], *arguments: object) -> None:
        if function(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def become(uid: int, gid: int, folders: Sequence[str], program: str, *, aided: bool = True) -> str | None:
    """Change to the user permanently, with only what it needs to reach the folders and to run the program.

    Returns the first path that it cannot reach even so. Raises `OSError` if this process may not change its user.
    """
    capabilities = Capabilities() if sys.platform == "linux" else None
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capabilities is None:
        return _find_closed(folders, program)
    closed: str | None = None
    lendable = (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if aided else ()
    for capability in (None, *lendable):
        if capability is None or capabilities.may_use(capability):
            capabilities.use(capability)
            closed = _find_closed(folders, program)
            if closed is None:
                capabilities.keep_only(capability)
                break
    return closed


def _find_closed(folders: Sequence[str], program: str) -> str | None:
    """The first path that this process cannot reach."""
    for folder in folders:
        try:
            with os.scandir(folder):
                pass
        except PermissionError:
            return folder
    return None if os.access(program, os.R_OK | os.X_OK) else program


def _bit(capability: int | None) -> int:
    return 0 if capability is None else 1 << capability


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status of a failure; otherwise the process has become the other program."""
    aided = arguments[0] != UNAIDED
    uid, gid, *rest = arguments if aided else arguments[1:]
    end = rest.index("--")
    folders, command = rest[:end], rest[end + 1 :]
    try:
        closed = become(int(uid), int(gid), folders, command[0], aided=aided)
    except OSError as error:
        print(f"root may not change to user {uid} here ({error.strerror})", file=sys.stderr)
        return EX_NOPERM
    if closed is not None:
        print(
            f"user {uid} cannot reach {closed}, and root {'holds no' if aided else 'gives it no'} capability for it",
            file=sys.stderr,
        )
        return EX_NOPERM
    os.umask(0o077)
    return os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
