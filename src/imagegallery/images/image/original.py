"""Fetch an image's original to examine it."""

from pathlib import Path

from imagegallery.errors import ChecksumMismatch
from imagegallery.images.image.image import Image
from imagegallery.storage.protocol import LocalObjects, ObjectStore
from imagegallery.storage.streams import HashingStream, copy_to_file


async def fetch(image: Image, store: ObjectStore, directory: Path) -> tuple[Path, bytes]:
    """Return the original, in place or copied to ``directory``, and its SHA-256, compared with the recorded one if any.

    Raises `ObjectNotFound` and `ChecksumMismatch`.
    """
    async with store.get(image.original_key) as stream:
        content = HashingStream(stream.chunks)
        if isinstance(store, LocalObjects):
            path = store.local_path(image.original_key)
            async for _ in content:
                pass
        else:
            path = directory / "original"
            await copy_to_file(content, path)
    sha256 = content.sha256()
    if image.sha256 not in (None, sha256):
        raise ChecksumMismatch("The stored original is not the file that was uploaded.")
    return path, sha256
