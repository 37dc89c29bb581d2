"""The process from which programs are forked, once it has imported what they need: they start at once, and what was
imported lies in memory once for all of them.

It is itself forked, before its parent has threads or an event loop.
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
    """A module whose ``main`` is to run beside us. One that is not ``essential`` is started again when it dies."""

    name: str
    module: str
    arguments: Sequence[str]
    essential: bool


@frozen
class Order:
    """A wish of the parent's: start a program. ``number`` names what comes of it."""

    number: int
    program: Program
    environment: Mapping[str, str]


@frozen
class Started:
    """The program of that order runs."""

    number: int
    pid: int


@frozen
class Ended:
    """It does not run any more; the exit code is negative for a signal."""

    number: int
    exit_code: int


if TYPE_CHECKING:
    ParentsEnd: TypeAlias = Connection[Order, Started | Ended]
    NurserysEnd: TypeAlias = Connection[Started | Ended, Order]


class Nursery:
    """The parent's end. It is readable when there is something to `hear`."""

    def __init__(self, orders: "ParentsEnd") -> None:
        self._orders = orders

    @classmethod
    @contextmanager
    def opened(cls, modules: Sequence[str]) -> Iterator["Nursery"]:
        """A nursery that imports the modules. It ends when this is closed and all its programs have ended."""
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
        """Raises `BrokenPipeError` when the nursery is gone."""
        self._orders.send(order)

    def hear(self) -> Started | Ended:
        """Raises `EOFError` when the nursery is gone; the programs are about to end then."""
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
    gc.freeze()  # the collector would write to all objects, and so copy the memory that programs have in common
    running: dict[int, tuple[int, ForkProcess]] = {}
    with suppress(EOFError, BrokenPipeError):
        while True:
            for ready in wait([orders, *running]):
                if isinstance(ready, int):
                    number, program = running.pop(ready)
                    program.join()
                    orders.send(Ended(number, program.exitcode or 0))
                else:
                    order = orders.recv()
                    program = _FORK.Process(target=_run, args=(order.program, order.environment, orders))
                    program.start()
                    running[program.sentinel] = order.number, program
                    orders.send(Started(order.number, program.pid or 0))
    for _, program in running.values():
        if program.pid is not None:
            os.kill(program.pid, signal.SIGINT)


def _part_from_terminal() -> None:
    """Ctrl-C reaches the parent alone, which passes it on in order."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(program: Program, environment: Mapping[str, str], orders: "NurserysEnd") -> None:
    orders.close()
    os.setsid()
    threading.Thread(target=_follow_nursery, name="follow-nursery", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the program handles it: no traceback for one that just starts
    with suppress(OSError):
        Path("/proc/self/comm").write_text(program.name)  # for `top` and `ps`, which take its first 15 characters
    os.environ.update(environment)
    sys.argv = [program.module, *program.arguments]
    import_module(program.module).main()


def _follow_nursery() -> None:
    """End when the nursery has, however it went, also by ``kill -9``."""
    nursery = multiprocessing.parent_process()
    assert nursery is not None
    nursery.join()
    os.kill(os.getpid(), signal.SIGINT)  # not SIGTERM: the database may be gone already, so there is nothing to drain
