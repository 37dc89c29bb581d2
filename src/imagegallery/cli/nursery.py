"""The process that programs are forked from, after it imported what they need: they start at once and share its memory.

It is itself forked before its parent has threads or an event loop.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

_FORK = multiprocessing.get_context("fork")


@frozen
class Program:
    """A module whose ``main`` is run. If it is not ``essential``, it is restarted when it dies."""

    name: str
    module: str
    arguments: Sequence[str]
    essential: bool


@frozen
class Order:
    """The parent's order to start a program. ``number`` identifies it in reports."""

    number: int
    program: Program
    environment: Mapping[str, str]


@frozen
class ProgramStarted:
    """The ordered program runs."""

    number: int
    pid: int


@frozen
class ProgramEnded:
    """The program has ended. The exit code is negative for a signal."""

    number: int
    exit_code: int


if TYPE_CHECKING:
    ParentsEnd: TypeAlias = Connection[Order, ProgramStarted | ProgramEnded]
    NurserysEnd: TypeAlias = Connection[ProgramStarted | ProgramEnded, Order]


class Nursery:
    """The parent's end. It is readable when there is something to `hear`."""

    def __init__(self, orders: "ParentsEnd") -> None:
        self._orders = orders

    @classmethod
    @contextmanager
    def open(cls, modules: Sequence[str]) -> Iterator["Nursery"]:
        """Start a nursery that imports the modules. It ends when this is closed and all its programs have ended."""
        ours, theirs = _FORK.Pipe()
        process = _FORK.Process(target=_fork_programs, args=(theirs, ours, modules))
        process.start()
        theirs.close()
        try:
            yield cls(ours)
        finally:
            ours.close()
            process.join()

    def fileno(self) -> int:
        return self._orders.fileno()

    def start(self, order: Order) -> None:
        """Order a program. Raises `BrokenPipeError` if the nursery has died."""
        self._orders.send(order)

    def hear(self) -> ProgramStarted | ProgramEnded:
        """Return a report. Raises `EOFError` if the nursery has died; the programs end then, too."""
        return self._orders.recv()


def _fork_programs(
    orders: "NurserysEnd",
    parents_end: "ParentsEnd",
    modules: Sequence[str],
) -> None:
    parents_end.close()
    _part_from_terminal()
    for module in modules:
        import_module(module)
    gc.collect()
    gc.freeze()  # the collector would write to all objects, and so copy shared memory
    running: dict[int, tuple[int, ForkProcess]] = {}
    with suppress(EOFError, BrokenPipeError):
        while True:
            for ready in wait([orders, *running]):
                if isinstance(ready, int):
                    number, program = running.pop(ready)
                    program.join()
                    orders.send(ProgramEnded(number, program.exitcode or 0))
                else:
                    order = orders.recv()
                    program = _FORK.Process(target=_run, args=(order.program, order.environment, orders))
                    program.start()
                    running[program.sentinel] = order.number, program
                    orders.send(ProgramStarted(order.number, program.pid or 0))
    for _, program in running.values():
        if program.pid is not None:
            os.kill(program.pid, signal.SIGINT)


def _part_from_terminal() -> None:
    """Leave the terminal's process group: Ctrl-C reaches only the parent, which passes it on in order."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(program: Program, environment: Mapping[str, str], orders: "NurserysEnd") -> None:
    orders.close()
    os.setsid()
    threading.Thread(target=_follow_nursery, name="follow-nursery", daemon=True).start()
    # until the program handles it: no traceback for one that is just starting
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(OSError):
        Path("/proc/self/comm").write_text(program.name)  # for `top` and `ps`, which show 15 characters
    os.environ.update(environment)
    sys.argv = [program.module, *program.arguments]
    import_module(program.module).main()


def _follow_nursery() -> None:
    """End when the nursery ends, even by ``kill -9``."""
    nursery = multiprocessing.parent_process()
    assert nursery is not None
    nursery.join()
    os.kill(os.getpid(), signal.SIGINT)  # not SIGTERM: the database may be gone, so there is nothing to drain
