"""What an owner has is closed to others at once when they ask to be erased, and opened again if they stay."""

from collections.abc import Callable, Sequence

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.events import records as events
from imagegallery.feature import Closes
from imagegallery.images.events import GalleryChanged
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.privacy import closing_records as records


@frozen
class Closing:
    """Images and galleries become private, also those that are on their way; then each of ``others`` ends what it
    lets others see."""

    closed_urls: ClosedUrls
    others: Callable[[], Sequence[Closes]]
    clock: Clock

    async def close(self, connection: Connection, owner_id: str) -> None:
        """In a transaction: from its end on nobody else is shown anything. Events for caches have its public URLs."""
        now = self.clock()
        while image_ids := await records.open_images(connection, owner_id):
            async with self.closed_urls.watched(connection, owner_id, image_ids):
                await records.close_images(connection, image_ids, now=now)
        for gallery in await records.open_galleries(connection, owner_id):
            await self.closed_urls.of_gallery(connection, owner_id, gallery.id)
            await records.close_gallery(connection, gallery.id, now=now)
            changed = GalleryChanged(owner_id, gallery.id, "updated", gallery.meta)
            await events.record(connection, changed, now=now)
        await records.close_uploads(connection, owner_id)
        for close in self.others():
            await close(connection, owner_id)

    async def reopen(self, connection: Connection, owner_id: str) -> None:
        """Give images and galleries the visibility that they had. What else was ended stays so."""
        now = self.clock()
        opened = await records.reopen(connection, owner_id, now=now)
        changed = [GalleryChanged(owner_id, each.id, "updated", each.meta) for each in opened]
        await events.record(connection, *changed, now=now)
