"""``imagegallery worker``: do queued jobs until stopped."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import attrs
import click

from imagegallery.cli.options import config_option, data_dir_option, load_settings
from imagegallery.cli.output import say_where
from imagegallery.gallery import ImageGallery
from imagegallery.queue.worker import Worker
from imagegallery.settings import Settings


@click.command("worker")
@data_dir_option
@config_option
@click.option("--concurrency", type=click.IntRange(min=1), help="Images worked on at once.")
def worker_command(data_dir: Path | None, config: Path | None, concurrency: int | None) -> None:
    """Make variants and do other queued jobs, until Ctrl-C or SIGTERM."""
    settings = load_settings(data_dir, config)
    if settings.database.dsn is None:  # otherwise it may be a child of `serve`, which printed it
        say_where(settings.data_dir)
    if concurrency is not None:
        settings = attrs.evolve(settings, queue=attrs.evolve(settings.queue, concurrency=concurrency))
    anyio.run(work, settings)


async def work(settings: Settings) -> None:
    """Run a worker. A first signal lets it finish its jobs, a second one makes it hand them back."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with ImageGallery.open(settings) as gallery, anyio.create_task_group() as tasks:
            worker = gallery.make_worker()
            tasks.start_soon(_stop_when_told, worker, signals, tasks.cancel_scope)
            await worker.run()
            tasks.cancel_scope.cancel()


async def _stop_when_told(worker: Worker, signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    await anext(signals)
    worker.stop()
    await anext(signals)
    scope.cancel()
