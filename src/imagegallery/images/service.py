"""What can be done with images. Access is checked here, by principal.

An image is open to its owner, and to everybody while it is in a gallery that is not private. To others the
image does not exist: reading and writing it raise `NotFound`. Writing an image that is open to the principal
but not theirs raises `Forbidden`, and any write without a user `Unauthenticated`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import anyio
from attrs import evolve, frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, Forbidden, NotFound
from imagegallery.images import membership, records
from imagegallery.images.choosing import choose_variant
from imagegallery.images.delivery import Delivery
from imagegallery.images.image import MAX_ALT_TEXT, MAX_FILENAME, Image, ProcessingStatus, Variant
from imagegallery.images.jobs import process_image, purge_objects
from imagegallery.images.records import FoundImage
from imagegallery.images.showing import show
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage, check_limit, cut_page, decode_cursor, encode_cursor
from imagegallery.principal import Principal
from imagegallery.queue.outbox import JobOutbox
from imagegallery.storage.keys import content_type_of
from imagegallery.unset import UNSET, Unset
from imagegallery.validation import Faults

DEFAULT_LADDER: Final = ("thumbnail", "small", "medium", "large")
READY_TIMEOUT: Final = timedelta(seconds=60)
_DONE: Final = (ProcessingStatus.COMPLETE, ProcessingStatus.FAILED)
_SHA256_BYTES: Final = 32
T = TypeVar("T")


@frozen
class OpenObject:
    """An object that anybody may fetch now."""

    key: str
    content_type: str


class ImageService:
    """``ladder`` names the variant types there are, from the smallest to the largest."""

    def __init__(
        self,
        database: Database,
        outbox: JobOutbox,
        delivery: Delivery,
        clock: Clock,
        *,
        ladder: Sequence[str] = DEFAULT_LADDER,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._delivery = delivery
        self._clock = clock
        self._ladder = tuple(ladder)

    async def get(self, principal: Principal, image_id: UUID) -> Image:
        """Raises `NotFound`."""
        async with self._database.connection() as connection:
            return self._shown(principal, await _readable(connection, principal, image_id))

    async def list_owned(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[Image]:
        """The principal's library, newest first, ``limit`` (1 to 100) at a time.

        Raises `Unauthenticated`, `InvalidInput` and `InvalidCursor`.
        """
        owner_id = principal.require_user()
        scope = f"images:{owner_id}"
        check_limit(limit)
        after = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        async with self._database.connection() as connection:
            found = await records.list_owned(connection, owner_id, after, limit + 1)
        page = cut_page(found, limit, lambda last: encode_cursor(scope, (last.image.created_at, last.image.id)))
        return page.map(lambda each: self._shown(principal, each))

    async def update(
        self,
        principal: Principal,
        image_id: UUID,
        *,
        alt_text: str | Unset = UNSET,
        filename: str | Unset = UNSET,
        is_favorite: bool | Unset = UNSET,
        is_archived: bool | Unset = UNSET,
    ) -> Image:
        """Change what is given. ``alt_text``: at most 500 characters; ``filename``: 1 to 255, no slashes.

        Raises `Unauthenticated`, `NotFound`, `Forbidden` and `InvalidInput`.
        """
        principal.require_user()
        alt_text, filename = _check_texts(alt_text, filename)
        async with self._database.transaction() as connection:
            await _writable(connection, principal, image_id)
            await records.update(
                connection,
                image_id,
                alt_text=_given(alt_text),
                filename=_given(filename),
                is_favorite=_given(is_favorite),
                is_archived=_given(is_archived),
                now=self._clock(),
            )
            return self._shown(principal, await _readable(connection, principal, image_id))

    async def delete(self, principal: Principal, image_id: UUID) -> None:
        """Delete the image everywhere: its rows now, in one transaction, its objects by the job written with them.

        Raises `Unauthenticated`, `NotFound` and `Forbidden`.
        """
        principal.require_user()
        now = self._clock()
        async with self._database.transaction() as connection:
            await _writable(connection, principal, image_id)
            await membership.remove_everywhere(connection, image_id, now=now)
            # Read again: until the row was locked, a worker could still record variants.
            image = (await _writable(connection, principal, image_id)).image
            await records.delete(connection, image_id)
            await records.give_back_storage(connection, image.owner_id, image.file_size)
            await records.announce(connection, image_id)
            await self._outbox.enqueue(connection, purge_objects(image), now=now)

    async def retry(self, principal: Principal, image_id: UUID) -> Image:
        """Process a failed image once more. Raises `Unauthenticated`, `NotFound`, `Forbidden`, and `Conflict`
        when it has not failed."""
        principal.require_user()
        now = self._clock()
        async with self._database.transaction() as connection:
            await _writable(connection, principal, image_id)
            if not await records.revive(connection, image_id, now=now):
                raise Conflict("Only an image whose processing failed can be tried again.")
            await self._outbox.enqueue(connection, process_image(image_id), now=now)
            return self._shown(principal, await _readable(connection, principal, image_id))

    async def wait_until_ready(
        self, principal: Principal, image_id: UUID, *, timeout: timedelta = READY_TIMEOUT
    ) -> Image:
        """The image once its processing has ended: ``complete``, or ``failed`` with its reason.

        Raises `NotFound`, also when it is deleted meanwhile, and the built-in `TimeoutError`.
        """
        image = await self.get(principal, image_id)
        if image.status in _DONE:
            return image
        with anyio.fail_after(timeout.total_seconds()):
            async with self._database.listen(records.CHANNEL) as notifications:
                while (image := await self.get(principal, image_id)).status not in _DONE:
                    await notifications.wait(timeout)
        return image

    async def find_by_content(self, principal: Principal, sha256: bytes, gallery_id: UUID | None = None) -> UUID | None:
        """The principal's oldest image of exactly these bytes, in that gallery if one is given.

        Raises `Unauthenticated`, and `ValueError` unless ``sha256`` has 32 bytes.
        """
        owner_id = principal.require_user()
        if len(sha256) != _SHA256_BYTES:
            raise ValueError("A SHA-256 digest has 32 bytes.")
        async with self._database.connection() as connection:
            return await records.find_by_content(connection, owner_id, sha256, gallery_id)

    async def open_public(self, key: str) -> OpenObject:
        """What is served under a public URL, if it may be seen by everybody at this moment. Raises `NotFound`."""
        could_be_ours = key.isascii() and key.isprintable()
        async with self._database.connection() as connection:
            if not could_be_ours or not await records.is_open_variant(connection, key):
                raise NotFound("There is no such file.")
        return OpenObject(key, content_type_of(key))

    async def view(
        self,
        principal: Principal,
        image_id: UUID,
        *,
        variant: str | None = None,
        accepts: Collection[str] = (),
    ) -> Variant:
        """The variant, with its URL, that best answers a request for one: see `choose_variant`.

        ``accepts`` holds the formats the client can show (``avif``, ``webp``, …); empty: unknown. Raises
        `InvalidInput` for a type of variant there is none of, `NotFound` also while no variant is ready.
        """
        self._check_variant_type(variant)
        async with self._database.connection() as connection:
            found = await _readable(connection, principal, image_id)
        chosen = choose_variant(found.image.variants, variant, accepts, self._ladder)
        if chosen is None:
            raise NotFound("This image has no variant yet.")
        return evolve(chosen, url=self._delivery.variant_url(chosen, public=found.is_open))

    async def download_url(self, principal: Principal, image_id: UUID) -> str:
        """A short-lived URL of the original, for its owner. Raises `Unauthenticated`, `NotFound`, `Forbidden`."""
        principal.require_user()
        async with self._database.connection() as connection:
            image = (await _writable(connection, principal, image_id)).image
        return self._delivery.original_url(image, download_as=image.filename)

    def _shown(self, principal: Principal, found: FoundImage) -> Image:
        return show(found.image, principal, self._delivery, public=found.is_open)

    def _check_variant_type(self, variant: str | None) -> None:
        faults = Faults()
        if variant is not None and variant not in self._ladder:
            faults.add(("query", "variant"), f"must be one of {', '.join(self._ladder)}")
        faults.check()


async def _readable(connection: Connection, principal: Principal, image_id: UUID) -> FoundImage:
    """Raises `NotFound` for what the principal may not see, as if it were not there."""
    found = await records.get(connection, image_id)
    if found is None or not (found.is_open or principal.owns(found.image.owner_id)):
        raise NotFound("There is no such image.")
    return found


async def _writable(connection: Connection, principal: Principal, image_id: UUID) -> FoundImage:
    """Raises `NotFound` or, for somebody else's image that the principal can see, `Forbidden`."""
    found = await _readable(connection, principal, image_id)
    if not principal.owns(found.image.owner_id):
        raise Forbidden("Only its owner can do this to an image.")
    return found


def _check_texts(alt_text: str | Unset, filename: str | Unset) -> tuple[str | Unset, str | Unset]:
    faults = Faults()
    if not isinstance(alt_text, Unset):
        alt_text = faults.prose(("body", "alt_text"), alt_text, MAX_ALT_TEXT)
    if not isinstance(filename, Unset):
        filename = faults.line(("body", "filename"), filename, MAX_FILENAME)
        if "/" in filename or "\\" in filename:
            faults.add(("body", "filename"), "must not contain slashes")
    faults.check()
    return alt_text, filename


def _given(value: T | Unset) -> T | None:
    return None if isinstance(value, Unset) else value
