"""A filter of system calls (seccomp(2)): a decoder can make the calls that it needs, and for others Linux seems too
old.

Runs in the decoder process, while it has one thread: later threads inherit the filter.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from imagegallery.imaging.sandbox.syscalls import MACHINES, Machine

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

# From <linux/bpf_common.h> and <linux/seccomp.h>.
_LOAD = 0x20
_IF_EQUAL = 0x15
_IF_ANY_BIT = 0x45
_ANSWER = 0x06
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16

# From <fcntl.h>: flags to write, create or truncate a file. O_TMPFILE always comes with one of the first two.
_CHANGES_FILE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)
"""Copies and flags of descriptors, and no signals (F_SETOWN): F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
F_DUPFD_CLOEXEC."""
_IOCTL_COMMANDS = (0x5401, 0x5450, 0x5451)
"""Is it a terminal? and close-on-exec: TCGETS, FIONCLEX, FIOCLEX."""
_PRCTL_OPTIONS = (15, 16)
"""The name of a thread: PR_SET_NAME, PR_GET_NAME."""
_CLONE_THREAD = 0x10000
_MAP_SHARED = 0x01
_MAP_ANONYMOUS = 0x20
_PROT_WRITE = 0x2


class Instruction(NamedTuple):
    """A ``struct sock_filter``: of the jumps, ``then`` and ``otherwise`` count the instructions to leave out."""

    code: int
    then: int
    otherwise: int
    value: int


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def allow_only_needed_calls() -> None:
    """Install the filter. Raises `OSError` for an unknown machine, or a kernel without filters. Needs
    PR_SET_NO_NEW_PRIVS."""
    machine = MACHINES.get(os.uname().machine) if sys.maxsize > 2**32 else None
    if machine is None:
        raise OSError(errno.ENOSYS, "no table of system calls for this machine")
    instructions = b"".join(struct.pack("=HBBI", *each) for each in program(machine, os.getpid()))
    filter_ = _Program(len(instructions) // 8, instructions)
    libc, unsigned = ctypes.CDLL(None, use_errno=True), ctypes.c_ulong
    mode = unsigned(_SECCOMP_MODE_FILTER)
    if libc.prctl(_PR_SET_SECCOMP, mode, ctypes.byref(filter_), unsigned(0), unsigned(0)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def program(machine: Machine, pid: int) -> Sequence[Instruction]:
    """The filter for the process ``pid``: a call of another architecture kills it, an unknown one does not exist."""
    return tuple(_program(machine, _conditions(pid)))


def _program(machine: Machine, conditions: Mapping[str, Sequence[Instruction]]) -> Iterator[Instruction]:
    yield Instruction(_LOAD, 0, 0, _ARCHITECTURE)
    yield Instruction(_IF_EQUAL, 1, 0, machine.audit)
    yield Instruction(_ANSWER, 0, 0, _KILL_PROCESS)
    yield Instruction(_LOAD, 0, 0, _NUMBER)
    for name, number in machine.calls.items():
        verdict = (*conditions.get(name, ()), Instruction(_ANSWER, 0, 0, _ALLOW))
        yield Instruction(_IF_EQUAL, 0, len(verdict), number)
        yield from verdict
    yield Instruction(_ANSWER, 0, 0, _ERRNO | errno.ENOSYS)


def _conditions(pid: int) -> Mapping[str, Sequence[Instruction]]:
    """Conditions on the arguments of allowed calls."""
    return {
        "open": _no_bit(1, _CHANGES_FILE),
        "openat": _no_bit(2, _CHANGES_FILE),
        "fcntl": _one_of(1, *_FCNTL_COMMANDS),
        "ioctl": _one_of(1, *_IOCTL_COMMANDS),
        "prctl": _one_of(0, *_PRCTL_OPTIONS),
        "tgkill": _one_of(0, pid),
        "prlimit64": _one_of(0, 0, pid),
        "clone": _bit(0, _CLONE_THREAD),
        "mmap": _NO_SHARED_MEMORY,
    }


def _argument(index: int) -> Instruction:
    """The argument's lower half, on a little-endian machine: the kernel ignores the rest of these arguments."""
    return Instruction(_LOAD, 0, 0, _ARGUMENTS + 8 * index)


_REFUSE = Instruction(_ANSWER, 0, 0, _ERRNO | errno.EPERM)


def _one_of(index: int, *values: int) -> Sequence[Instruction]:
    tests = (Instruction(_IF_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values))
    return (_argument(index), *tests, _REFUSE)


def _bit(index: int, mask: int) -> Sequence[Instruction]:
    return (_argument(index), Instruction(_IF_ANY_BIT, 1, 0, mask), _REFUSE)


def _no_bit(index: int, mask: int) -> Sequence[Instruction]:
    return (_argument(index), Instruction(_IF_ANY_BIT, 0, 1, mask), _REFUSE)


# The memory limit (RLIMIT_DATA) does not count shared memory: so none is allowed, but files can be mapped for reading.
_NO_SHARED_MEMORY = (
    _argument(3),
    Instruction(_IF_ANY_BIT, 0, 4, _MAP_SHARED),
    Instruction(_IF_ANY_BIT, 2, 0, _MAP_ANONYMOUS),
    _argument(2),
    Instruction(_IF_ANY_BIT, 0, 1, _PROT_WRITE),
    _REFUSE,
)
