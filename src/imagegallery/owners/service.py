"""Owners, for operators of the service. Checks no principal: it is not for users."""

from collections.abc import AsyncGenerator

from imagegallery.audit import records as audit
from imagegallery.audit.entry import BY_OPERATOR, OPERATOR, Act, AuditEntry
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import Fault, InvalidInput
from imagegallery.owners import records
from imagegallery.owners.owner import Owner
from imagegallery.principal import Principal

BATCH = 1000
MAX_STORAGE_LIMIT = 2**63 - 1


class OwnerService:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, owner_id: str) -> Owner:
        """Return the owner. An unknown one has stored nothing.

        Raises:
            InvalidInput: For an impossible id.
        """
        _check_id(owner_id)
        async with self._database.connection() as connection:
            return await records.get(connection, owner_id) or Owner(owner_id)

    async def all(self) -> AsyncGenerator[Owner, None]:
        """Yield every owner who has stored something or has a limit, by id."""
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
        """Limit what the owner may store to ``limit`` bytes; ``None`` for the policy's limit. Deletes nothing.

        Raises:
            InvalidInput: For a negative limit or an impossible id.
        """
        _check_id(owner_id)
        if limit is not None and not 0 <= limit <= MAX_STORAGE_LIMIT:
            raise InvalidInput("The limit is no number of bytes.", [Fault(("limit",), "must be a number of bytes")])
        act = AuditEntry(
            Act.OWNER_LIMIT_CHANGED, OPERATOR, BY_OPERATOR, owner_id, subject=owner_id, details={"to": limit}
        )
        async with self._database.transaction() as connection:
            await audit.record(connection, act, now=self._clock())
            return await records.set_limit(connection, owner_id, limit)


def _check_id(owner_id: str) -> None:
    try:
        Principal.user(owner_id)
    except ValueError as error:
        raise InvalidInput(str(error), [Fault(("owner_id",), str(error))]) from None
