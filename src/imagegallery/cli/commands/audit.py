"""``imagegallery audit``: the acts that matter for security."""

from datetime import UTC, datetime
from uuid import UUID

import anyio
import click

from imagegallery.audit.entry import Act, AuditEntry, AuditRecord
from imagegallery.backends import open_audit
from imagegallery.cli.options import Chosen, gallery_options
from imagegallery.cli.output import emit
from imagegallery.pagination import MAX_LIMIT
from imagegallery.principal import Principal, Role
from imagegallery.settings import Settings

_OPERATOR = Principal.user("operator", role=Role.ADMIN)
_MOMENTS = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command("audit")
@click.option("--owner", "owner_id", metavar="USER", help="Only what was done to this user's things.")
@click.option("--actor", "actor_id", metavar="ID", help="Only what this user, or this share's link, did.")
@click.option("--act", type=click.Choice([each.value for each in Act]), help="Only acts of this kind.")
@click.option("--image", "image_id", type=click.UUID, help="Only what was done to this image.")
@click.option("--gallery", "gallery_id", type=click.UUID, help="Only what was done to this gallery.")
@click.option("--share", "share_id", type=click.UUID, help="Only what was done to, or by, this share.")
@click.option("--since", type=_MOMENTS, help="Only from then on, in UTC.")
@click.option("--until", type=_MOMENTS, help="Only before then, in UTC.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many, the latest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@gallery_options
def audit_command(
    chosen: Chosen,
    owner_id: str | None,
    actor_id: str | None,
    act: str | None,
    image_id: UUID | None,
    gallery_id: UUID | None,
    share_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show what was done that matters for security, the latest first."""

    async def run(settings: Settings) -> None:
        cursor, left = None, limit
        async with open_audit(settings) as audit:
            while left > 0:
                page = await audit.all(
                    _OPERATOR,
                    owner_id=owner_id,
                    actor_id=actor_id,
                    act=act,
                    image_id=image_id,
                    gallery_id=gallery_id,
                    share_id=share_id,
                    since=_in_utc(since),
                    until=_in_utc(until),
                    cursor=cursor,
                    limit=min(left, MAX_LIMIT),
                )
                for each in page.items:
                    emit(_line(each), _document(each), as_json=as_json)
                cursor, left = page.next_cursor, left - len(page.items)
                if cursor is None:
                    return

    anyio.run(run, chosen.settings)


def _in_utc(given: datetime | None) -> datetime | None:
    return None if given is None else given.replace(tzinfo=UTC)


def _line(kept: AuditRecord) -> str:
    entry = kept.entry
    who = entry.actor.kind if entry.actor.id is None else f"{entry.actor.kind} {entry.actor.id}"
    on = ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in _things(entry).items() if value is not None)
    whose = "" if entry.owner_id is None else f" of {entry.owner_id}"
    place = "" if kept.origin.address is None else f" from {kept.origin.address}"
    return f"{kept.happened_at:%Y-%m-%d %H:%M:%S} {entry.act} by {who} ({entry.grant}){place}: {on}{whose}"


def _things(entry: AuditEntry) -> dict[str, str | None]:
    ids = {"image_id": entry.image_id, "gallery_id": entry.gallery_id, "share_id": entry.share_id}
    return {**{name: None if value is None else str(value) for name, value in ids.items()}, "subject": entry.subject}


def _document(kept: AuditRecord) -> dict[str, object]:
    entry, origin = kept.entry, kept.origin
    return {
        "id": str(kept.id),
        "happened_at": kept.happened_at.isoformat(),
        "act": entry.act,
        "actor": {"kind": entry.actor.kind, "id": entry.actor.id},
        "grant": entry.grant,
        "owner_id": entry.owner_id,
        **_things(entry),
        "details": dict(entry.details),
        "address": origin.address,
        "request_id": origin.request_id,
        "user_agent": origin.user_agent,
    }
