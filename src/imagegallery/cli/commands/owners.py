"""``imagegallery owners``: the storage of owners, and their limits."""

import re
from contextlib import aclosing, suppress
from datetime import timedelta
from pathlib import Path

import anyio
import click

from imagegallery.audit.entry import BY_OPERATOR, OPERATOR, Warrant
from imagegallery.backends import open_owners
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit, printable, say
from imagegallery.errors import ImageGalleryError, NotFound
from imagegallery.gallery import ImageGallery
from imagegallery.owners.owner import Owner
from imagegallery.policies.admin_policy import AdminPolicy
from imagegallery.principal import Principal
from imagegallery.privacy.archive import Archive
from imagegallery.privacy.erasure import Erasure, ErasureState
from imagegallery.privacy.export import ExportState
from imagegallery.settings import Settings
from imagegallery.storage.protocol import ByteRange

DEFAULT = "default"
POLL = 0.1  # seconds between two looks at what a worker does
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
    """Show and limit how much owners store; export or erase all that is kept of one."""


@owners_group.command("list")
@gallery_options
@json_option
def list_command(chosen: Chosen, as_json: bool) -> None:
    """Show all owners who have stored something, or have a limit of their own."""

    async def run(settings: Settings) -> None:
        async with open_owners(settings) as (owners, policy), aclosing(owners.all()) as found:
            async for owner in found:
                _emit(owner, policy, as_json=as_json)

    anyio.run(run, chosen.settings)


@owners_group.command("show")
@owner_argument
@gallery_options
@json_option
def show_command(owner_id: str, chosen: Chosen, as_json: bool) -> None:
    """Show one owner."""

    async def run(settings: Settings) -> None:
        async with open_owners(settings) as (owners, policy):
            _emit(await owners.get(owner_id), policy, as_json=as_json)

    anyio.run(run, chosen.settings)


@owners_group.command("limit")
@owner_argument
@click.argument("size")
@gallery_options
@json_option
def limit_command(owner_id: str, size: str, chosen: Chosen, as_json: bool) -> None:
    """Limit what OWNER may store to SIZE bytes (5GB, 512MiB); "default" is what holds for everybody.

    It holds at once, in every process. What is stored already stays, also beyond the limit.
    """

    limit = parse_size(size)

    async def run(settings: Settings) -> None:
        async with open_owners(settings) as (owners, policy):
            changed = await owners.limit_storage(owner_id, limit)
            _emit(changed, policy, as_json=as_json)

    anyio.run(run, chosen.settings)


@owners_group.command("export")
@owner_argument
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The ZIP file to write."
)
@gallery_options
def export_command(owner_id: str, output: Path, chosen: Chosen) -> None:
    """Write all that is kept of OWNER into a ZIP file.

    It can be interrupted: repeated, it goes on with the part that is there.
    """

    async def run(settings: Settings) -> None:
        async with ImageGallery.open(settings) as gallery, gallery.worker():
            owner, by = Principal.user(owner_id), Warrant(OPERATOR, BY_OPERATOR)
            export = await gallery.exports.request(owner, by=by)
            while export.state is not ExportState.READY:
                if not export.state.is_open:
                    raise ImageGalleryError("The export could not be made: see the log.")
                await anyio.sleep(POLL)
                export = await gallery.exports.get(owner, export.id)
            await _write(await gallery.exports.archive(owner, export.id), output)
            await gallery.exports.delete(owner, export.id)
            say(f"{export.files:,} files, {export.size:,} bytes in {output}")

    anyio.run(run, chosen.settings)


async def _write(archive: Archive, output: Path) -> None:
    """Write what is missing of the archive, under another name until it is whole."""
    partial = anyio.Path(output.with_name(f"{output.name}.{archive.etag}.part"))
    start = (await partial.stat()).st_size if await partial.exists() else 0
    async with (
        await anyio.open_file(partial, "ab") as file,
        aclosing(archive.read(ByteRange(start, archive.size))) as chunks,
    ):
        async for chunk in chunks:
            await file.write(chunk)
    await partial.replace(output)


