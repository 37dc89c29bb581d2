"""What `reconcile` checks in owners: the bytes that they are recorded to store."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.images.image import records as image_records
from imagegallery.owners import records
from imagegallery.reconciliation.finding import Kind
from imagegallery.reconciliation.sums import Sum, Sums

WRONG_STORAGE_USED: Final = Kind("wrong_storage_used", "add up again")


@frozen
class StorageSums(Sums):
    """Owners' ``storage_used``."""

    name = "owners"
    kind = WRONG_STORAGE_USED
    detail = "storage_used is {:,} bytes, originals have {:,}"

    async def page(self, connection: Connection, after: str | None, limit: int) -> Sequence[Sum]:
        return await records.sums(connection, after or "", limit)

    async def recount(self, connection: Connection, subject: str) -> None:
        await image_records.recount_storage(connection, subject)
