"""A decoder that a picture has taken over: started in the place of bootstrap.py, it tries everything to get out.

Beside it lies targets.json: what to go for, and which walls to leave out. It answers an inspection with what became of
each attempt: ``worked``, or the name of the error.
"""
# System calls, by their names:
# ruff: noqa: PTH101, PTH102, PTH104, PTH108, PTH208, PTH211, SIM115

import ctypes
import errno
import fcntl
import json
import mmap
import os
import resource
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

targets = json.loads(Path(__file__).with_name("targets.json").read_text())
key, parent, bystander = targets["key"], targets["parent"], targets["bystander"]
libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> int:
    """A system call by its number on x86-64."""
    answer = int(libc.syscall(ctypes.c_long(number), *arguments))
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")
    return answer


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def clone_as_fork(number: int) -> None:
    if call(number) == 0:
        os._exit(0)


def own_signals() -> None:
    """Let the kernel send a signal for us: when the socket is readable."""
    fcntl.fcntl(0, fcntl.F_SETOWN, bystander)


def read_memory() -> None:
    """process_vm_readv(2) of the first byte of our own data in the parent, which is the same program."""
    buffer = ctypes.create_string_buffer(8)
    one = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    other = (ctypes.c_size_t * 2)(targets["address"], 8)
    call(310, ctypes.c_int(parent), ctypes.byref(one), ctypes.c_ulong(1), ctypes.byref(other), ctypes.c_ulong(1), 0)


def raise_limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(path)


def no_longer_die_with_parent() -> None:
    if libc.prctl(1, ctypes.c_ulong(0), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "")


FILES: dict[str, Callable[[], object]] = {
    "read the signing key": lambda: Path(key).read_text(),
    "list the data directory": lambda: os.listdir(Path(key).parent),
    "read the parent's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
    "read the parent's memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
    "read passwords": lambda: Path("/etc/passwd").read_text(),
    "look at processes": lambda: os.listdir("/proc"),
}
WRITES: dict[str, Callable[[], object]] = {
    "write into the store": lambda: Path(targets["object"]).open("r+b").write(b"x"),
    "make an object": lambda: Path(targets["object"] + "-new").touch(),
    "append to a program": lambda: Path(targets["program"]).open("ab"),
    "cut an object": lambda: os.truncate(targets["object"], 1),
    "empty an object": lambda: os.open(targets["object"], os.O_RDONLY | os.O_TRUNC),
    "link to the key": lambda: os.symlink(key, targets["object"] + "-link"),
    "make a directory": lambda: os.mkdir(targets["object"] + "-dir"),
    "open the key to all": lambda: os.chmod(key, 0o666),
    "give the key away": lambda: os.chown(key, os.getuid(), os.getgid()),
    "change its times": lambda: os.utime(key),
    "rename the key": lambda: os.rename(key, key + ".old"),
    "delete an object": lambda: os.unlink(targets["object"]),
    "a file without a name": lambda: os.open("/tmp", os.O_TMPFILE | os.O_RDWR),
}
CALLS: dict[str, Callable[[], object]] = {
    "connect to the database": lambda: connect(targets["socket"]),
    "an inet socket": lambda: socket.socket(socket.AF_INET),
    "an inet6 socket": lambda: socket.socket(socket.AF_INET6),
    "a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "a pair of sockets": socket.socketpair,
    "send a message": lambda: socket.socket(fileno=os.dup(0)).sendmsg([b"x"]),
    "fork": fork,
    "fork by number": lambda: clone_as_fork(57),
    "a program": lambda: subprocess.run(["/bin/true"], check=True),
    "signal the parent": lambda: os.kill(parent, 0),
    "signal another": lambda: os.kill(bystander, 0),
    "signal by thread": lambda: call(234, bystander, bystander, 0),
    "signal by descriptor": lambda: os.pidfd_open(bystander),
    "signal by the kernel": own_signals,
    "another's limits": lambda: resource.prlimit(parent, resource.RLIMIT_CORE),
    "another's priority": lambda: os.setpriority(os.PRIO_PROCESS, bystander, 19),
    "trace another": lambda: call(101, ctypes.c_long(0x4206), ctypes.c_long(bystander), 0, 0),
    "read the parent's memory by call": read_memory,
    "io_uring": lambda: call(425, 1, ctypes.create_string_buffer(120)),
    "a keyring": lambda: call(250, 0, ctypes.c_long(-3), 0),
    "a namespace": lambda: call(272, ctypes.c_ulong(0x04000000)),
    "memory as a file": lambda: os.memfd_create("x"),
    "shared memory": lambda: mmap.mmap(-1, 4096, mmap.MAP_SHARED),
    "System V memory": lambda: call(29, 0, ctypes.c_size_t(4096), 0o1600),
    "another root": lambda: os.chroot("/"),
    "a file by its handle": lambda: call(304, -100, ctypes.create_string_buffer(16), 0),
    "outlive the parent": no_longer_die_with_parent,
}
LIMITS: dict[str, Callable[[], object]] = {"more memory": raise_limit}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except ValueError as error:  # what `resource` makes of EPERM
        return str(error)
    return "worked"


def attempts() -> dict[str, dict[str, str]]:
    kinds = {"files": FILES, "writes": WRITES, "calls": CALLS, "limits": LIMITS}
    return {kind: {name: outcome(attempt) for name, attempt in tries.items()} for kind, tries in kinds.items()}


def absent(*arguments: object) -> None:
    raise OSError(errno.ENOSYS, "left out by the test")


if __name__ == "__main__":
    spec = find_spec("imagegallery")
    assert spec is not None
    assert spec.origin is not None
    bootstrap = runpy.run_path(str(Path(spec.origin).parent / "imaging" / "decoder" / "bootstrap.py"))
    from imagegallery.imaging.sandbox import confinement, wire

    for name in targets["without"]:
        setattr(confinement, name, absent)
    wire.inspection_message = lambda inspection: attempts()
    bootstrap["main"](*sys.argv[1:])
