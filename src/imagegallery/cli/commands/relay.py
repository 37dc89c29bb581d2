"""``imagegallery relay``: pass events and jobs to the workers until stopped."""

import signal
from pathlib import Path

import anyio
import click

from imagegallery.cli.options import config_option, data_dir_option, load_settings
from imagegallery.gallery import ImageGallery
from imagegallery.settings import Settings


@click.command("relay")
@data_dir_option
@config_option
def relay_command(data_dir: Path | None, config: Path | None) -> None:
    """Pass events and jobs to the workers, until Ctrl-C or SIGTERM.

    Several may run. Workers do it, too, unless queue.relay_in_worker is off.
    """
    anyio.run(relay, load_settings(data_dir, config))


async def relay(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Another relay repeats what was in progress."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with ImageGallery.open(settings) as gallery, anyio.create_task_group() as tasks:
            tasks.start_soon(gallery.relay)
            await anext(signals)
            tasks.cancel_scope.cancel()
