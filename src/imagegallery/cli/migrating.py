"""``imagegallery migrate``: bring the database's schema up to this version."""

from pathlib import Path

import anyio
import click

from imagegallery.cli.options import config_option, data_dir_option, find_settings, load_settings
from imagegallery.database.migrate import migrate, pending
from imagegallery.parts import open_database
from imagegallery.settings import Settings


@click.command("migrate")
@data_dir_option
@config_option
@click.option("--dry-run", is_flag=True, help="Only say what would be applied.")
def migrate_command(data_dir: Path | None, config: Path | None, dry_run: bool) -> None:
    """Apply the migrations that the database does not have yet."""
    settings = find_settings(data_dir, config) if dry_run else load_settings(data_dir, config)
    anyio.run(_migrate, settings, dry_run)


async def _migrate(settings: Settings, dry_run: bool) -> None:
    async with open_database(settings) as database:
        names = await (pending if dry_run else migrate)(database)
    for name in names:
        click.echo(f"{'would apply' if dry_run else 'applied'} {name}")
    if not names:
        click.echo("The database is up to date.")
