"""``imagegallery shares``: what owners share, and how to end it."""

from contextlib import aclosing
from datetime import datetime
from uuid import UUID

import anyio
import click

from imagegallery.backends import open_shares
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.clock import utc_now
from imagegallery.settings import Settings
from imagegallery.sharing.share import Share, permission_names

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
share_argument = click.argument("share_id", metavar="SHARE", type=click.UUID)


@click.group("shares")
def shares_group() -> None:
    """Show what owners share, and end a share."""


@shares_group.command("list")
@click.option("--owner", "owner_id", help="Those of one owner.")
@gallery_options
@json_option
def list_command(owner_id: str | None, chosen: Chosen, as_json: bool) -> None:
    """Show all shares, newest first."""

    async def run(settings: Settings) -> None:
        async with open_shares(settings) as shares, aclosing(shares.all(owner_id)) as found:
            async for share in found:
                _emit(share, as_json=as_json)

    anyio.run(run, chosen.settings)


@shares_group.command("show")
@share_argument
@gallery_options
@json_option
def show_command(share_id: UUID, chosen: Chosen, as_json: bool) -> None:
    """Show one share."""

    async def run(settings: Settings) -> None:
        async with open_shares(settings) as shares:
            _emit(await shares.get(share_id), as_json=as_json)

    anyio.run(run, chosen.settings)


@shares_group.command("revoke")
@share_argument
@gallery_options
@json_option
def revoke_command(share_id: UUID, chosen: Chosen, as_json: bool) -> None:
    """End SHARE for everybody, at once. Its link says so from then on."""

    async def run(settings: Settings) -> None:
        async with open_shares(settings) as shares:
            _emit(await shares.revoke(share_id), as_json=as_json)

    anyio.run(run, chosen.settings)


def _emit(share: Share, *, as_json: bool) -> None:
    """Neither the token, which nobody knows, nor what a password was made into."""
    end = share.ended(utc_now())
    state = "open" if end is None else end.value
    permissions = permission_names(share.permissions)
    targets = [str(each.gallery_id or each.image_id or "library") for each in share.targets]
    document = {
        "id": str(share.id),
        "owner_id": share.owner_id,
        "state": state,
        "targets": targets,
        "permissions": permissions,
        "metadata": share.metadata.name.lower(),
        "download": share.download.name.lower(),
        "link": share.has_link,
        "slug": share.slug,
        "password": share.has_password,
        "recipients": [f"{each.kind}:{each.name}" for each in share.recipients],
        "views": share.views,
        "created_at": share.created_at.isoformat(),
        "expires_at": _text(share.expires_at),
    }
    ways = (["its link"] if share.has_link else []) + [f"{each.kind} {each.name}" for each in share.recipients]
    what = f"{', '.join(permissions)} on {', '.join(targets)}"
    emit(f"{share.id} of {share.owner_id}, {state}: {what}, by {', '.join(ways)}", document, as_json=as_json)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
