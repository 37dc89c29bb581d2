"""Variants outside of the processing job: which exist, and making them in a folder."""

from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from imagegallery.errors import UnsupportedType
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.signature import HEAD_SIZE, sniff
from imagegallery.variants.preset import Preset
from imagegallery.variants.render import RenderedImage, render_file


class VariantService:
    """``presets`` are the recipes that every image is rendered by."""

    def __init__(self, engine: ImagingEngine, presets: Sequence[Preset]) -> None:
        self.presets = tuple(presets)
        self._engine = engine

    async def render(self, path: Path, into: Path, *, stem: str | None = None) -> RenderedImage:
        """Make every variant of the file ``path`` in the folder ``into``, without database and store.

        Raises:
            UnsupportedType: If its first bytes are no image's.
        """
        content_type = sniff(await to_thread.run_sync(_head, path))
        if content_type is None:
            raise UnsupportedType("This is not an image of a type we know.")
        return await render_file(self._engine, path, into, self.presets, content_type=content_type, stem=stem)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_SIZE)
