"""Public URLs that end, recorded as events in the transaction that ends them: caches keep copies until then."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.events import records as events
from imagegallery.images.events import UrlsClosed
from imagegallery.images.image import public_records
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.pagination import FIRST_ID

URLS_AT_ONCE: Final = 500


@frozen
class ClosedUrls:
    """Records `UrlsClosed`."""

    delivery: ImageUrls
    clock: Clock

    @asynccontextmanager
    async def watched(self, connection: Connection, owner_id: str, image_ids: Sequence[UUID]) -> AsyncIterator[None]:
        """Record the URLs of these images that are public before the block, and not after it."""
        before = await public_records.open_keys(connection, image_ids) if image_ids else set()
        yield
        if before:
            await public_records.hold_open_keys(connection, owner_id)
            await self.record(connection, owner_id, before - await public_records.open_keys(connection, image_ids))

    async def of_gallery(self, connection: Connection, owner_id: str, gallery_id: UUID) -> None:
        """Record the URLs that only this gallery makes public, before it is closed."""
        await public_records.hold_open_keys(connection, owner_id)
        last: UUID | None = FIRST_ID
        while last is not None:
            keys, last = await public_records.open_by(connection, gallery_id, last)
            await self.record(connection, owner_id, keys)

    async def record(self, connection: Connection, owner_id: str, keys: Collection[str]) -> None:
        """Record that these keys are not public any more."""
        urls = [self.delivery.public_url(key) for key in sorted(keys)]
        pages = [urls[start : start + URLS_AT_ONCE] for start in range(0, len(urls), URLS_AT_ONCE)]
        await events.record(connection, *(UrlsClosed(owner_id, page) for page in pages), now=self.clock())
