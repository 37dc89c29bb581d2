"""``imagegallery queue``: make the message queues of the settings, and handle jobs that failed permanently."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias
from uuid import UUID

import anyio
import click

from imagegallery.administration.dead_jobs import DeadJobs
from imagegallery.administration.governor import Governor
from imagegallery.backends import open_dead_letters, open_sqs
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.errors import NotFound
from imagegallery.queue.job import DeadJob
from imagegallery.settings import Settings

Deal: TypeAlias = Callable[[DeadJobs, Governor, UUID], Awaitable[None]]

ids_argument = click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID)
all_option = click.option("--all", "is_all", is_flag=True, help="All that `queue dead` shows.")
kind_option = click.option("--kind", metavar="KIND", help="Only jobs of this kind, such as image.process.")
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
@kind_option
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def dead_command(chosen: Chosen, kind: str | None, limit: int, as_json: bool) -> None:
    """Show jobs that failed permanently, and why."""
    anyio.run(_show_dead, chosen.find().settings, kind, limit, as_json)


@queue_command.command("redrive")
@gallery_options
@ids_argument
@all_option
@kind_option
@limit_option
def redrive_command(chosen: Chosen, ids: tuple[UUID, ...], is_all: bool, kind: str | None, limit: int) -> None:
    """Give jobs that failed permanently all their attempts again, after fixing the cause."""
    _check_choice(ids, is_all, kind)
    anyio.run(_deal_with, chosen.find().settings, DeadJobs.redrive, "requeued", ids, kind, limit)


@queue_command.command("discard")
@gallery_options
@ids_argument
@all_option
@kind_option
@limit_option
def discard_command(chosen: Chosen, ids: tuple[UUID, ...], is_all: bool, kind: str | None, limit: int) -> None:
    """Delete jobs that failed permanently: what they were to do is not done."""
    _check_choice(ids, is_all, kind)
    anyio.run(_deal_with, chosen.find().settings, DeadJobs.discard, "discarded", ids, kind, limit)


def _check_choice(ids: tuple[UUID, ...], is_all: bool, kind: str | None) -> None:
    if bool(ids) == is_all:
        raise click.UsageError("Name the jobs, or say --all.")
    if ids and kind is not None:
        raise click.UsageError("Say --kind with --all: who names jobs has chosen.")


async def _set_up(settings: Settings, dry_run: bool) -> None:
    async with open_sqs(settings) as sqs:
        steps = await sqs.set_up(dry_run=dry_run)
    for step in steps:
        click.echo(f"{'would ' if dry_run else ''}{step.action} {step.url or step.name}")


async def _show_dead(settings: Settings, kind: str | None, limit: int, as_json: bool) -> None:
    async with open_dead_letters(settings) as letters:
        for job in await letters.latest(limit, kind):
            emit(_line(job), _document(job), as_json=as_json)


async def _deal_with(
    settings: Settings, deal: Deal, done: str, ids: tuple[UUID, ...], kind: str | None, limit: int
) -> None:
    """Do it to these jobs, or to all without ids, ignoring those that another process dealt with meanwhile."""
    operator = Governor.operator("operator")
    async with open_dead_letters(settings) as letters:
        for job_id in ids:
            await deal(letters, operator, job_id)
            click.echo(f"{done} {job_id}")
        for job in [] if ids else await letters.latest(limit, kind):
            with suppress(NotFound):
                await deal(letters, operator, job.id)
                click.echo(f"{done} {job.id}")


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
