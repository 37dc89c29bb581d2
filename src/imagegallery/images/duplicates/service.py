"""Duplicates: files that an owner has already, and images of theirs that look alike.

Images are only compared within one owner's library.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import require_owner
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.validation import Faults
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.ids import Id, as_id
from imagegallery.images.duplicates import records as duplicate_records
from imagegallery.images.duplicates.duplicate import AlikeId, KnownFile, Lookalike, Lookalikes
from imagegallery.images.image import membership
from imagegallery.images.image.access import find_allowed
from imagegallery.images.image.image import Image
from imagegallery.images.image.records import FoundImage
from imagegallery.images.presentation.urls import ImageUrls, show
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    LAST_ID,
    CursorPage,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.principal import Principal

MAX_DIGESTS: Final = 1000
_Pairs = tuple[UUID, list[AlikeId]]


@frozen
class DuplicateService:
    """Finds duplicates. Owners decide what to do with them."""

    _database: Database
    _delivery: ImageUrls
    _clock: Clock
    _authority: Authority = field(factory=Authority)

    async def check(self, principal: Principal, digests: Sequence[bytes]) -> tuple[KnownFile, ...]:
        """Return the principal's images with any of 1 to 1,000 SHA-256 digests.

        Of several with the same, it is the oldest, preferably one outside the trash.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For invalid digests.
        """
        owner_id = principal.require_user()
        _check_digests(digests)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.connection() as connection:
            return tuple(await duplicate_records.known(connection, owner_id, digests))

    async def list(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[Lookalikes]:
        """List images that look like earlier ones, latest first, without dismissed pairs and images in the trash.

        A page examines at most 200 images, so it may hold fewer than ``limit``, even none, and not be the last.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        scope = f"duplicates:{owner_id}"
        check_limit(limit)
        after = LAST_ID if cursor is None else decode_cursor(cursor, scope, UUID)[0]
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.reading() as connection:
            found = await duplicate_records.list_pairs(connection, owner_id, after, limit + 1)
            page = cut_page(found, limit, lambda last: encode_cursor(scope, (last[0],)))
            if not page.has_more:
                end = await duplicate_records.end_of_walk(connection, owner_id, after)
                page = CursorPage(page.items, None if end is None else encode_cursor(scope, (end,)))
            images = await duplicate_records.images(connection, owner_id, _ids(page.items))
        page = CursorPage(tuple(filter(None, (_present(each, images) for each in page.items))), page.next_cursor)
        return await self._delivery.of_many(lambda: page.map(lambda each: self._shown(principal, each, images)))

    async def dismiss(self, principal: Principal, image_id: Id, other_id: Id) -> None:
        """Keep both images: this pair is never listed again. May be repeated.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an image and itself.
            NotFound: If the principal may not see one of the images.
            Forbidden: If one of them is another owner's.
        """
        image_id = as_id(image_id, "image_id")
        other_id = as_id(other_id, "other_id")
        principal.require_user()
        _check_pair(image_id, other_id)
        async with self._database.transaction() as connection:
            await membership.hold_images(connection, [image_id, other_id])
            one, other = [await self._own(connection, principal, each) for each in (image_id, other_id)]
            await duplicate_records.dismiss(connection, one, other, now=self._clock())

    async def _own(self, connection: Connection, principal: Principal, image_id: UUID) -> Image:
        now = self._clock()
        found = await find_allowed(connection, self._authority, principal, image_id, Permission.EDIT, now=now)
        require_owner(principal, found, "image")
        return found.image

    def _shown(self, principal: Principal, pairs: _Pairs, images: Mapping[UUID, FoundImage]) -> Lookalikes:
        def shown(image_id: UUID) -> Image:
            found = images[image_id]
            return show(found.image, principal, self._delivery, found.facts)

        image_id, others = pairs
        alike = (Lookalike(shown(each.image_id), each.distance, each.is_exact) for each in others)
        return Lookalikes(shown(image_id), tuple(alike))


def _present(pairs: _Pairs, images: Mapping[UUID, FoundImage]) -> _Pairs | None:
    """The pairs without those whose images have disappeared."""
    image_id, others = pairs
    left = [other for other in others if other.image_id in images]
    return (image_id, left) if left and image_id in images else None


def _ids(items: Sequence[_Pairs]) -> list[UUID]:
    return list({each for image_id, others in items for each in (image_id, *(other.image_id for other in others))})


def _check_pair(image_id: UUID, other_id: UUID) -> None:
    faults = Faults()
    if image_id == other_id:
        faults.add(("body", "image_ids"), "must be two images")
    faults.check()


def _check_digests(digests: Sequence[bytes]) -> None:
    faults = Faults()
    if not 1 <= len(digests) <= MAX_DIGESTS:
        faults.add(("body", "sha256"), f"must hold 1 to {MAX_DIGESTS:,} digests")
    for index, digest in enumerate(digests):
        faults.digest(("body", "sha256", str(index)), digest)
    faults.check()
