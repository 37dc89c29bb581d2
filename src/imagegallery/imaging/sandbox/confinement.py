"""What a decoder process gives up before it sees a file. Runs in the child, once, before it has a second thread.

The kernel, if it can, prevents access to files, other processes and the network: see `landlock` and `seccomp`.

Memory: on Linux RLIMIT_DATA counts what is writable and private (heap, anonymous maps, thread stacks), so it is a true
limit; RLIMIT_AS would also count the address space that glibc reserves for each thread's arena and never touches.
Elsewhere RLIMIT_DATA only covers the heap, so RLIMIT_AS is set; macOS accepts that without enforcing it.
"""

import ctypes
import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from imagegallery.imaging.sandbox.landlock import allow_reading
from imagegallery.imaging.sandbox.seccomp import allow_only_needed_calls
from imagegallery.imaging.sandbox.wire import Wall

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

MAX_FILE_SIZE = 256 * 1024**2
"""The most bytes of a written file; the largest variant of a 200 megapixel photograph is far below."""

MAX_OPEN_FILES = 256

SPARE_TASKS = 1_000
"""Threads and processes that this user may have beyond all that the machine has when a decoder starts. With filtered
system calls it can only make threads; this
limits them, too. It does not apply to root.
"""

# Where systems keep shared libraries, and where the loader finds them.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_INSTALLED = ("site-packages", "dist-packages")

_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_MEMORY = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS


def confine(memory_limit: int, parent: int) -> frozenset[Wall]:
    """Limit memory and files, write no core dump, gain no privileges, and end with the process ``parent``.

    Returns the walls that this machine's kernel supports; the limits hold anyway.
    """
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, MAX_FILE_SIZE)
    _bound(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _bound(_MEMORY, memory_limit)
    if sys.platform != "linux":
        return frozenset()
    _bound(resource.RLIMIT_NPROC, _tasks() + SPARE_TASKS)
    _die_with(parent)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities()
    readable = tuple(_code())
    walls: dict[Wall, Callable[[], None]] = {
        Wall.FILES: lambda: allow_reading(readable),
        Wall.CALLS: allow_only_needed_calls,
    }
    return frozenset(wall for wall, put_up in walls.items() if _holds(put_up))


def allow_cpu_time(allowance: timedelta, threads: int) -> None:
    """Let this process use that much more processor time, summed over its threads, before the kernel stops it.

    A backstop for a parent that does not enforce its deadline. It is the soft limit, moved on every request.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime + (threads + 1) * allowance.total_seconds() + 10
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(seconds) if hard == resource.RLIM_INFINITY else min(int(seconds), hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _holds(put_up: Callable[[], None]) -> bool:
    try:
        put_up()
    except OSError:
        return False
    return True


def _tasks() -> int:
    """Of all users: proc(5), /proc/loadavg. Containers may see too many; without it, a large number."""
    try:
        return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return 1_000_000


def _code() -> Iterator[str]:
    """Where this process's programs are: Python's library, packages, shared libraries. No folder that may hold data."""
    yield from _LIBRARIES
    yield from filter(os.path.isabs, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    yield from {str(path.parent) for path in _mapped() if ".so" in path.name}
    yield str(Path(__file__).parents[2])
    for entry in map(Path, sys.path):
        yield from _packages(entry)


def _mapped() -> Iterator[Path]:
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
            _, slash, name = line.partition("/")
            yield Path(slash + name)


def _packages(entry: Path) -> Iterator[str]:
    """What can be imported from an entry of the path: everything if packages are installed there. Any other folder can
    be on the path, too, and then it is only what looks
    like code.
    """
    library = sysconfig.get_path("stdlib")
    if entry.name in _INSTALLED or entry.is_relative_to(library):
        yield str(entry)
        return
    with suppress(OSError):
        for path in entry.iterdir():
            if path.suffix in (".py", ".so", ".libs") or (path / "__init__.py").is_file():
                yield str(path)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def _drop_capabilities() -> None:
    """Keep one of root's capabilities: to find its own code in an environment that another user owns. See capset(2)."""
    libc, header, sets = ctypes.CDLL(None, use_errno=True), _Header(_CAPABILITY_VERSION_3, 0), (_Sets * 2)()
    if libc.capget(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    kept = sets[0].permitted & 1 << _CAP_DAC_READ_SEARCH
    if libc.capset(ctypes.byref(header), (_Sets * 2)(_Sets(kept, kept, 0), _Sets(0, 0, 0))) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _bound(what: int, limit: int) -> None:
    hard = resource.getrlimit(what)[1]
    allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(what, (allowed, allowed))
    except (ValueError, OSError):
        # Some systems refuse a limit below current use; the deadline still holds there.
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
