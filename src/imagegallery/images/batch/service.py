"""One action on up to 1,000 images in one transaction, in a few statements.

The whole request is valid or refused, before anything changes. Then each image has its own result. An image of another
owner, and one in the trash (except when restoring), is ``not_found``, whether or not others can see it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.access import records as access_records
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.audit.entry import Warrant
from imagegallery.clock import Clock
from imagegallery.common.unset import UNSET, Unset
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.ids import Id, as_id_or_none, as_ids
from imagegallery.images.admission import Admission, check_addable
from imagegallery.images.batch.batch import (
    FLAGS,
    Batch,
    BatchAction,
    BatchActionLike,
    BatchResult,
    check_batch,
    results,
)
from imagegallery.images.image import membership, original_records
from imagegallery.images.image.told_records import tell_updated
from imagegallery.images.library import records as library_records
from imagegallery.images.trash import records as trash_records
from imagegallery.images.trash.service import TrashService, put_away, put_back
from imagegallery.images.words import records as tag_records
from imagegallery.images.words.words import OwnWord
from imagegallery.principal import Principal

_NEEDED: Final = {
    BatchAction.ADD_TO_GALLERY: Permission.ADD_IMAGES,
    BatchAction.REMOVE_FROM_GALLERY: Permission.EDIT,
}
_DELETES: Final = (BatchAction.TRASH, BatchAction.RESTORE, BatchAction.DELETE)


@frozen
class BatchService:
    """Changes many of the principal's images at once; in another's gallery, those that are in it."""

    _database: Database
    _clock: Clock
    _admission: Admission
    _trash: TrashService
    _authority: Authority = field(factory=Authority)

    async def run(
        self,
        principal: Principal,
        action: BatchActionLike,
        image_ids: Sequence[Id],
        *,
        gallery_id: Id | None = None,
        tags: Sequence[str] | None = None,
        rating: int | Unset | None = UNSET,
    ) -> tuple[BatchResult, ...]:
        """Do ``action`` to 1 to 1,000 distinct images. Returns one result each, in the same order.

        An image that needs no change (a favourite, a member, an image not in the trash) counts as done. ``delete``
        is permanent, in the trash or not; it leaves images that records of the application refer to
        (``still_referenced``), and those with which the host does not allow it (``forbidden``). An image that can have
        no more tags keeps those that it has (``too_many_tags``).

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: With all faults.
            NotFound: If the principal may not see the gallery.
            Forbidden: If the gallery is another owner's.
        """
        image_ids = as_ids(image_ids, "image_ids")
        gallery_id = as_id_or_none(gallery_id, "gallery_id")
        principal.require_known()
        batch = check_batch(action, image_ids, gallery_id, tags, rating)
        async with self._database.transaction() as connection:
            owner_id = await self._owner_for(connection, principal, batch)
            by = Warrant.of_owner(principal)  # of what a batch deletes and restores
            if batch.gallery_id is not None and batch.action is BatchAction.ADD_TO_GALLERY:
                await self._admission.prepare(connection, owner_id, batch.gallery_id, batch.image_ids)
            if batch.action is BatchAction.DELETE:
                await original_records.hold_contents(connection, owner_id, batch.image_ids)
            own = await trash_records.lock(connection, owner_id, batch.image_ids)
            needed = Permission.DELETE if batch.action in _DELETES else Permission.EDIT
            subjects = [AccessSubject("image", owner_id, each) for each in own]
            allowed = await self._authority.allowed(needed, principal, subjects)
            locked = {each: is_trashed for each, is_trashed in own.items() if each in allowed}
            forbidden = own.keys() - locked.keys()
            if batch.action is BatchAction.DELETE:
                kept: Collection[UUID] = ()
                if locked:
                    kept = await self._trash.delete_held(connection, owner_id, locked, list(locked), by=by)
                return results(batch, locked.keys() - set(kept), kept, forbidden)
            done = await _do(connection, self._admission, owner_id, batch, locked, by, self._clock())
            full = _here(batch, locked) if batch.action is BatchAction.ADD_TAGS else ()  # but for those that are done
            return results(batch, done, forbidden=forbidden, full=full)

    async def _owner_for(self, connection: Connection, principal: Principal, batch: Batch) -> str:
        """Whose images it is about: the gallery's owner's, if the principal may do this to the gallery, else their
        own."""
        gallery_id = batch.gallery_id
        if gallery_id is None:
            return principal.require_user()
        facts = await access_records.of_gallery_for(connection, principal, gallery_id, now=self._clock())
        gallery = await self._authority.require(_NEEDED[batch.action], principal, facts, "gallery", gallery_id)
        if batch.action is BatchAction.ADD_TO_GALLERY:
            check_addable(principal, gallery, batch.image_ids)
        return gallery.owner_id


async def _do(
    connection: Connection,
    admission: Admission,
    owner_id: str,
    batch: Batch,
    locked: dict[UUID, bool],
    by: Warrant,
    now: datetime,
) -> Collection[UUID]:
    """Return the images that are now in the wanted state."""
    here = _here(batch, locked)
    if batch.action is BatchAction.RESTORE:
        away = [image_id for image_id in batch.image_ids if locked.get(image_id)]
        await put_back(connection, admission.policies, owner_id, away, by=by, now=now)
        return locked.keys()
    if batch.action is BatchAction.TRASH:
        await put_away(connection, admission.closed_urls, owner_id, here, by=by, now=now)
    elif batch.action in FLAGS:
        flags = FLAGS[batch.action]
        changed = await library_records.set_flags(
            connection, here, is_favorite=flags.is_favorite, is_archived=flags.is_archived, now=now
        )
        await tell_updated(connection, owner_id, changed, flags.names, now=now)
    elif batch.gallery_id is None:
        return await _say(connection, owner_id, batch, here, now)
    elif here and batch.action is BatchAction.ADD_TO_GALLERY:
        await admission.add(connection, owner_id, batch.gallery_id, here, now=now)
    elif here:
        async with admission.closed_urls.watched(connection, owner_id, here):
            return await _remove(connection, batch.gallery_id, here, now)
    return here


def _here(batch: Batch, locked: Mapping[UUID, bool]) -> list[UUID]:
    """The images outside of the trash."""
    return [image_id for image_id in batch.image_ids if locked.get(image_id) is False]


async def _say(
    connection: Connection, owner_id: str, batch: Batch, image_ids: Sequence[UUID], now: datetime
) -> Collection[UUID]:
    """Change what the owner says of these images. Returns those that are as wanted now."""
    full: Collection[UUID] = ()
    if batch.action is BatchAction.RATE:
        await tag_records.rate(connection, image_ids, batch.rating, now=now)
    elif batch.action is BatchAction.ADD_TAGS:
        full = await tag_records.add(connection, owner_id, image_ids, batch.tags, now=now)
    else:
        await tag_records.remove(connection, owner_id, image_ids, batch.tags)
    done = [each for each in image_ids if each not in full]
    said: OwnWord = "rating" if batch.action is BatchAction.RATE else "tags"
    await tag_records.note_own(connection, done, said, now=now)
    await tell_updated(connection, owner_id, done, (said,), now=now)
    return done


async def _remove(
    connection: Connection, gallery_id: UUID, image_ids: Sequence[UUID], now: datetime
) -> Collection[UUID]:
    """Remove images and return those that were in the gallery."""
    await membership.lock_gallery(connection, gallery_id)
    members = await membership.positions(connection, gallery_id, image_ids)
    if members:
        await membership.remove_batch(connection, gallery_id, list(members), now=now)
    return members.keys()
