"""The store in memory keeps every promise of the public suite."""

from imagegallery.testing.memory_store import MemoryStore
from imagegallery.testing.storage import ObjectStoreSuite


class TestMemoryStore(ObjectStoreSuite):
    async def make_store(self) -> MemoryStore:
        return MemoryStore()
