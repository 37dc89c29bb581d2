"""The trash: where deleted images wait, invisible, until they are purged.

Deleting an image removes it from every list, gallery, count and public URL at once, and keeps all that is needed to
restore it, including its places in galleries. It still uses its owner's storage until it is purged, by its owner or
after the retention. A purge deletes the rows in one transaction, which also adds the job that deletes the objects: an
interrupted purge has either not happened or is finished by that job.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from attrs import field, frozen
from attrs.validators import ge

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import Facts, require_owner
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import BY_SYSTEM, SYSTEM, Act, AuditEntry, Warrant
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.common.validation import Faults
from imagegallery.database.connection import Connection
from imagegallery.database.host.choice import HostConnection
from imagegallery.database.pool import Database
from imagegallery.database.removal import StillHeld, unless_held
from imagegallery.errors import Conflict, NotFound, StillReferenced
from imagegallery.events import records as events
from imagegallery.ids import Id, as_id
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.events import ImageDeleted, ImagePurged, ImageRestored
from imagegallery.images.image import original_records, records
from imagegallery.images.image.access import find, find_allowed
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.image.image import Image
from imagegallery.images.image.records import FoundImage
from imagegallery.images.jobs import purge_objects
from imagegallery.images.library.filter import NO_FILTER, ImageFilter, check_filter
from imagegallery.images.presentation.urls import ImageUrls, show
from imagegallery.images.trash import records as trash_records
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    FIRST_ID,
    FIRST_MOMENT,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.policies.registry import Policies
from imagegallery.principal import Principal
from imagegallery.queue.protocol import JobOutbox

BATCH: Final = 100
# Between two attempts at an image that the application does not let go: longer and longer.
SHORTEST_PAUSE: Final = timedelta(hours=1)
LONGEST_PAUSE: Final = timedelta(days=1)

_BEGINNING: Final = (FIRST_MOMENT, FIRST_ID)
_BY_SYSTEM: Final = Warrant(SYSTEM, BY_SYSTEM)
_log = logging.getLogger(__name__)

PURGED = fault_point("trash.purged", "the image's rows are gone, its objects are there, the owner was not told")


@frozen
class TrashOptions:
    """``retention`` is how long deleted images can be restored."""

    retention: timedelta = field(default=timedelta(days=30), validator=ge(timedelta(0)))


@frozen
class _Swept:
    """A batch of the sweeper: the number of purged images, and where the next batch starts."""

    purged: int
    last: tuple[datetime, UUID]


@frozen
class TrashService:
    """Deletes, restores and purges images.

    For everything else, an image in the trash does not exist.
    """

    _database: Database
    _outbox: JobOutbox
    _delivery: ImageUrls
    _options: TrashOptions
    _clock: Clock
    _closed_urls: ClosedUrls
    _policies: Policies = field(factory=Policies)
    _authority: Authority = field(factory=Authority)

    @property
    def retention(self) -> timedelta:
        """How long images can be restored; then they are deleted permanently."""
        return self._options.retention

    async def list(
        self,
        principal: Principal,
        *,
        where: ImageFilter = NO_FILTER,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[Image]:
        """List the principal's trash, latest first, or those images in it that pass a filter.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit or filter.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        scope = ":".join(filter(None, ("trash", owner_id, where.scope)))
        check_limit(limit)
        faults = Faults()
        check_filter(faults, where)
        faults.check()
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.connection() as connection:
            read = await trash_records.list_trashed(connection, owner_id, where, after, limit + 1)
        page = cut_page(
            read.found, limit, lambda last: encode_cursor(scope, (_moment(last), last.id)), goes_on=read.goes_on
        )
        return await self._delivery.of_many(
            lambda: page.map(lambda image: show(image, principal, self._delivery, Facts(owner_id, is_trashed=True)))
        )

    async def put(
        self,
        principal: Principal,
        image_id: Id,
        *,
        check: Callable[[Image], None] | None = None,
        connection: HostConnection | None = None,
    ) -> None:
        """Move the image to the trash.

        Args:
            check: Called with the current, locked image; an error it raises cancels the change.
            connection: The application's own, inside its own transaction, to do this in: see `HostConnection`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see it, or it is in the trash already.
            Forbidden: If it is another owner's.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.transaction(within=connection) as ours:
            found = await self._find(ours, principal, image_id)
            owner_id = found.facts.owner_id
            if (await trash_records.lock(ours, owner_id, [image_id])).get(image_id, True):
                raise NotFound.of("image")
            await self._check(ours, principal, image_id, check)
            by = Warrant.of(principal, found.facts, Permission.DELETE)
            await put_away(ours, self._closed_urls, owner_id, [image_id], by=by, now=self._clock())

    async def restore(
        self, principal: Principal, image_id: Id, *, check: Callable[[Image], None] | None = None
    ) -> Image:
        """Restore the image, to its places in those of its galleries that still exist and may hold it. May be repeated.

        If another image has its place, it comes right after that.

        Args:
            check: As in `put`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If it was purged, or the principal may not see it.
            Forbidden: If it is another owner's.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.transaction() as connection:
            found = await self._find_own(connection, principal, image_id)
            by, owner_id = Warrant.of(principal, found.facts, Permission.DELETE), found.facts.owner_id
            is_trashed = (await trash_records.lock(connection, owner_id, [image_id])).get(image_id, False)
            await self._check(connection, principal, image_id, check)
            if is_trashed:
                await put_back(connection, self._policies, owner_id, [image_id], by=by, now=self._clock())
            found = await find(connection, principal, image_id, Permission.VIEW, now=self._clock())
            return show(found.image, principal, self._delivery, found.facts)

    async def purge(
        self,
        principal: Principal,
        image_id: Id,
        *,
        check: Callable[[Image], None] | None = None,
        connection: HostConnection | None = None,
    ) -> None:
        """Delete an image in the trash permanently.

        Args:
            check: As in `put`.
            connection: As in `put`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see it.
            Forbidden: If it is another owner's.
            Conflict: If it is not in the trash.
            StillReferenced: If records of the application refer to it.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.transaction(within=connection) as ours:
            _, is_trashed = await self._hold(ours, principal, image_id)
            if not is_trashed:
                raise Conflict("Only an image in the trash can be deleted for good.")
            await self._check(ours, principal, image_id, check)
            await self._purge(ours, [image_id], Warrant.of_owner(principal))
        PURGED.reached()

    async def delete(
        self,
        principal: Principal,
        image_id: Id,
        *,
        check: Callable[[Image], None] | None = None,
        connection: HostConnection | None = None,
    ) -> None:
        """Delete an image permanently, in the trash or not.

        Args:
            check: As in `put`.
            connection: As in `put`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal may not see it.
            Forbidden: If it is another owner's.
            StillReferenced: If records of the application refer to it; it stays where it is.
        """
        image_id = as_id(image_id, "image_id")
        principal.require_known()
        async with self._database.transaction(within=connection) as ours:
            owner_id, is_trashed = await self._hold(ours, principal, image_id)
            await self._check(ours, principal, image_id, check)
            if not is_trashed:
                await lookalike_records.hold(ours, owner_id)
                by = Warrant.of_owner(principal)
                await put_away(ours, self._closed_urls, owner_id, [image_id], by=by, now=self._clock())
            await self._purge(ours, [image_id], Warrant.of_owner(principal))
        PURGED.reached()

    async def delete_held(
        self,
        connection: Connection,
        owner_id: str,
        locked: Mapping[UUID, bool],
        image_ids: Sequence[UUID],
        *,
        by: Warrant,
    ) -> Sequence[UUID]:
        """Delete images of this owner permanently, which are ``locked`` with their contents, and tells whether each is
        in the trash. Returns those that records of the application refer to: they stay where they are."""
        here = [image_id for image_id in image_ids if not locked[image_id]]
        await lookalike_records.hold(connection, owner_id)
        try:
            async with connection.transaction():
                await put_away(connection, self._closed_urls, owner_id, here, by=by, now=self._clock())
                await self._purge(connection, image_ids, by)
        except StillReferenced:
            if len(image_ids) == 1:
                return image_ids
            middle = len(image_ids) // 2
            left = await self.delete_held(connection, owner_id, locked, image_ids[:middle], by=by)
            return [*left, *await self.delete_held(connection, owner_id, locked, image_ids[middle:], by=by)]
        return ()

    async def erase(self, connection: Connection, owner_id: str) -> int:
        """Delete some of the owner's images permanently, in the caller's transaction. Returns their number.

        For who is erased: nobody's permission is asked, and the owner's galleries are gone already.

        Raises:
            StillReferenced: If records of the application refer to one of them.
        """
        image_ids = await trash_records.some_of(connection, owner_id, BATCH)
        await original_records.hold_contents(connection, owner_id, image_ids)
        locked = await trash_records.lock_any(connection, owner_id, image_ids)
        await lookalike_records.hold(connection, owner_id)
        await self._purge(connection, locked, _BY_SYSTEM)
        return len(image_ids)

    async def sweep(self) -> int:
        """Purge images after their retention and return their number. Workers call it regularly.

        It works in batches, one transaction each; several sweepers share the work. It leaves images whose bytes are
        being uploaded again for the next time, and those that records of the application refer to for later ones.
        """
        before, count, after = self._clock() - self._options.retention, 0, _BEGINNING
        while batch := await self._sweep_batch(before, after):
            count += batch.purged
            after = batch.last
        return count

    async def _find(self, connection: Connection, principal: Principal, image_id: UUID) -> FoundImage:
        """The image, if the principal may delete it."""
        now = self._clock()
        return await find_allowed(connection, self._authority, principal, image_id, Permission.DELETE, now=now)

    async def _find_own(self, connection: Connection, principal: Principal, image_id: UUID) -> FoundImage:
        """The same for what only its owner may do: nobody else can end what they could not have restored."""
        found = await self._find(connection, principal, image_id)
        require_owner(principal, found, "image")
        return found

    async def _hold(self, connection: Connection, principal: Principal, image_id: UUID) -> tuple[str, bool]:
        """Lock the principal's image with its content, to delete it. Returns its owner, and whether it is in the
        trash."""
        found = await self._find_own(connection, principal, image_id)
        owner_id = found.facts.owner_id
        await original_records.hold_content(connection, owner_id, found.image.file_size)
        locked = await trash_records.lock(connection, owner_id, [image_id])
        if image_id not in locked:
            raise NotFound.of("image")
        return owner_id, locked[image_id]

    async def _check(
        self, connection: Connection, principal: Principal, image_id: UUID, check: Callable[[Image], None] | None
    ) -> None:
        """Call ``check`` with the locked image."""
        if check is not None:
            found = await find(connection, principal, image_id, Permission.DELETE, now=self._clock())
            check(show(found.image, principal, self._delivery, found.facts))

    async def _sweep_batch(self, before: datetime, after: tuple[datetime, UUID]) -> "_Swept | None":
        async with self._database.transaction() as connection:
            expired = await trash_records.lock_expired(connection, before, after, BATCH, now=self._clock())
            if not expired:
                return None
            image_ids = await original_records.try_hold(connection, [image_id for _, image_id in expired])
            return _Swept(await self._purge_what_may_go(connection, image_ids), expired[-1])

    async def _purge_what_may_go(self, connection: Connection, image_ids: Sequence[UUID]) -> int:
        """Purge all at once or, if something refers to one of them, one by one. Returns the number of purged images.

        One whose record a transaction of the application holds waits for the next sweep.
        """
        try:
            async with unless_held(connection):
                await self._purge(connection, image_ids, _BY_SYSTEM)
        except (StillReferenced, StillHeld) as error:
            if len(image_ids) > 1:
                return sum([await self._purge_what_may_go(connection, [image_id]) for image_id in image_ids])
            if isinstance(error, StillReferenced):
                await self._leave(connection, image_ids[0], error)
            return 0
        return len(image_ids)

    async def _leave(self, connection: Connection, image_id: UUID, error: StillReferenced) -> None:
        """Leave the image in the trash for a while. `reconcile` reports it."""
        by = f"{error.constraint} of {error.table}" if error.constraint else "a trigger"
        _log.warning("image %s stays in the trash: other records of the application refer to it by %s", image_id, by)
        await trash_records.refuse_purge(
            connection, image_id, by, now=self._clock(), shortest=SHORTEST_PAUSE, longest=LONGEST_PAUSE
        )

    async def _purge(self, connection: Connection, image_ids: Sequence[UUID], by: Warrant) -> None:
        """Delete the rows of these images, which are locked with their contents, add the jobs for their objects, and
        free the storage
        of originals that no image shares.
        """
        images = await trash_records.read(connection, image_ids)
        await trash_records.delete(connection, image_ids)
        by_owner = [(owner_id, list(owned)) for owner_id, owned in groupby(images, lambda image: image.owner_id)]
        for owner_id, owned in by_owner:
            await lookalike_records.forget(connection, owner_id, owned)
        freed = await original_records.freed_by(connection, images)
        for image in images:
            job = purge_objects(image, with_original=image.id in freed)
            await self._outbox.enqueue(connection, job, now=self._clock())
        for owner_id, owned in by_owner:
            size = sum(image.file_size for image in owned if image.id in freed)
            await records.give_back_storage(connection, owner_id, size)
        purged = [ImagePurged(image.owner_id, image.id, meta=image.meta) for image in images]
        await events.record(connection, *purged, now=self._clock())
        acts = [AuditEntry.under(by, Act.IMAGE_PURGED, image.owner_id, image_id=image.id) for image in images]
        await audit.record(connection, *acts, now=self._clock())


async def put_away(
    connection: Connection,
    closed_urls: ClosedUrls,
    owner_id: str,
    image_ids: Sequence[UUID],
    *,
    by: Warrant,
    now: datetime,
) -> None:
    """Move locked images of this owner to the trash, and notify waiters."""
    if not image_ids:
        return
    async with closed_urls.watched(connection, owner_id, image_ids):
        moved = await trash_records.put_away(connection, image_ids, now=now)
    await _tell(connection, ImageDeleted, owner_id, moved, by, now)
    await records.announce(connection, *image_ids)


async def put_back(
    connection: Connection,
    policies: Policies,
    owner_id: str,
    image_ids: Sequence[UUID],
    *,
    by: Warrant,
    now: datetime,
) -> None:
    """Restore locked images of this owner, but not into galleries that may hold no more."""
    moved = await trash_records.put_back(connection, image_ids, policies.room_of, now=now)
    await _tell(connection, ImageRestored, owner_id, moved, by, now)


async def _tell(
    connection: Connection,
    kind: type[ImageDeleted | ImageRestored],
    owner_id: str,
    moved: trash_records.Moved,
    by: Warrant,
    now: datetime,
) -> None:
    """Record what became of these images, and of the galleries that they were in, or are again."""
    await events.record(
        connection,
        *(kind(owner_id, each.id, gallery_ids=each.gallery_ids, meta=each.meta) for each in moved.images),
        *(gallery.changed("images") for gallery in moved.galleries),
        now=now,
    )
    act = Act.IMAGE_TRASHED if kind is ImageDeleted else Act.IMAGE_RESTORED
    acts = (AuditEntry.under(by, act, owner_id, image_id=each.id) for each in moved.images)
    await audit.record(connection, *acts, now=now)


def _moment(image: Image) -> datetime:
    """When an image went to the trash."""
    if image.deleted_at is None:
        raise ValueError("This image is not in the trash.")
    return image.deleted_at
