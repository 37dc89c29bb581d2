"""What `reconcile` checks in galleries: the recorded numbers of images."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.galleries import records
from imagegallery.images.image import membership
from imagegallery.pagination import FIRST_ID
from imagegallery.reconciliation.finding import Kind
from imagegallery.reconciliation.sums import Sum, Sums

WRONG_IMAGE_COUNT: Final = Kind("wrong_image_count", "count again")


@frozen
class ImageCounts(Sums):
    """Galleries' ``image_count``."""

    name = "galleries"
    kind = WRONG_IMAGE_COUNT
    detail = "image_count is {:,}, images in it are {:,}"

    async def total(self) -> int | None:
        async with self.database.connection() as connection:
            return await records.count_all(connection)

    async def page(self, connection: Connection, after: str | None, limit: int) -> Sequence[Sum]:
        return await records.counts(connection, UUID(after) if after else FIRST_ID, limit)

    async def recount(self, connection: Connection, subject: str) -> None:
        await membership.recount(connection, UUID(subject))
