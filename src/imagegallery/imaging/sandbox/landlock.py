"""Landlock (landlock(7)): a process gives up files permanently, without being root. For Linux from 5.13 on.

Runs in the decoder process, while it has one thread: later threads inherit the wall.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

# The same numbers on every machine, like all system calls since Linux 5.1.
_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446

_ABI_VERSION = 1 << 0
_PATH_BENEATH = 1

_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
# What each version of the interface added, from <linux/landlock.h>.
_FILES_OF_ABI = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_NETWORK = (1 << 0) | (1 << 1)
_NETWORK_SINCE = 4
_SCOPES = (1 << 0) | (1 << 1)
"""Abstract Unix sockets, and signals to processes outside."""
_SCOPES_SINCE = 6

_LIBC = ctypes.CDLL(None, use_errno=True)


def allow_reading(paths: Iterable[str]) -> None:
    """Allow only reading these files, and those below these directories; no writing and no connections.

    Raises `OSError` if this kernel, or the container, has no Landlock.
    """
    abi = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ABI_VERSION))
    attributes = _attributes(abi)
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        for path in paths:
            _allow(ruleset, path)
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _attributes(abi: int) -> bytes:
    """A ``struct landlock_ruleset_attr`` that takes away everything that this version knows; older ones take a
    shorter one."""
    files = sum(rights for since, rights in _FILES_OF_ABI.items() if abi >= since)
    fields = [files]
    if abi >= _NETWORK_SINCE:
        fields.append(_NETWORK)
    if abi >= _SCOPES_SINCE:
        fields.append(_SCOPES)
    return struct.pack(f"={len(fields)}Q", *fields)


def _allow(ruleset: int, path: str) -> None:
    """Add one rule; a missing path needs none."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | _READ_DIR if stat.S_ISDIR(os.fstat(handle).st_mode) else _READ_FILE
        rule = struct.pack("=Qi", rights, handle)
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(handle)


def _call(number: int, *arguments: object) -> int:
    """See syscall(2)."""
    answer = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer
