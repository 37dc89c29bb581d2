"""Many objects deleted, in as few requests as the store needs for it."""

from collections.abc import Sequence

from imagegallery.storage.protocol import DeletesMany, ObjectStore


async def delete_all(store: ObjectStore, keys: Sequence[str]) -> None:
    """Like `ObjectStore.delete` of each. Raises `Unavailable` when some could not be deleted."""
    if isinstance(store, DeletesMany):
        await store.delete_many(keys)
        return
    for key in keys:
        await store.delete(key)
