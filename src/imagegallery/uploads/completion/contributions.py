"""What others add to an owner's gallery: whether the share still lets them when the file has come, and whether its
owner is to see it first.

All of this happens inside the transaction that ends a session, whose row is locked.
"""

from datetime import datetime

from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, Actor, ActorKind, AuditEntry, by_share
from imagegallery.contributions import records as contribution_records
from imagegallery.contributions.contribution import Contribution, ContributionState, ShareSender
from imagegallery.contributions.events import GuestUploaded
from imagegallery.database.connection import Connection
from imagegallery.errors import Forbidden
from imagegallery.events import records as events
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.session import UploadSession


async def contributed(
    connection: Connection,
    limits: UploadLimits,
    session: UploadSession,
    sender: ShareSender,
    size: int,
    *,
    now: datetime,
) -> Contribution:
    """What the session of this ``sender`` adds to another's gallery. All who add by the share wait until the
    transaction ends.

    Raises:
        Forbidden: If the share is over, or does not let anybody add to this gallery any more.
        QuotaExceeded: If what may be added by the share is there.
    """
    limits.check_contributor(sender.contributor)
    share = await contribution_records.hold_room(connection, sender, session.gallery_id, now=now)
    if Permission.ADD_IMAGES not in share.allows:
        raise Forbidden("This share takes no images any more.")
    share.check(size)
    return Contribution(
        image_id=session.future_image_id,
        owner_id=session.owner_id,
        share_id=sender.share_id,
        gallery_id=session.gallery_id,
        added_by=sender.contributor,
        size=size,
        state=ContributionState.PENDING if share.approval else ContributionState.APPROVED,
        arrived_at=now,
    )


async def note_contribution(connection: Connection, added: Contribution, *, now: datetime) -> None:
    """Write it, and tell its owner."""
    await contribution_records.insert(connection, added)
    by, share_id = added.added_by, added.share_id
    told = GuestUploaded(
        added.owner_id, added.image_id, str(by), by.name, share_id, added.gallery_id, is_pending=added.is_pending
    )
    await events.record(connection, told, now=now)
    if share_id is not None:
        actor, right = Actor(ActorKind(by.kind.value), by.id), by_share(share_id)
        act = AuditEntry(
            Act.CONTRIBUTION_ADDED, actor, right, added.owner_id, added.image_id, added.gallery_id, share_id
        )
        await audit.record(connection, act, now=now)
