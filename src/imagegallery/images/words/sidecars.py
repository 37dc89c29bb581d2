"""Sidecars: files of XMP beside a picture, in which other programs keep what their users say of it."""

from typing import Final

from anyio import Path
from attrs import frozen

from imagegallery.errors import Fault, InvalidInput, TooLarge
from imagegallery.images.words.file_words import Words, fit_words
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.storage.protocol import TemporaryFiles

MAX_SIDECAR: Final = 1024**2
"""Bytes of one."""


@frozen
class Sidecars:
    """Reads them, where pictures are read: behind the walls of the decoder."""

    _engine: ImagingEngine
    _scratch: TemporaryFiles

    async def read(self, data: bytes, owner_id: str) -> Words:
        """What it says in words.

        Raises:
            TooLarge: For more than a mebibyte.
            InvalidInput: If it says nothing.
            Overloaded: If the decoder has too much to do.
        """
        if len(data) > MAX_SIDECAR:
            raise TooLarge(f"A sidecar has at most {MAX_SIDECAR:,} bytes.")
        async with self._scratch.directory() as directory:
            file = directory / "sidecar.xmp"
            await Path(file).write_bytes(data)
            words = fit_words(await self._engine.read_sidecar(file, owner_id=owner_id))
        if words == Words():
            message = "has no tags, title, description, rating and people in XMP"
            raise InvalidInput(f"The sidecar {message}.", [Fault(("body",), message)])
        return words
