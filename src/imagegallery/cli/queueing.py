"""``imagegallery queue setup``: make the message queues that the settings name."""

from pathlib import Path

import anyio
import click

from imagegallery.cli.options import config_option, data_dir_option, load_settings
from imagegallery.parts import open_sqs
from imagegallery.settings import Settings


@click.group("queue")
def queue_command() -> None:
    """The message queues (SQS) that workers hear of jobs by."""


@queue_command.command("setup")
@data_dir_option
@config_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def setup_command(data_dir: Path | None, config: Path | None, dry_run: bool) -> None:
    """Make the queues with their dead-letter queue, or change them to what they should be."""
    anyio.run(_set_up, load_settings(data_dir, config), dry_run)


async def _set_up(settings: Settings, dry_run: bool) -> None:
    async with open_sqs(settings) as sqs:
        steps = await sqs.set_up(dry_run=dry_run)
    for step in steps:
        click.echo(f"{'would ' if dry_run else ''}{step.action} {step.url or step.name}")
