"""What a decoder process gives up before it sees a file. Runs in the child, once.

Memory: on Linux RLIMIT_DATA counts what is really writable and private (heap, anonymous maps, thread stacks), so it
is a true ceiling; RLIMIT_AS would also count the address space that glibc reserves for each thread's arena and never
touches. Elsewhere RLIMIT_DATA covers only the heap, so RLIMIT_AS is set; macOS accepts that and does not enforce it.
"""

import ctypes
import os
import resource
import signal
import sys
from datetime import timedelta

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

MAX_FILE_SIZE = 256 * 1024**2
"""Bytes that any one written file may have; the largest variant of a 200 megapixel photograph is far below."""

_MEMORY = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS


def confine(memory_limit: int, parent: int) -> None:
    """Bound memory and file size, leave no core dump, gain no privilege, die with the ``parent`` (a process id)."""
    if sys.platform == "linux":
        _die_with(parent)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, MAX_FILE_SIZE)
    _bound(_MEMORY, memory_limit)


def allow_cpu_time(allowance: timedelta, threads: int) -> None:
    """Let this process use so much more processor time, summed over its threads, before the kernel stops it.

    A backstop for a parent that does not enforce its deadline; so the limit is the soft one, moved on every request.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime + (threads + 1) * allowance.total_seconds() + 10
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(seconds) if hard == resource.RLIM_INFINITY else min(int(seconds), hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _bound(what: int, limit: int) -> None:
    hard = resource.getrlimit(what)[1]
    allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(what, (allowed, allowed))
    except (ValueError, OSError):
        # Some systems refuse a limit below what is in use already; the deadline still holds there.
        if sys.platform == "linux":
            raise


def _die_with(parent: int) -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(0)


def _prctl(option: int, argument: int) -> None:
    """See prctl(2). Raises `OSError`."""
    unsigned = ctypes.c_ulong
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, unsigned(argument), unsigned(0), unsigned(0), unsigned(0)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
