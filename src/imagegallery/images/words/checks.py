"""What `reconcile` checks in tags: the recorded numbers of images."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.images.words import records
from imagegallery.pagination import FIRST_ID
from imagegallery.reconciliation.finding import Kind
from imagegallery.reconciliation.sums import Sum, Sums

WRONG_TAG_COUNT: Final = Kind("wrong_tag_count", "count again")


@frozen
class TagCounts(Sums):
    """How many images outside of the trash have each tag."""

    name = "tags"
    kind = WRONG_TAG_COUNT
    detail = "its slots add up to {:,}, images with it are {:,}"

    async def page(self, connection: Connection, after: str | None, limit: int) -> Sequence[Sum]:
        return await records.counts(connection, UUID(after) if after else FIRST_ID, limit)

    async def recount(self, connection: Connection, subject: str) -> None:
        await records.recount(connection, UUID(subject))
