"""One resumable upload, as its client sees it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import attrs
from tests.support.uploads import Uploading

from imagegallery.principal import Principal
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.resumable.rules import UploadPiece
from imagegallery.uploads.resumable.service import ResumableUploads
from imagegallery.uploads.session.session import Concatenation, UploadSession, UploadState

STRANGER = Principal.user("eve")
Slowly = Callable[[bytes, int], AsyncIterator[bytes]]


class BrokenOff(Exception):
    """What a connection that is gone raises."""


async def broken_off(data: bytes) -> AsyncIterator[bytes]:
    yield data
    raise BrokenOff


@attrs.frozen
class Client:
    """One upload, as its client sees it."""

    uploading: Uploading
    session: UploadSession

    @property
    def service(self) -> ResumableUploads:
        return self.uploading.service.server.resumable

    async def send(self, data: bytes, offset: int, **piece: Any) -> UploadSession:
        return await self.service.append(
            self.uploading.me, self.session.id, bytes_chunks(data, 10_000), attrs.evolve(UploadPiece(offset), **piece)
        )

    async def stream(self, data: AsyncIterator[bytes], offset: int) -> UploadSession:
        return await self.service.append(self.uploading.me, self.session.id, data, UploadPiece(offset))

    async def look(self) -> UploadSession:
        return await self.service.look(self.uploading.me, self.session.id)

    async def row(self) -> UploadSession:
        return await self.uploading.service.get(self.uploading.me, self.session.id)


async def begun(uploading: Uploading, size: int | None, **options: object) -> Client:
    declared: dict[str, object] = {"filename": "tram.jpg", "content_type": "image/jpeg", **options}
    session = await uploading.service.server.resumable.create(uploading.me, size=size, **declared)  # type: ignore[arg-type]
    return Client(uploading, session)


async def growing(uploading: Uploading) -> list[str]:
    folder = anyio.Path(uploading.directory / "objects" / ".scratch" / "growing")
    return [path.name async for path in folder.iterdir()] if await folder.exists() else []


async def partial(uploading: Uploading, data: bytes) -> UploadSession:
    client = await begun(uploading, len(data), filename=None, content_type=None, concatenation=Concatenation.PARTIAL)
    done = await client.send(data, 0)
    assert (done.state, done.image_id) == (UploadState.UPLOADED, None)
    return done


async def concatenated(uploading: Uploading, *parts: UploadSession) -> UploadSession:
    return await uploading.service.server.resumable.concatenate(
        uploading.me,
        [part.id for part in parts],
        filename="tram.jpg",
        content_type="image/jpeg",
        wire_concatenation="final;/a /b",
    )
