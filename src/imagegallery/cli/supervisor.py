"""Programs that run together: all stop when an essential one dies, or on a signal."""

import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import count
from signal import Signals

import anyio
import click
from attrs import define, field

from imagegallery.cli.nursery import Nursery, Order, Program, ProgramEnded, ProgramStarted
from imagegallery.errors import ConfigurationError

logger = logging.getLogger(__name__)

RESTART_DELAY = timedelta(seconds=1)
NURSERY_GONE = "The process that starts the others ended unexpectedly."


async def run_together(
    nursery: Nursery,
    programs: Iterable[Program],
    environment: Mapping[str, str],
    signals: AsyncIterator[Signals],
    grace: timedelta,
) -> None:
    """Run the programs until a signal comes, and return when all have ended.

    They get every signal that we get, so that each can stop in its own steps. ``grace`` after the first signal, the
    rest are killed. Raises `ConfigurationError` if an essential program ends by itself.
    """
    async with _family(nursery, environment, grace) as family, anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_when_told, family, signals)
        async with anyio.create_task_group() as running:
            for program in programs:
                running.start_soon(family.keep_running, program)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def running(
    nursery: Nursery, program: Program, environment: Mapping[str, str], grace: timedelta
) -> AsyncIterator[None]:
    """Run the program during the block. If it ends by itself, the block is cancelled and this raises
    `ConfigurationError`."""
    async with _family(nursery, environment, grace) as family, anyio.create_task_group() as tasks:
        tasks.start_soon(family.keep_running, program)
        yield
        tasks.cancel_scope.cancel()


async def _stop_when_told(family: "_Family", signals: AsyncIterator[Signals]) -> None:
    family.pass_on(await anext(signals))
    click.echo("Stopping…", err=True)
    with anyio.move_on_after(family.grace.total_seconds()):
        async for number in signals:
            family.pass_on(number)
    family.pass_on(Signals.SIGKILL)


@asynccontextmanager
async def _family(nursery: Nursery, environment: Mapping[str, str], grace: timedelta) -> AsyncIterator["_Family"]:
    """Start a family. It waits until all its programs have ended, even when cancelled."""
    family, hearing = _Family(nursery, environment, grace), anyio.CancelScope(shield=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(family.hear, hearing)
        try:
            yield family
        finally:
            hearing.cancel()


@define
class _Child:
    """An ordered program. ``pid`` is 0 before it runs."""

    pid: int = 0
    exit_code: int = 0
    has_ended: anyio.Event = field(factory=anyio.Event)

    def send(self, number: Signals) -> None:
        if self.pid and not self.has_ended.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.has_ended.set()


@define
class _Family:
    """The programs of one nursery, by the numbers of their orders."""

    nursery: Nursery
    environment: Mapping[str, str]
    grace: timedelta
    is_stopping: bool = False
    children: dict[int, _Child] = field(factory=dict)
    numbers: Iterator[int] = field(factory=count)

    def pass_on(self, number: Signals) -> None:
        self.is_stopping = True
        for child in self.children.values():
            child.send(number)

    async def hear(self, scope: anyio.CancelScope) -> None:
        """Process reports. Raises `ConfigurationError` if the nursery has died, and its programs with it."""
        with scope:
            while True:
                await anyio.wait_readable(self.nursery)
                try:
                    self._note(self.nursery.hear())
                except EOFError:
                    for child in self.children.values():
                        child.end(-Signals.SIGINT)
                    raise ConfigurationError(NURSERY_GONE) from None

    def _note(self, news: ProgramStarted | ProgramEnded) -> None:
        child = self.children[news.number]
        if isinstance(news, ProgramEnded):
            child.end(news.exit_code)
            return
        child.pid = news.pid
        if self.is_stopping:  # it was to stop before it had started
            child.send(Signals.SIGTERM)

    async def keep_running(self, program: Program) -> None:
        while not self.is_stopping:
            code = await self._run_once(program)
            if self.is_stopping:
                return
            if program.essential:
                raise ConfigurationError(f"The {program.name} process ended unexpectedly (exit code {code}).")
            logger.warning("the %s process ended (exit code %s); starting it again", program.name, code)
            await anyio.sleep(RESTART_DELAY.total_seconds())

    async def _run_once(self, program: Program) -> int:
        number, child = next(self.numbers), _Child()
        try:
            self.nursery.start(Order(number, program, self.environment))
        except BrokenPipeError:
            raise ConfigurationError(NURSERY_GONE) from None
        self.children[number] = child
        try:
            await child.has_ended.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await _end(child, self.grace)
            del self.children[number]
        return child.exit_code


async def _end(child: _Child, grace: timedelta) -> None:
    """Send SIGTERM, and SIGKILL after ``grace``."""
    child.send(Signals.SIGTERM)
    with anyio.move_on_after(grace.total_seconds()):
        await child.has_ended.wait()
    child.send(Signals.SIGKILL)
    await child.has_ended.wait()
