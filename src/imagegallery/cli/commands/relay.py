"""``imagegallery relay``: pass events and jobs to the workers until stopped."""

import signal

import anyio
import click

from imagegallery.application import Application
from imagegallery.cli.options import Chosen, gallery_options


@click.command("relay")
@gallery_options
def relay_command(chosen: Chosen) -> None:
    """Pass events and jobs to the workers, until Ctrl-C or SIGTERM.

    Several may run. Workers do it, too, unless queue.relay_in_worker is off.
    """
    anyio.run(relay, chosen.load())


async def relay(application: Application) -> None:
    """Run until SIGINT or SIGTERM. Another relay repeats what was in progress."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with application.open() as gallery, anyio.create_task_group() as tasks:
            tasks.start_soon(gallery.server.relay)
            await anext(signals)
            tasks.cancel_scope.cancel()
