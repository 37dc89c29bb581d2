"""Objects that no row names: walks the store, and asks the database about a few hundred keys at a time.

Bytes come before rows, so an object without a row may be one whose row is just being written. Only what is older than
a grace period counts; before it is deleted, its image is held and found to have no job, and the object is looked at
again. Keys outside of our prefixes are somebody else's.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import timedelta

from attrs import evolve, frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, ObjectNotFound
from imagegallery.storage.keys import IMAGES_PREFIXES, INCOMING_PREFIX, image_id_hint
from imagegallery.storage.protocol import ObjectInfo, ObjectStore
from imagegallery.storage.streams import batches
from imagegallery.upkeep import records
from imagegallery.upkeep.finding import Finding, Kind, RepairOutcome
from imagegallery.upkeep.phase import PhaseStep
from imagegallery.uploads.session import records as upload_records

BATCH = 500
REPAIRED_AT_ONCE = 50


async def check_same_gallery(database: Database, store: ObjectStore) -> None:
    """Raises `ConfigurationError` when the database knows no image and the store holds objects of images: a wrong or
    an empty database would make strays of them all."""
    async with database.connection() as connection:
        if await records.has_images(connection):
            return
    for prefix in IMAGES_PREFIXES:
        objects = aiter(store.list(prefix))
        try:
            found = await anext(objects, None)
        finally:
            if isinstance(objects, AsyncGenerator):
                await objects.aclose()
        if found is not None:
            raise ConfigurationError(
                f"The database has no images, but the store has objects ({found.key}): is this the right database? "
                "If it is, and all of them are to be deleted, repeat with --store-is-ours."
            )


@frozen
class _Strays:
    """The walk; what is a stray, and when one may be deleted, is each kind's own."""

    database: Database
    store: ObjectStore
    clock: Clock
    grace: timedelta

    kind: Kind
    prefixes: tuple[str, ...]

    async def total(self) -> int | None:
        """A store does not know how many objects it holds."""
        return None

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`."""
        for prefix in self.prefixes:
            async for batch in batches(self.store.list(prefix), BATCH):
                findings = [self._finding(found) for found in await self._strays(batch)]
                if repair:
                    findings = [
                        repaired
                        for first in range(0, len(findings), REPAIRED_AT_ONCE)
                        for repaired in await self._repair(findings[first : first + REPAIRED_AT_ONCE])
                    ]
                yield PhaseStep(len(batch), tuple(findings))

    async def _strays(self, batch: Sequence[ObjectInfo]) -> list[ObjectInfo]:
        old = {found.key: found for found in batch if self._is_old(found)}
        if not old:
            return []
        async with self.database.connection() as connection:
            keys = await self._without_row(connection, list(old))
        return [old[key] for key in keys]

    async def _repair(self, findings: Sequence[Finding]) -> list[Finding]:
        """In one transaction, which holds their images while they are deleted."""
        deleted = set()
        async with self.database.transaction() as connection:
            for key in await self._deletable(connection, [finding.subject for finding in findings]):
                if await self._is_still_old(key):
                    await self.store.delete(key)
                    deleted.add(key)
        return [
            evolve(finding, outcome=RepairOutcome.REPAIRED if finding.subject in deleted else RepairOutcome.PASSED)
            for finding in findings
        ]

    async def _deletable(self, connection: Connection, keys: Sequence[str]) -> list[str]:
        return await self._without_row(connection, keys)

    async def _is_still_old(self, key: str) -> bool:
        try:
            return self._is_old(await self.store.head(key))
        except ObjectNotFound:
            return False

    def _is_old(self, found: ObjectInfo) -> bool:
        return found.modified_at < self.clock() - self.grace

    def _finding(self, found: ObjectInfo) -> Finding:
        detail = f"{found.size:,} bytes of {found.modified_at:%Y-%m-%d %H:%M} that no row names"
        return Finding(self.kind, found.key, detail)

    async def _without_row(self, connection: Connection, keys: Sequence[str]) -> list[str]:
        raise NotImplementedError


@frozen
class StrayUploads(_Strays):
    """Under ``incoming/``: the bytes of no open session."""

    name = "arrived files"
    kind: Kind = Kind.STRAY_UPLOAD
    prefixes: tuple[str, ...] = (INCOMING_PREFIX,)

    async def _without_row(self, connection: Connection, keys: Sequence[str]) -> list[str]:
        return await upload_records.without_open_session(connection, keys)


@frozen
class StrayObjects(_Strays):
    """Where images lie: no image's original and no variant."""

    name = "stored objects"
    kind: Kind = Kind.STRAY_OBJECT
    prefixes: tuple[str, ...] = IMAGES_PREFIXES

    async def _without_row(self, connection: Connection, keys: Sequence[str]) -> list[str]:
        return await records.without_row(connection, keys)

    async def _deletable(self, connection: Connection, keys: Sequence[str]) -> list[str]:
        """Not while a worker is, or will be, at their image: it stores under the same keys again."""
        images = {key: image_id for key in keys if (image_id := image_id_hint(key)) is not None}
        await records.hold_images_of(connection, images)
        busy = await records.with_job(connection, set(images.values()))
        return await self._without_row(connection, [key for key in keys if images.get(key) not in busy])
