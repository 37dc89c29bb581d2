"""An upload service to test on: real parts, a client's means, and the proof that a refused upload left nothing."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import UUID

import anyio
import attrs
from attrs import frozen
from tests.support.clock import ManualClock
from tests.support.library import Library

from imagegallery.access.audience import VisibilityLike
from imagegallery.database.pool import Database
from imagegallery.galleries.gallery import Gallery
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.principal import Principal
from imagegallery.queue.protocol import JobOutbox
from imagegallery.rates.limiter import UNLIMITED, RateLimiter
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStore, ObjectStream, UploadRequest
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.service import UploadService
from imagegallery.uploads.session.part_plan import SignedPart
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession

COUNT_EVERYTHING = """
SELECT (SELECT count(*) FROM images) AS images,
       (SELECT count(*) FROM gallery_images) AS memberships,
       (SELECT coalesce(sum(image_count), 0)::bigint FROM galleries) AS counted,
       (SELECT count(*) FROM jobs) AS jobs,
       (SELECT coalesce(sum(storage_used), 0)::bigint FROM owners) AS storage_used"""


@frozen
class Traces:
    """All that an upload can leave behind, its session's row aside."""

    images: int = 0
    memberships: int = 0
    jobs: int = 0
    counted: int = 0
    storage_used: int = 0
    objects: tuple[str, ...] = ()
    temporary_files: tuple[str, ...] = ()


class RemoteStore:
    """A store with the bare obligations: no presigning, and no files here to decode in place."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.put = store.put
        self.head = store.head
        self.promote = store.promote
        self.delete = store.delete
        self.list = store.list
        self.aclose = store.aclose

    def get(self, key: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[ObjectStream]:
        return self._store.get(key, byte_range)


@frozen
class Uploading:
    """An upload service, what it is made of, and a client's means."""

    service: UploadService
    library: Library
    engine: ImagingEngine
    scratch: Scratch
    directory: Path
    policy: UploadPolicy
    me: Principal

    @classmethod
    @asynccontextmanager
    async def on(
        cls, database: Database, directory: Path, clock: ManualClock, engine: ImagingEngine
    ) -> "AsyncIterator[Uploading]":
        """Objects and temporary files below ``directory``. The engine is not closed: see
        `tests.support.shared_engine`."""
        library = Library.on(database, directory / "objects", clock)
        policy = UploadPolicy()
        async with library.store, Scratch.open(directory / "scratch") as scratch:
            service = UploadService(
                database,
                library.store,
                engine,
                library.queue,
                scratch,
                library.images,
                policy,
                clock,
                policies=library.policies,
            )
            yield cls(service, library, engine, scratch, directory, policy, Principal.user("ada"))

    @property
    def clock(self) -> ManualClock:
        return self.library.clock

    def having(
        self,
        *,
        policy: UploadPolicy | None = None,
        store: ObjectStore | None = None,
        engine: ImagingEngine | None = None,
        outbox: JobOutbox | None = None,
        rates: RateLimiter = UNLIMITED,
        governing: PolicyInForce | None = None,
    ) -> "Uploading":
        """Another service, as of another process, over the same parts but for these."""
        library = self.library
        changed = attrs.evolve(self, policy=policy or self.policy, engine=engine or self.engine)
        service = UploadService(
            library.database,
            store or library.store,
            changed.engine,
            outbox or library.queue,
            self.scratch,
            library.images,
            changed.policy,
            library.clock,
            rates,
            policies=library.policies,
            governing=governing,
        )
        return attrs.evolve(changed, service=service)

    def without_files(self) -> "Uploading":
        """Over a store that is elsewhere: what must be decoded has to be fetched."""
        return self.having(store=RemoteStore(self.library.store))

    async def gallery(self, owner: Principal | None = None, visibility: VisibilityLike = "private") -> Gallery:
        return await self.library.galleries.create(owner or self.me, name="Lisbon", visibility=visibility)

    async def send(self, request: UploadRequest | None, data: bytes) -> ObjectInfo:
        """Do what the request says, as a browser would."""
        assert request is not None
        token = request.url.removeprefix("/objects/")
        content_type = request.headers["Content-Type"]
        return await self.library.store.accept(token, bytes_chunks(data), content_type=content_type)

    async def send_part(self, part: SignedPart, data: bytes) -> str:
        """The same for one part; answers its etag."""
        token = part.request.url.removeprefix("/objects/")
        return (await self.library.store.accept(token, bytes_chunks(data), content_type="")).etag

    async def uploaded(
        self,
        data: bytes,
        content_type: str = "image/jpeg",
        *,
        gallery_id: UUID | None = None,
        sha256: bytes | None = None,
    ) -> UploadSession:
        """A session whose bytes are in the store, waiting to be completed."""
        session = await self.service.create(
            self.me,
            filename="tram.jpg",
            content_type=content_type,
            size=len(data),
            sha256=sha256,
            gallery_id=gallery_id,
        )
        await self.send(session.request, data)
        return session

    async def objects(self) -> list[str]:
        return sorted([info.key async for info in self.library.store.list()])

    def unfinished(self) -> list[str]:
        """The folders of uploads in parts that are still under way. Blocking."""
        return sorted(path.name for path in self.directory.glob("objects/.scratch/parts/*"))

    async def traces(self) -> Traces:
        async with self.library.database.connection() as connection:
            (row,) = await connection.fetch(COUNT_EVERYTHING)
        temporary = await anyio.to_thread.run_sync(self._temporary_files)
        return Traces(
            **row,
            objects=tuple(await self.objects()),
            temporary_files=tuple(temporary),
        )

    def _temporary_files(self) -> list[str]:
        """Those of this process, in the scratch directory and in the store's own; it holds a lock in both."""
        files = (path for path in self.directory.glob("**/process-*/**/*") if path.is_file())
        return [str(path) for path in files if path.name != "lock"]
