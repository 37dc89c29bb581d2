"""A studio to test processing in: real database, store and decoder, and handles to make them fail at a moment."""

import hashlib
import io
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from attrs import define, evolve, field
from PIL import Image as Pillow
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image, without_variants

from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.images.image.image import Image
from imagegallery.images.jobs import process_image
from imagegallery.imaging.protocol import (
    FileWords,
    ImagingEngine,
    Inspection,
    Measurement,
    Removal,
    Rendered,
    Rendition,
)
from imagegallery.principal import Principal
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStream
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import bytes_chunks
from imagegallery.variants.preset import DEFAULT_PRESETS, Preset
from imagegallery.variants.processing import Processing
from imagegallery.variants.work import Recipes

LEASE = timedelta(seconds=30)
Hook = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """The hook that does nothing."""


@define
class WatchedEngine:
    """The real engine; ``rendered`` records the renditions asked for, ``decodes`` counts how often all of a picture was
    read, ``after_render`` runs before it answers."""

    engine: ImagingEngine
    decodes: int = 0
    rendered: list[tuple[Rendition, ...]] = field(factory=list)
    after_render: Hook = nothing

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        self.decodes += decode
        return await self.engine.inspect(path, content_type=content_type, decode=decode, owner_id=owner_id)

    async def render(
        self,
        path: Path,
        renditions: tuple[Rendition, ...],
        into: Path,
        *,
        content_type: str,
        measurements: Sequence[Measurement] = (),
        owner_id: str = "",
    ) -> Rendered:
        self.decodes += 1
        self.rendered.append(renditions)
        answer = await self.engine.render(
            path, renditions, into, content_type=content_type, measurements=measurements, owner_id=owner_id
        )
        await self.after_render()
        return answer

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None:
        await self.engine.remove_metadata(path, into, content_type=content_type, removal=removal, owner_id=owner_id)

    async def read_sidecar(self, path: Path, *, owner_id: str = "") -> FileWords:
        return await self.engine.read_sidecar(path, owner_id=owner_id)

    async def aclose(self) -> None:
        await self.engine.aclose()


class FailingStore(FilesystemStore):
    """Refuses every put after ``puts_left`` more of them."""

    puts_left: int | None = None

    async def put(
        self,
        key: str,
        data: AsyncIterable[bytes],
        *,
        content_type: str,
        max_size: int | None = None,
        if_absent: bool = False,
    ) -> ObjectInfo:
        if self.puts_left is not None:
            if self.puts_left == 0:
                raise Unavailable("The store went away.")
            self.puts_left -= 1
        return await super().put(key, data, content_type=content_type, max_size=max_size, if_absent=if_absent)


def picture(width: int, height: int, **options: object) -> bytes:
    """A JPEG with something to see in it."""
    buffer = io.BytesIO()
    Pillow.effect_mandelbrot((width, height), (-3, -2.5, 2, 2.5), 50).convert("RGB").save(buffer, "JPEG", **options)
    return buffer.getvalue()


@define
class Studio:
    """Processing, with what it works on and works with. Made by `open`."""

    library: Library
    engine: WatchedEngine
    store: FailingStore
    scratch: Scratch
    processing: Processing

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database: Database, clock: ManualClock, directory: Path, engine: ImagingEngine
    ) -> AsyncIterator["Studio"]:
        """Objects and temporary files below ``directory``. The engine is not closed: see
        `tests.support.shared_engine`."""
        objects = directory / "objects"
        async with Scratch.open(directory / "scratch") as scratch:
            store = FailingStore(objects, UrlSigner(b"only for tests, never for a service", clock), clock)
            library = Library.on(database, objects, clock)
            watched = WatchedEngine(engine)
            queue = library.queue
            recipes = Recipes(DEFAULT_PRESETS, ANALYSES)
            processing = Processing(database, store, queue, queue, watched, scratch, recipes, library.delivery, clock)
            try:
                yield cls(library, watched, store, scratch, processing)
            finally:
                await store.aclose()
                await library.store.aclose()

    @property
    def clock(self) -> ManualClock:
        return self.library.clock

    async def upload(
        self, body: bytes, width: int, height: int, mime_type: str = "image/jpeg", *, frames: int = 1
    ) -> Image:
        """A pending image of this content with its job, as a completed upload leaves it."""
        image = evolve(
            without_variants(make_image()),
            width=width,
            height=height,
            frames=frames,
            mime_type=mime_type,
            file_size=len(body),
            sha256=hashlib.sha256(body).digest(),
            blurhash=None,
            phash=None,
        )
        await self.library.store.put(image.original_key, bytes_chunks(body), content_type=mime_type)
        await self.library.add_image(image)
        await self.enqueue(process_image(image))
        return image

    async def enqueue(self, job: NewJob) -> None:
        async with self.library.database.transaction() as connection:
            await self.library.queue.enqueue(connection, job, now=self.clock())

    async def claim(self, kind: str) -> ClaimedJob:
        (job,) = await self.library.queue.claim([kind], limit=1, lease=LEASE)
        return job

    async def run(self, kind: str) -> None:
        """Claim the one job of this kind and do it, as a worker would."""
        job = await self.claim(kind)
        if await self.processing.handlers()[kind].run(job) is None:
            await self.library.queue.complete(job)

    async def hand_back(self, job: ClaimedJob) -> None:
        """A claimed job is to be tried again, at once."""
        await self.library.queue.retry(job, error="away", run_at=self.clock())

    async def image(self, image_id: UUID) -> Image:
        return await self.library.images.get(Principal.user("ana"), image_id)

    async def objects(self) -> set[str]:
        """The keys of all objects but originals."""
        return {info.key async for info in self.store.list() if "/original." not in info.key}

    async def waiting(self) -> list[str]:
        """The kinds of all jobs that wait."""
        async with self.library.database.connection() as connection:
            return [row["kind"] for row in await connection.fetch("SELECT kind FROM jobs ORDER BY kind")]

    def use(self, *presets: Preset) -> None:
        """From now on, these are the variants to make."""
        self.processing = evolve(self.processing, recipes=evolve(self.processing.recipes, presets=presets))


@define
class RemoteStore:
    """A store whose objects are not files here: the bare `ObjectStore`, whatever ``store`` can do besides."""

    store: FilesystemStore

    async def put(
        self,
        key: str,
        data: AsyncIterable[bytes],
        *,
        content_type: str,
        max_size: int | None = None,
        if_absent: bool = False,
    ) -> ObjectInfo:
        return await self.store.put(key, data, content_type=content_type, max_size=max_size, if_absent=if_absent)

    def get(self, key: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[ObjectStream]:
        return self.store.get(key, byte_range)

    async def head(self, key: str) -> ObjectInfo:
        return await self.store.head(key)

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        return await self.store.promote(source, target, etag=etag, content_type=content_type)

    async def delete(self, key: str) -> None:
        await self.store.delete(key)

    def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        return self.store.list(prefix)

    async def aclose(self) -> None:
        await self.store.aclose()
