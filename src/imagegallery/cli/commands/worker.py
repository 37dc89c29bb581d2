"""``imagegallery worker``: do queued jobs until stopped."""

import signal
from collections.abc import AsyncIterator

import anyio
import attrs
import click

from imagegallery.application import Application
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import say_where
from imagegallery.queue.worker import Worker


@click.command("worker")
@gallery_options
@click.option("--concurrency", type=click.IntRange(min=1), help="Images worked on at once.")
def worker_command(chosen: Chosen, concurrency: int | None) -> None:
    """Make variants and do other queued jobs, until Ctrl-C or SIGTERM."""
    application = chosen.load()
    settings = application.settings
    if settings.database.dsn is None:  # otherwise it may be a child of `serve`, which printed it
        say_where(settings.data_dir)
    if concurrency is not None:
        queue = attrs.evolve(settings.queue, concurrency=concurrency)
        application = attrs.evolve(application, settings=attrs.evolve(settings, queue=queue))
    anyio.run(work, application)


async def work(application: Application) -> None:
    """Run a worker. A first signal lets it finish its jobs, a second one makes it hand them back."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with application.open() as gallery, anyio.create_task_group() as tasks:
            worker = gallery.server.make_worker()
            tasks.start_soon(_stop_when_told, worker, signals, tasks.cancel_scope)
            await worker.run()
            tasks.cancel_scope.cancel()


async def _stop_when_told(worker: Worker, signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    await anext(signals)
    worker.stop()
    await anext(signals)
    scope.cancel()
