"""Child processes that belong together: if one that must live dies, all stop; when told to stop, all stop."""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

import anyio
from anyio.abc import Process
from attrs import frozen

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


async def keep_running(program: Program, environment: Mapping[str, str], grace: timedelta) -> None:
    """Run the program until cancelled, then end it: SIGTERM, and SIGKILL after ``grace``.

    Raises `ConfigurationError` when an essential program ends by itself.
    """
    while True:
        code = await _run_once(program, environment, grace)
        if program.essential:
            raise ConfigurationError(f"The {program.name} process ended unexpectedly (exit code {code}).")
        logger.warning("the %s process ended (exit code %s); starting it again", program.name, code)
        await anyio.sleep(RESTART_DELAY.total_seconds())


async def _run_once(program: Program, environment: Mapping[str, str], grace: timedelta) -> int:
    process = await anyio.open_process(
        [sys.executable, "-m", "imagegallery.cli.supervised", program.module, *program.arguments],
        stdin=subprocess.PIPE,
        stdout=None,
        stderr=None,
        env={**os.environ, **environment},
        start_new_session=True,  # a terminal's Ctrl-C reaches us alone, and we pass it on in order
    )
    try:
        return await process.wait()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process, grace)


async def _end(process: Process, grace: timedelta) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(grace.total_seconds()):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.aclose()
