"""What whoever runs the service does with owners. Asks for no principal: it is no owner's to call."""

from collections.abc import AsyncGenerator

from imagegallery.database.pool import Database
from imagegallery.errors import Fault, InvalidInput
from imagegallery.owners import records
from imagegallery.owners.owner import Owner
from imagegallery.principal import Principal

BATCH = 1000
MAX_STORAGE_LIMIT = 2**63 - 1


class OwnerService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner_id: str) -> Owner:
        """Whoever is not known yet has nothing. Raises `InvalidInput` for what can be no id."""
        _check_id(owner_id)
        async with self._database.connection() as connection:
            return await records.get(connection, owner_id) or Owner(owner_id)

    async def all(self) -> AsyncGenerator[Owner, None]:
        """Everybody who has stored something, or has a limit, by id."""
        after = ""
        while True:
            async with self._database.connection() as connection:
                page = await records.list_after(connection, after, BATCH)
            for owner in page:
                yield owner
            if len(page) < BATCH:
                return
            after = page[-1].owner_id

    async def limit_storage(self, owner_id: str, limit: int | None) -> Owner:
        """Let the owner store ``limit`` bytes, and no more; ``None``: as many as the policy says. What is over stays.

        Raises `InvalidInput` for a negative limit, and for what can be no id.
        """
        _check_id(owner_id)
        if limit is not None and not 0 <= limit <= MAX_STORAGE_LIMIT:
            raise InvalidInput("The limit is no number of bytes.", [Fault(("limit",), "must be a number of bytes")])
        async with self._database.connection() as connection:
            return await records.set_limit(connection, owner_id, limit)


def _check_id(owner_id: str) -> None:
    try:
        Principal.user(owner_id)
    except ValueError as error:
        raise InvalidInput(str(error), [Fault(("owner_id",), str(error))]) from None
