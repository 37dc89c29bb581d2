"""What others added by shares: the owner's inbox, and what guests and recipients see and take back of their own."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

from attrs import frozen

from imagegallery.access.authority import AccessSubject
from imagegallery.access.contributor import Contributor
from imagegallery.access.decision import require_contributor
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import BY_CONTRIBUTION, Act, Actor, AuditEntry, Warrant
from imagegallery.clock import Clock
from imagegallery.common.validation import MAX_BATCH, as_choice
from imagegallery.contributions import records
from imagegallery.contributions.contribution import (
    Contribution,
    ContributionState,
    ContributionStateLike,
    ShownContribution,
    Verdict,
)
from imagegallery.contributions.events import ContributionEvent, GuestApproved, GuestRejected, GuestWithdrew
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, InvalidInput, NotFound, Refused, StillReferenced
from imagegallery.events import records as events
from imagegallery.ids import Id, as_id, as_id_or_none, as_ids
from imagegallery.images.events import ImageUploaded
from imagegallery.images.image import original_records
from imagegallery.images.image.access import check_many
from imagegallery.images.service import ImageService
from imagegallery.images.trash import records as trash_records
from imagegallery.images.trash.service import put_away
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.principal import Principal

BATCH = 100
COUNTED = 1_000
"""As far as what waits is counted."""

# Done to some of an owner's images that wait, all for one gallery; returns those that it was done to.
_Decide: TypeAlias = Callable[[Principal, str, UUID | None, Sequence[UUID]], Awaitable[Sequence[UUID]]]


@frozen
class ContributionService:
    """An image that waits for approval belongs to its owner, who stores it, and is in no list, gallery or count."""

    _database: Database
    _images: ImageService
    _clock: Clock

    async def list(
        self,
        principal: Principal,
        *,
        state: ContributionStateLike = ContributionState.PENDING,
        share_id: Id | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[ShownContribution]:
        """List what others added to the principal's galleries and is in this state, latest first; of one share, if it
        is given. What is in the trash is left out, so that a page may be short.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For invalid arguments.
            InvalidCursor: For an invalid cursor.
        """
        share_id, chosen = as_id_or_none(share_id, "share_id"), as_choice(("query", "state"), state, ContributionState)
        owner_id = await self._owner(principal, Permission.VIEW)
        check_limit(limit)
        scope = f"contributions:{owner_id}:{chosen}:{share_id}"
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        async with self._database.reading() as connection:
            found = await records.list_of_owner(connection, owner_id, chosen, share_id, after, limit + 1)
        return await self._shown(principal, found, scope, limit)

    async def mine(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[ShownContribution]:
        """List what the principal, a user or a guest of a link, added to others' galleries and may see, latest first.

        Raises:
            Unauthenticated: Without a user or a guest's name.
            Forbidden: If the application's rules allow the principal no list.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        contributor = Contributor.of(principal)
        check_limit(limit)
        scope = f"contributed:{contributor}"
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        whose = AccessSubject("library", principal.user_id)
        await self._images.rules.authority.confirm(Permission.VIEW, principal, whose)
        async with self._database.reading(principal) as connection:
            found = await records.list_of_contributor(connection, contributor, after, limit + 1)
        return await self._shown(principal, found, scope, limit)

    async def count_pending(self, principal: Principal) -> int:
        """How many images wait for the principal, up to `COUNTED`. Raises `Unauthenticated` without a user."""
        owner_id = await self._owner(principal, Permission.VIEW)
        async with self._database.reading() as connection:
            return await records.count_pending(connection, owner_id, COUNTED)

    async def approve(
        self, principal: Principal, image_ids: Iterable[Id] | None = None, *, share_id: Id | None = None
    ) -> Verdict:
        """Put these images that wait into the galleries that they are for; ``None``: all, or all of a share, up to
        1,000 at once. One whose gallery is gone is in the library alone.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For more ids.
        """
        return await self._decide(principal, image_ids, share_id, self._approve)

    async def reject(
        self, principal: Principal, image_ids: Iterable[Id] | None = None, *, share_id: Id | None = None
    ) -> Verdict:
        """Delete these images that wait, permanently. Arguments and errors as `approve`."""
        return await self._decide(principal, image_ids, share_id, self._reject)

    async def withdraw(self, principal: Principal, image_id: Id) -> None:
        """Take back what the principal added: out of all galleries, permanently, and into its owner's trash. What
        was never approved is deleted.

        Raises:
            Unauthenticated: Without a user or a guest's name.
            NotFound: If the principal added no such image, or it is gone or in the trash.
            StillReferenced: If records of the application refer to it.
        """
        image_id = as_id(image_id, "image_id")
        Contributor.of(principal)
        async with self._database.transaction() as connection:
            found = require_contributor(principal, await records.get(connection, image_id), "image")
            subject = AccessSubject("image", found.owner_id, image_id)
            await self._images.rules.authority.confirm(Permission.VIEW, principal, subject)
            await original_records.hold_content(connection, found.owner_id, found.size)
            by = Warrant(Actor.of(principal), BY_CONTRIBUTION, found.share_id)
            if await records.lock_pending(connection, found.owner_id, [image_id]):
                if await self._purge(connection, found.owner_id, [image_id], by):
                    raise StillReferenced("Records of the application refer to this image.")
            else:
                await self._put_away(connection, found, by)
            await self._note(connection, by, Act.CONTRIBUTION_WITHDRAWN, GuestWithdrew, [found])

    async def _owner(self, principal: Principal, needed: Permission) -> str:
        owner_id = principal.require_user()
        await self._images.rules.authority.confirm(needed, principal, AccessSubject("library", owner_id))
        return owner_id

    async def _shown(
        self, principal: Principal, found: Sequence[Contribution], scope: str, limit: int
    ) -> CursorPage[ShownContribution]:
        page = cut_page(found, limit, lambda last: encode_cursor(scope, (last.arrived_at, last.image_id)))
        images = await self._images.get_many(principal, [each.image_id for each in page.items])
        seen = [each for each in page.items if each.image_id in images and images[each.image_id].deleted_at is None]
        return CursorPage(tuple(ShownContribution(each, images[each.image_id]) for each in seen), page.next_cursor)

    async def _decide(
        self, principal: Principal, image_ids: Iterable[Id] | None, share_id: Id | None, decide: _Decide
    ) -> Verdict:
        share_id = as_id_or_none(share_id, "share_id")
        asked = None if image_ids is None else check_many(as_ids(image_ids, "image_ids"))
        owner_id = await self._owner(principal, Permission.EDIT)
        async with self._database.reading() as connection:
            waiting = await records.pending_ids(
                connection, owner_id, share_id=share_id, among=asked, limit=MAX_BATCH + 1
            )
        has_more, chosen = len(waiting) > MAX_BATCH, list(waiting)[:MAX_BATCH]
        done: list[UUID] = []
        by_gallery = sorted(chosen, key=lambda each: str(waiting[each]))
        for gallery_id, together in groupby(by_gallery, key=waiting.__getitem__):
            ids = list(together)
            for start in range(0, len(ids), BATCH):
                done += await decide(principal, owner_id, gallery_id, ids[start : start + BATCH])
        left = tuple(each for each in (chosen if asked is None else asked) if each not in set(done))
        return Verdict(tuple(done), left, has_more)

    async def _approve(
        self, principal: Principal, owner_id: str, gallery_id: UUID | None, image_ids: Sequence[UUID]
    ) -> Sequence[UUID]:
        """Return those that are approved. Where not all of them have a place, as many as have."""
        try:
            return await self._approve_all(principal, owner_id, gallery_id, image_ids)
        except (InvalidInput, Refused, Conflict, NotFound):
            if len(image_ids) == 1:
                return ()
            middle = len(image_ids) // 2
            some = await self._approve(principal, owner_id, gallery_id, image_ids[:middle])
            return [*some, *await self._approve(principal, owner_id, gallery_id, image_ids[middle:])]

    async def _approve_all(
        self, principal: Principal, owner_id: str, gallery_id: UUID | None, image_ids: Sequence[UUID]
    ) -> Sequence[UUID]:
        admission, now = self._images.rules.admission, self._clock()
        async with self._database.transaction() as connection:
            if gallery_id is not None:
                await admission.prepare(connection, owner_id, gallery_id, image_ids)
            locked = await records.lock_pending(connection, owner_id, image_ids)
            ids = [each.image_id for each in locked]
            if not ids:
                return ()
            await records.release(connection, ids, now=now)
            if gallery_id is not None:
                await admission.add(connection, owner_id, gallery_id, ids, now=now)
            await records.approve(connection, ids, now=now)
            galleries = () if gallery_id is None else (gallery_id,)
            uploaded = [ImageUploaded(owner_id, each, gallery_id, gallery_ids=galleries) for each in ids]
            await events.record(connection, *uploaded, now=now)
            by = Warrant.of_owner(principal)
            await self._note(connection, by, Act.CONTRIBUTION_APPROVED, GuestApproved, locked)
        return ids

    async def _reject(
        self, principal: Principal, owner_id: str, gallery_id: UUID | None, image_ids: Sequence[UUID]
    ) -> Sequence[UUID]:
        """Return those that are gone: not those that records of the application refer to."""
        async with self._database.transaction() as connection:
            await original_records.hold_contents(connection, owner_id, image_ids)
            locked = {each.image_id: each for each in await records.lock_pending(connection, owner_id, image_ids)}
            if not locked:
                return ()
            by = Warrant.of_owner(principal)
            kept = await self._purge(connection, owner_id, list(locked), by)
            gone = [each for image_id, each in locked.items() if image_id not in kept]
            await self._note(connection, by, Act.CONTRIBUTION_REJECTED, GuestRejected, gone)
        return [each.image_id for each in gone]

    async def _purge(
        self, connection: Connection, owner_id: str, image_ids: Sequence[UUID], by: Warrant
    ) -> Sequence[UUID]:
        """Delete locked images that wait, and return those that records of the application refer to."""
        away = dict.fromkeys(image_ids, True)
        return await self._images.trash.delete_held(connection, owner_id, away, image_ids, by=by)

    async def _put_away(self, connection: Connection, found: Contribution, by: Warrant) -> None:
        """Raises `NotFound` for what is in the trash already."""
        image_id, now = found.image_id, self._clock()
        if (await trash_records.lock(connection, found.owner_id, [image_id])).get(image_id, True):
            raise NotFound.of("image")
        closed_urls = self._images.rules.admission.closed_urls
        await put_away(connection, closed_urls, found.owner_id, [image_id], by=by, now=now)
        await records.withdraw(connection, image_id, now=now)

    async def _note(
        self,
        connection: Connection,
        by: Warrant,
        act: Act,
        kind: type[ContributionEvent],
        about: Sequence[Contribution],
    ) -> None:
        """Record what was done with these, for their owner and the audit."""
        now = self._clock()
        told = [
            kind(each.owner_id, each.image_id, str(each.added_by), each.added_by.name, each.share_id, each.gallery_id)
            for each in about
        ]
        entries = [
            AuditEntry(act, by.actor, by.grant, each.owner_id, each.image_id, each.gallery_id, each.share_id)
            for each in about
        ]
        if about:
            await events.record(connection, *told, now=now)
            await audit.record(connection, *entries, now=now)
