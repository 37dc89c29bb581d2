"""``imagegallery migrate``: bring the database's schema up to this version."""

from datetime import timedelta

import anyio
import click

from imagegallery.backends import open_database
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.database.migrate import LOCK_TIMEOUT, migrate, pending
from imagegallery.images.library.index_records import MetaIndexes, index_meta
from imagegallery.settings import Settings


@click.command("migrate")
@gallery_options
@click.option("--dry-run", is_flag=True, help="Only say what would be applied.")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=LOCK_TIMEOUT.total_seconds(),
    show_default=True,
    help="Seconds to wait for a lock; then it gives up and says who is in the way.",
)
def migrate_command(chosen: Chosen, dry_run: bool, lock_timeout: float) -> None:
    """Apply missing migrations, and make the indexes by keys of meta that the settings name (meta.indexed)."""
    application = chosen.find() if dry_run else chosen.load()
    anyio.run(_migrate, application.settings, dry_run, timedelta(seconds=lock_timeout))


async def _migrate(settings: Settings, dry_run: bool, lock_timeout: timedelta) -> None:
    async with open_database(settings) as database:
        names = await (pending(database) if dry_run else migrate(database, lock_timeout=lock_timeout))
        is_there = not (dry_run and names)  # a database that is to be migrated may lack what is to be indexed
        indexes = await index_meta(database, settings.meta.indexed, dry_run=dry_run) if is_there else MetaIndexes()
    for name in names:
        click.echo(f"{'would apply' if dry_run else 'applied'} {name}")
    for name in indexes.made:
        click.echo(f"{'would make' if dry_run else 'made'} the index {name}")
    for name in indexes.dropped:
        click.echo(f"{'would drop' if dry_run else 'dropped'} the index {name}")
    if not (names or indexes.made or indexes.dropped):
        click.echo("The database is up to date.")
