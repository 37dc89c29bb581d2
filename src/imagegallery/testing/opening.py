"""A gallery as tests of applications open it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from imagegallery.gallery import Definition, ImageGallery
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.settings import Settings
from imagegallery.storage.protocol import ObjectStore


@asynccontextmanager
async def opened(
    definition: Definition,
    settings: Settings,
    store: ObjectStore,
    engine: ImagingEngine,
    *,
    eager: bool,
) -> AsyncIterator[ImageGallery]:
    """Open it with what tests share. ``eager``: see `ImageGallery.eager`."""
    async with (
        definition.open(settings, store=store, engine=engine) as gallery,
        gallery.eager() if eager else nullcontext(),
    ):
        yield gallery
