"""Delete many objects in as few requests as the store allows."""

from collections.abc import Sequence

from imagegallery.storage.protocol import DeletesMany, ObjectStore


async def delete_all(store: ObjectStore, keys: Sequence[str]) -> None:
    """Delete each key as `ObjectStore.delete` does. Raises `Unavailable` if the store could not delete some."""
    if isinstance(store, DeletesMany):
        await store.delete_many(keys)
        return
    for key in keys:
        await store.delete(key)
