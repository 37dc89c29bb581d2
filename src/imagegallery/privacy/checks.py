"""What `reconcile` checks in exports: objects that no open export has."""

from collections.abc import Collection, Sequence
from typing import Final

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.privacy import export_records as records
from imagegallery.reconciliation.finding import Kind
from imagegallery.reconciliation.strays import Strays
from imagegallery.storage.keys import EXPORTS_PREFIX, id_hint

STRAY_EXPORT: Final = Kind("stray_export", "delete the object")


@frozen
class StrayExports(Strays):
    name = "exports"
    kind = STRAY_EXPORT
    prefixes = (EXPORTS_PREFIX,)

    async def without_row(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        hints = {key: id_hint(key) for key in keys}
        there = await records.open_among(connection, {each for each in hints.values() if each is not None})
        return [key for key, hint in hints.items() if hint not in there]
