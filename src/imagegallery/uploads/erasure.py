"""What is left of an owner's uploads when the owner is erased."""

from typing import Final

import attrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.storage.protocol import ObjectStore
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import delete_objects
from imagegallery.uploads.session.session import UploadEvent, advance

BATCH: Final = 50


@frozen
class UploadErasure:
    store: ObjectStore
    clock: Clock

    async def __call__(self, connection: Connection, owner_id: str) -> int:
        """End some of the owner's uploads, delete what has arrived, and forget them. Returns their number.

        A completion that has begun comes to its end before.
        """
        sessions = await records.lock_owned(connection, owner_id, BATCH)
        for session in sessions:
            if not session.state.is_ended:
                state = advance(session.state, UploadEvent.CANCEL)
                await records.update(connection, session.id, state, now=self.clock())
                session = attrs.evolve(session, state=state)
            await delete_objects(self.store, session)
        await records.delete(connection, [session.id for session in sessions])
        return len(sessions)
