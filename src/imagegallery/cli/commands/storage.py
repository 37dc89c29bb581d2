"""``imagegallery storage``: set up a bucket, and check a store's promises."""

from contextlib import aclosing
from datetime import timedelta
from urllib.parse import urlsplit

import anyio
import click

from imagegallery.backends import open_store, set_up_storage
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.errors import ConfigurationError
from imagegallery.settings import Settings
from imagegallery.upkeep.check import Level
from imagegallery.upkeep.promises import check_promises

DAY = timedelta(days=1)


@click.group("storage")
def storage_group() -> None:
    """Set up and check the object store."""


@storage_group.command("setup")
@click.option("--create", is_flag=True, help="Make the bucket if it does not exist.")
@click.option("--origin", "origins", multiple=True, help="A web page that may send and read: https://app.example")
@click.option("--days", type=click.IntRange(min=1), help="When what was not finished expires.")
@click.option("--expire-versions", type=click.IntRange(min=1), help="Days after which versions of what was deleted go.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@gallery_options
def setup_command(
    create: bool,
    origins: tuple[str, ...],
    days: int | None,
    expire_versions: int | None,
    dry_run: bool,
    as_json: bool,
    chosen: Chosen,
) -> int:
    """Set up the bucket of `storage.s3`: its rules for browsers (CORS) and for unfinished uploads (lifecycle).

    May be repeated, and keeps other rules. The exit code is 1 if the store refuses any of it.
    """
    settings = chosen.settings
    for origin in origins:
        _check_origin(origin)

    async def run() -> bool:
        kept_for = days_for(settings, days)
        steps = set_up_storage(settings, origins, kept_for, expire_versions, create=create, dry_run=dry_run)
        all_done = True
        async with aclosing(steps):
            async for step in steps:
                document = {"subject": step.subject, "outcome": step.outcome.value, "detail": step.detail}
                emit(f"{step.outcome.value:8}{step.subject}: {step.detail}", document, as_json=as_json)
                all_done = all_done and step.is_well
        return all_done

    return 0 if anyio.run(run) else 1


@storage_group.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@gallery_options
def check_command(as_json: bool, chosen: Chosen) -> int:
    """Check with a few small objects whether the store keeps the promises that prevent loss.

    The exit code is 1 if it does not.
    """
    settings = chosen.settings

    async def run() -> bool:
        levels = set[Level]()
        async with open_store(settings) as store, aclosing(check_promises(store)) as checks:
            async for check in checks:
                levels.add(check.level)
                emit(str(check), check.to_json(), as_json=as_json)
        return Level.ERROR not in levels

    return 0 if anyio.run(run) else 1


def days_for(settings: Settings, wanted: int | None = None) -> int:
    """The days until unfinished uploads expire: at least two, and one more than any session lasts.

    The store counts from midnight to midnight. Raises `ConfigurationError` if ``wanted`` is less than a session may
    last.
    """
    lifetime = settings.uploads.session_lifetime
    if wanted is not None and wanted * DAY < lifetime:
        raise ConfigurationError(
            f"--days {wanted} would delete uploads under way: uploads.session_lifetime is {lifetime}."
        )
    return wanted or max(2, -(-lifetime // DAY) + 1)


def _check_origin(origin: str) -> None:
    """Raise `ConfigurationError` for anything but an origin (RFC 6454 section 6.2): browsers would never send it."""
    parts = urlsplit(origin)
    if origin != "*" and (parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"):
        raise ConfigurationError(f"{origin} is no origin; write it as https://app.example")
