"""``imagegallery queue``: make the message queues of the settings, and handle jobs that failed permanently."""

from contextlib import suppress
from uuid import UUID

import anyio
import click

from imagegallery.backends import open_dead_letters, open_sqs
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.errors import NotFound
from imagegallery.queue.job import DeadJob
from imagegallery.settings import Settings

limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many, the latest first."
)


@click.group("queue")
def queue_command() -> None:
    """Set up the message queues (SQS), and handle jobs that failed permanently."""


@queue_command.command("setup")
@gallery_options
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def setup_command(chosen: Chosen, dry_run: bool) -> None:
    """Make the queues with their dead-letter queue, or correct them."""
    anyio.run(_set_up, chosen.settings, dry_run)


@queue_command.command("dead")
@gallery_options
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def dead_command(chosen: Chosen, limit: int, as_json: bool) -> None:
    """Show jobs that failed permanently, and why."""
    anyio.run(_show_dead, chosen.find().settings, limit, as_json)


@queue_command.command("redrive")
@gallery_options
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID)
@click.option("--all", "is_all", is_flag=True, help="All that `queue dead` shows.")
@limit_option
def redrive_command(chosen: Chosen, ids: tuple[UUID, ...], is_all: bool, limit: int) -> None:
    """Give jobs that failed permanently all their attempts again, after fixing the cause."""
    if bool(ids) == is_all:
        raise click.UsageError("Name the jobs, or say --all.")
    anyio.run(_redrive, chosen.find().settings, ids, limit)


async def _set_up(settings: Settings, dry_run: bool) -> None:
    async with open_sqs(settings) as sqs:
        steps = await sqs.set_up(dry_run=dry_run)
    for step in steps:
        click.echo(f"{'would ' if dry_run else ''}{step.action} {step.url or step.name}")


async def _show_dead(settings: Settings, limit: int, as_json: bool) -> None:
    async with open_dead_letters(settings) as letters:
        for job in await letters.dead(limit=limit):
            emit(_line(job), _document(job), as_json=as_json)


async def _redrive(settings: Settings, ids: tuple[UUID, ...], limit: int) -> None:
    """Requeue these jobs, or all without ids, ignoring those that another process requeued meanwhile."""
    async with open_dead_letters(settings) as letters:
        for job_id in ids:
            await letters.requeue(job_id)
            click.echo(f"requeued {job_id}")
        for job in [] if ids else await letters.dead(limit=limit):
            with suppress(NotFound):
                await letters.requeue(job.id)
                click.echo(f"requeued {job.id}")


def _line(job: DeadJob) -> str:
    return f"{job.id} {job.kind}, {job.died_at:%Y-%m-%d %H:%M:%S} UTC, after {job.attempts} attempts: {job.error}"


def _document(job: DeadJob) -> dict[str, object]:
    return {
        "id": str(job.id),
        "kind": job.kind,
        "payload": dict(job.payload),
        "attempts": job.attempts,
        "error": job.error,
        "died_at": job.died_at.isoformat(),
    }
