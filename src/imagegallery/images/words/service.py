"""An owner's tags: how many images have each, and other names for them."""

from collections.abc import Sequence
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.validation import Faults
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, NotFound
from imagegallery.ids import Id, as_id, as_ids
from imagegallery.images.words import records
from imagegallery.images.words.words import MAX_TAG, CountedTag, Tag, check_tag, key_of
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.principal import Principal


@frozen
class TagService:
    """The principal's own tags. `ImageService.update` and batches give them to images."""

    _database: Database
    _clock: Clock
    _authority: Authority = field(factory=Authority)

    async def list(
        self, principal: Principal, *, prefix: str = "", cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[CountedTag]:
        """List tags in the order of their letters, with how many images have each outside of the trash.

        Args:
            prefix: What their names begin with, in any case of letters.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For invalid arguments.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        check_limit(limit)
        faults = Faults()
        start = key_of(faults.prose(("query", "prefix"), prefix, MAX_TAG))
        faults.check()
        scope = f"tags:{owner_id}:{start}"
        (after,) = ("",) if cursor is None else decode_cursor(cursor, scope, str)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.reading(principal) as connection:
            found = await records.list_tags(connection, owner_id, start, after, limit + 1)
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.key,)))

    async def rename(self, principal: Principal, tag_id: Id, name: str) -> CountedTag:
        """Give a tag another name, on all images that have it.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has no such tag.
            InvalidInput: For a name that is none.
            Conflict: If another tag has it: see `merge`.
        """
        tag_id = as_id(tag_id, "tag_id")
        faults = Faults()
        tag = Tag.of(check_tag(faults, ("body", "name"), name))
        faults.check()
        owner_id = await self._own(principal)
        async with self._database.transaction() as connection:
            await records.hold_all(connection, owner_id)
            await _check_there(connection, owner_id, [tag_id])
            if await records.named(connection, owner_id, [tag]) not in ([], [tag_id]):
                raise Conflict("Another of your tags has this name: merge them.")
            await records.rename(connection, tag_id, tag)
            return await records.get(connection, tag_id)

    async def merge(self, principal: Principal, tag_id: Id, others: Sequence[Id]) -> CountedTag:
        """Give a tag to all images that have one of the ``others``, which are no more.

        Args:
            others: 1 to 1,000 tags, each once.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has not all of these tags.
            InvalidInput: For invalid arguments.
        """
        tag_id, other_ids = as_id(tag_id, "tag_id"), as_ids(others, "others")
        faults = Faults()
        faults.batch(("body", "tag_ids"), other_ids)
        if tag_id in other_ids:
            faults.add(("body", "tag_ids", str(other_ids.index(tag_id))), "is the tag that they become")
        faults.check()
        owner_id = await self._own(principal)
        async with self._database.transaction() as connection:
            await records.hold_all(connection, owner_id)
            await _check_there(connection, owner_id, [tag_id, *other_ids])
            await records.merge(connection, tag_id, other_ids)
            return await records.get(connection, tag_id)

    async def delete(self, principal: Principal, tag_id: Id) -> None:
        """Take a tag from all images that have it; they stay.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has no such tag.
        """
        tag_id = as_id(tag_id, "tag_id")
        owner_id = await self._own(principal)
        async with self._database.transaction() as connection:
            await records.hold_all(connection, owner_id)
            await _check_there(connection, owner_id, [tag_id])
            await records.delete(connection, [tag_id])

    async def _own(self, principal: Principal) -> str:
        """Whose tags they are, if the host lets the principal change them."""
        owner_id = principal.require_user()
        await self._authority.confirm(Permission.EDIT, principal, AccessSubject("library", owner_id))
        return owner_id


async def _check_there(connection: Connection, owner_id: str, tag_ids: Sequence[UUID]) -> None:
    if len(await records.owned(connection, owner_id, tag_ids)) < len(tag_ids):
        raise NotFound.of("tag")
