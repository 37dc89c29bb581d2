"""Child processes that belong together: if one that must live dies, all stop; when told to stop, all stop."""

import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from signal import Signals

import anyio
import click
from anyio.abc import Process
from attrs import define, field, frozen

from imagegallery.errors import ConfigurationError

logger = logging.getLogger(__name__)

RESTART_DELAY = timedelta(seconds=1)


@frozen
class Program:
    """A Python module to run beside us. One that is not ``essential`` is started again when it dies."""

    name: str
    module: str
    arguments: Sequence[str]
    essential: bool


async def run_together(
    programs: Iterable[Program],
    environment: Mapping[str, str],
    signals: AsyncIterator[Signals],
    grace: timedelta,
) -> None:
    """Run the programs until a signal comes, and return when all have ended.

    They get every signal that we get, so that each can stop in its own steps; what has not ended ``grace`` after the
    first one is killed. Raises `ConfigurationError` when an essential program ends by itself.
    """
    family = _Family(environment, grace)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_when_told, family, signals)
        async with anyio.create_task_group() as running:
            for program in programs:
                running.start_soon(family.keep_running, program)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def running(program: Program, environment: Mapping[str, str], grace: timedelta) -> AsyncIterator[None]:
    """The program beside what is done meanwhile. If it ends by itself, that is given up with a `ConfigurationError`."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_Family(environment, grace).keep_running, program)
        yield
        tasks.cancel_scope.cancel()


async def _stop_when_told(family: "_Family", signals: AsyncIterator[Signals]) -> None:
    family.pass_on(await anext(signals))
    click.echo("Stopping…", err=True)
    with anyio.move_on_after(family.grace.total_seconds()):
        async for number in signals:
            family.pass_on(number)
    family.pass_on(Signals.SIGKILL)


@define
class _Family:
    """The processes that run now."""

    environment: Mapping[str, str]
    grace: timedelta
    is_stopping: bool = False
    processes: set[Process] = field(factory=set)

    def pass_on(self, number: Signals) -> None:
        self.is_stopping = True
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)

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
        process = await anyio.open_process(
            [sys.executable, "-m", "imagegallery.cli.supervised", program.module, *program.arguments],
            stdin=subprocess.PIPE,
            stdout=None,
            stderr=None,
            env={**os.environ, **self.environment},
            start_new_session=True,  # a terminal's Ctrl-C reaches us alone, and we pass it on in order
        )
        self.processes.add(process)
        if self.is_stopping:  # told while it was started
            process.terminate()
        try:
            return await process.wait()
        finally:
            self.processes.remove(process)
            with anyio.CancelScope(shield=True):
                await _end(process, self.grace)


async def _end(process: Process, grace: timedelta) -> None:
    """SIGTERM, and SIGKILL after ``grace``, unless it has ended."""
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(grace.total_seconds()):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.aclose()