@owners_group.command("erase")
@owner_argument
@click.option("--now", is_flag=True, help="Without the time in which it can be taken back.")
@click.option("--cancel", is_flag=True, help="Take it back: nothing is erased.")
@click.option("--yes", is_flag=True, help="Do not ask whether that is meant.")
@gallery_options
@json_option
def erase_command(owner_id: str, now: bool, cancel: bool, yes: bool, chosen: Chosen, as_json: bool) -> None:
    """Erase all that is kept of OWNER, after the setting `privacy.erase_grace`.

    What they share is closed at once.
    """
    if not (cancel or yes):
        click.confirm(f"Erase all that is kept of {printable(owner_id)}?", abort=True, err=True)

    async def run(settings: Settings) -> None:
        async with ImageGallery.open(settings) as gallery:
            owner, by = Principal.user(owner_id), Warrant(OPERATOR, BY_OPERATOR)
            if cancel:
                await gallery.erasures.cancel(owner, by=by)
                say(f"Nothing of {owner_id} is erased.", err=True)
                return
            erasure = await gallery.erasures.request(owner, grace=timedelta(0) if now else None, by=by)
            if now:
                async with gallery.worker():
                    erasure = await _followed(gallery, owner, erasure)
            _emit_erasure(erasure, as_json=as_json)

    anyio.run(run, chosen.settings)


async def _followed(gallery: ImageGallery, owner: Principal, erasure: Erasure) -> Erasure:
    """Return it when all is erased; webhooks may not have received the event yet."""
    while erasure.state in (ErasureState.REQUESTED, ErasureState.ERASING):
        await anyio.sleep(POLL)
        with suppress(NotFound):
            erasure = await gallery.erasures.get(owner)
            continue
        return await anext(each async for each in gallery.erasures.all() if each.id == erasure.id)
    return erasure


@owners_group.command("erasures")
@gallery_options
@json_option
def erasures_command(chosen: Chosen, as_json: bool) -> None:
    """Show erasures, the latest first: those that are asked for, and receipts of those that are done."""

    async def run(settings: Settings) -> None:
        async with ImageGallery.open(settings) as gallery, aclosing(gallery.erasures.all()) as found:
            async for erasure in found:
                _emit_erasure(erasure, as_json=as_json)

    anyio.run(run, chosen.settings)


def _emit_erasure(erasure: Erasure, *, as_json: bool) -> None:
    whose = f" of {erasure.owner_id}" if erasure.owner_id else ""
    counts = ", ".join(f"{name} {count:,}" for name, count in erasure.counts.items()) or "nothing yet"
    document = {
        "id": str(erasure.id),
        "owner_id": erasure.owner_id,
        "state": erasure.state.value,
        "requested_at": erasure.requested_at.isoformat(),
        "erase_at": erasure.erase_at.isoformat(),
        "erased_at": erasure.erased_at and erasure.erased_at.isoformat(),
        "counts": dict(erasure.counts),
    }
    when = f"{erasure.erase_at:%Y-%m-%d %H:%M} UTC"
    emit(f"{erasure.id}{whose}: {erasure.state}, from {when}; {counts}", document, as_json=as_json)


def _emit(owner: Owner, policy: AdminPolicy, *, as_json: bool) -> None:
    limit = policy.storage_limit if owner.storage_limit is None else owner.storage_limit
    of_all = "no limit" if limit is None else f"{limit:,} bytes"
    whose = "" if owner.storage_limit is not None or limit is None else ", as for everybody"
    document = {"owner_id": owner.owner_id, "storage_used": owner.storage_used, "storage_limit": owner.storage_limit}
    emit(f"{owner.owner_id}: {owner.storage_used:,} bytes of {of_all}{whose}", document, as_json=as_json)
