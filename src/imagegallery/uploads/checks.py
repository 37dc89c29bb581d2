"""What `reconcile` checks in uploads: bytes without an open session."""

from collections.abc import Collection, Sequence
from typing import Final

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.reconciliation.finding import Kind
from imagegallery.reconciliation.strays import Strays
from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.uploads.session import records

STRAY_UPLOAD: Final = Kind("stray_upload", "delete the object")


@frozen
class StrayUploads(Strays):
    """Under ``incoming/``."""

    name = "arrived files"
    kind = STRAY_UPLOAD
    prefixes = (INCOMING_PREFIX,)

    async def without_row(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        return await records.without_open_session(connection, keys)
