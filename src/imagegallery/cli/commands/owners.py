"""``imagegallery owners``: the storage of owners, and their limits."""

import re
from contextlib import aclosing

import anyio
import click

from imagegallery.backends import open_owners
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.owners.owner import Owner
from imagegallery.settings import Settings

DEFAULT = "default"
_UNITS = {
    "": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_SIZE = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,3}))? ?([a-z]{0,3})")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
owner_argument = click.argument("owner_id", metavar="OWNER")


def parse_size(text: str) -> int | None:
    """Parse a size, with a unit or without: ``5GB``, ``1.5 GiB``, ``1000``; ``None`` for ``default``.

    Raises `click.BadParameter`.
    """
    if text == DEFAULT:
        return None
    match = _SIZE.fullmatch(text.lower())
    if match is None or match[3] not in _UNITS:
        raise click.BadParameter(f"{text} is no size: write 5GB, 512MiB, a number of bytes, or {DEFAULT}.")
    thousandths = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0"))
    return thousandths * _UNITS[match[3]] // 1000


@click.group("owners")
def owners_group() -> None:
    """Show and limit how much owners store."""


@owners_group.command("list")
@gallery_options
@json_option
def list_command(chosen: Chosen, as_json: bool) -> None:
    """Show all owners who have stored something, or have a limit of their own."""

    async def run(settings: Settings) -> None:
        async with open_owners(settings) as owners, aclosing(owners.all()) as found:
            async for owner in found:
                _emit(owner, settings, as_json=as_json)

    anyio.run(run, chosen.settings)


@owners_group.command("show")
@owner_argument
@gallery_options
@json_option
def show_command(owner_id: str, chosen: Chosen, as_json: bool) -> None:
    """Show one owner."""

    async def run(settings: Settings) -> None:
        async with open_owners(settings) as owners:
            _emit(await owners.get(owner_id), settings, as_json=as_json)

    anyio.run(run, chosen.settings)


@owners_group.command("limit")
@owner_argument
@click.argument("size")
@gallery_options
@json_option
def limit_command(owner_id: str, size: str, chosen: Chosen, as_json: bool) -> None:
    """Limit what OWNER may store to SIZE bytes (5GB, 512MiB); "default" is `uploads.storage_limit`.

    It holds at once, in every process. What is stored already stays, also beyond the limit.
    """

    limit = parse_size(size)

    async def run(settings: Settings) -> None:
        async with open_owners(settings) as owners:
            changed = await owners.limit_storage(owner_id, limit)
            _emit(changed, settings, as_json=as_json)

    anyio.run(run, chosen.settings)


def _emit(owner: Owner, settings: Settings, *, as_json: bool) -> None:
    general = settings.uploads.storage_limit
    limit = general if owner.storage_limit is None else owner.storage_limit
    of_all = "no limit" if limit is None else f"{limit:,} bytes"
    whose = "" if owner.storage_limit is not None or limit is None else ", as for everybody"
    document = {"owner_id": owner.owner_id, "storage_used": owner.storage_used, "storage_limit": owner.storage_limit}
    emit(f"{owner.owner_id}: {owner.storage_used:,} bytes of {of_all}{whose}", document, as_json=as_json)
