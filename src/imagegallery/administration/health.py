"""How an open gallery is: what `doctor` asks of the parts that it has open."""

from collections.abc import AsyncGenerator, Collection

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.background import TaskHealth
from imagegallery.database.pool import Database
from imagegallery.errors import ImageGalleryError
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.space import Space
from imagegallery.upkeep.check import Check
from imagegallery.upkeep.examination import attempt, check_space, check_store, check_tasks, examine_database


@frozen
class HealthExamination:
    """Changes nothing, except for writing and deleting one object. A part that is broken hides no other."""

    database: Database
    store: ObjectStore
    space: Space
    tasks: TaskHealth
    indexed_meta: Collection[str]
    clock: Clock

    async def run(self) -> AsyncGenerator[Check, None]:
        """Yield all checks, in the order to act on them."""
        try:
            async for check in examine_database(self.database, self.clock, self.indexed_meta):
                yield check
        except ImageGalleryError as error:
            yield Check.error("database", error.full_message, "start the server, or see to `database.dsn`")
        yield await attempt("store", "see to the storage and what it is on", lambda: check_store(self.store))
        yield await check_space(self.space)
        yield check_tasks(self.tasks.failing)
