"""Uploads that are cut short, repeated, or done by several at once: one image or none, and nothing in between."""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import anyio
import pytest
from tests.support.uploads import Traces, Uploading

from imagegallery.database.connection import Connection
from imagegallery.errors import (
    BadImage,
    Conflict,
    ImageGalleryError,
    TypeMismatch,
    Unavailable,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
)
from imagegallery.imaging.protocol import (
    FileWords,
    ImagingEngine,
    Inspection,
    Measurement,
    Removal,
    Rendered,
    Rendition,
)
from imagegallery.queue.job import NewJob
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.session.session import UploadState

NOTHING = Traces()


class Gate:
    """A point in a program at which the test holds it."""

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self.opened = anyio.Event()

    async def passing(self) -> None:
        self.reached.set()
        await self.opened.wait()


class GatedEngine:
    """Held before each file is decoded; then decodes it, or fails as told."""

    def __init__(self, engine: ImagingEngine, gate: Gate, failure: Exception | None = None) -> None:
        self._engine = engine
        self._gate = gate
        self._failure = failure

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        await self._gate.passing()
        if self._failure is not None:
            raise self._failure
        return await self._engine.inspect(path, content_type=content_type, decode=decode, owner_id=owner_id)

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
        return await self._engine.render(
            path, renditions, into, content_type=content_type, measurements=measurements, owner_id=owner_id
        )

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None:
        await self._engine.remove_metadata(path, into, content_type=content_type, removal=removal, owner_id=owner_id)

    async def read_sidecar(self, path: Path, *, owner_id: str = "") -> FileWords:
        return await self._engine.read_sidecar(path, owner_id=owner_id)

    async def aclose(self) -> None: ...


class GatedStore(FilesystemStore):
    """Held just before an object is moved."""

    gate: Gate

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        await self.gate.passing()
        return await super().promote(source, target, etag=etag, content_type=content_type)


class AwayStore(FilesystemStore):
    """Deletes nothing."""

    async def delete(self, key: str) -> None:
        raise Unavailable("The store does not answer.")


class DyingOutbox:
    """The process ends here: after the object was moved, before anything is committed."""

    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        raise SystemError


def store_of(uploading: Uploading, kind: type[FilesystemStore]) -> FilesystemStore:
    return kind(
        uploading.directory / "objects", UrlSigner(b"the secret of another process", uploading.clock), uploading.clock
    )


async def cut_short(uploading: Uploading, jpeg: bytes) -> UUID:
    """A session whose object was moved by a completion that then died."""
    session = await uploading.uploaded(jpeg)
    with pytest.raises(SystemError):
        await uploading.having(outbox=DyingOutbox()).service.complete(uploading.me, session.id)
    assert await uploading.traces() == Traces(objects=(session.original_key,))
    return session.id


async def test_a_completion_that_died_is_repeated(uploading: Uploading, jpeg: bytes) -> None:
    session_id = await cut_short(uploading, jpeg)
    image = await uploading.service.complete(uploading.me, session_id)
    traces = await uploading.traces()
    assert (traces.images, traces.jobs, traces.storage_used) == (1, 1, len(jpeg))
    assert traces.objects == (image.original_key,)


async def test_a_completion_that_died_and_is_not_repeated_is_swept(uploading: Uploading, jpeg: bytes) -> None:
    await cut_short(uploading, jpeg)
    uploading.clock.advance(timedelta(hours=1))
    assert await uploading.service.sweep() == 1
    assert await uploading.traces() == NOTHING


async def test_a_completion_that_died_can_be_cancelled(uploading: Uploading, jpeg: bytes) -> None:
    session_id = await cut_short(uploading, jpeg)
    await uploading.service.cancel(uploading.me, session_id)
    assert await uploading.traces() == NOTHING


async def test_bytes_sent_after_a_completion_died_do_not_replace_those_it_checked(
    uploading: Uploading, jpeg: bytes, encode: Callable[..., bytes]
) -> None:
    session_id = await cut_short(uploading, jpeg)
    session = await uploading.service.get(uploading.me, session_id)
    other = encode("JPEG", (10, 10)).ljust(len(jpeg), b"\0")
    await uploading.library.store.put(session.incoming_key, bytes_chunks(other), content_type="image/jpeg")
    image = await uploading.service.complete(uploading.me, session_id)
    assert (image.width, image.height) == (40, 30)
    assert await uploading.objects() == [image.original_key]


async def test_many_completions_at_once_make_one_image(uploading: Uploading, jpeg: bytes) -> None:
    lisbon = await uploading.gallery()
    session = await uploading.uploaded(jpeg, gallery_id=lisbon.id)
    found: list[UUID] = []

    async def complete() -> None:
        found.append((await uploading.having().service.complete(uploading.me, session.id)).id)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(complete)
    assert len(found) == 8
    assert len(set(found)) == 1
    traces = await uploading.traces()
    assert (traces.images, traces.memberships, traces.jobs, traces.counted) == (1, 1, 1, 1)
    assert traces.storage_used == len(jpeg)
    assert len(traces.objects) == 1


@pytest.mark.parametrize("failure", [None, BadImage("decoder_timeout", "Too slow.")])
async def test_a_file_moved_away_under_the_decoder_is_not_a_bad_file(
    uploading: Uploading, jpeg: bytes, failure: Exception | None
) -> None:
    session = await uploading.uploaded(jpeg)
    gate = Gate()
    slow = uploading.having(engine=GatedEngine(uploading.engine, gate, failure))
    found: list[UUID] = []

    async def complete() -> None:
        found.append((await slow.service.complete(uploading.me, session.id)).id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(complete)
        await gate.reached.wait()
        image = await uploading.service.complete(uploading.me, session.id)
        gate.opened.set()
    assert found == [image.id]


async def test_a_cancellation_while_the_bytes_are_checked_wins(uploading: Uploading, jpeg: bytes) -> None:
    await ended_while_checking(uploading, jpeg, UploadEnded, uploading.service.cancel)


async def test_an_expiry_while_the_bytes_are_checked_wins(uploading: Uploading, jpeg: bytes) -> None:
    async def sweep(*_: object) -> None:
        uploading.clock.advance(timedelta(hours=1))
        assert await uploading.service.sweep() == 1

    await ended_while_checking(uploading, jpeg, UploadExpired, sweep)


async def ended_while_checking(
    uploading: Uploading,
    jpeg: bytes,
    error: type[ImageGalleryError],
    end: Callable[..., Awaitable[None]],
) -> None:
    session = await uploading.uploaded(jpeg)
    gate = Gate()
    slow = uploading.having(engine=GatedEngine(uploading.engine, gate))

    async def complete() -> None:
        with pytest.raises(error):
            await slow.service.complete(uploading.me, session.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(complete)
        await gate.reached.wait()
        await end(uploading.me, session.id)
        gate.opened.set()
    assert await uploading.traces() == NOTHING


async def test_what_comes_while_the_object_is_moved_comes_too_late(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    async with store_of(uploading, GatedStore) as store:
        assert isinstance(store, GatedStore)
        store.gate = gate = Gate()
        moving = uploading.having(store=store)

        async def cancel() -> None:
            with pytest.raises(UploadEnded):
                await uploading.service.cancel(uploading.me, session.id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(moving.service.complete, uploading.me, session.id)
            await gate.reached.wait()
            uploading.clock.advance(timedelta(hours=1))
            assert await uploading.service.sweep() == 0
            tasks.start_soon(cancel)
            gate.opened.set()
    ended = await uploading.service.get(uploading.me, session.id)
    assert ended.state is UploadState.COMPLETED
    assert await uploading.objects() == [session.original_key]


async def test_a_client_that_goes_away_leaves_nothing(uploading: Uploading, jpeg: bytes) -> None:
    with anyio.CancelScope() as connection:

        async def source() -> AsyncIterator[bytes]:
            yield jpeg
            connection.cancel()
            await anyio.sleep_forever()

        await uploading.service.add(uploading.me, source())
    assert connection.cancelled_caught
    assert await uploading.traces() == NOTHING


async def test_a_cancellation_while_bytes_come_takes_them_away(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=len(jpeg))

    async def source() -> AsyncIterator[bytes]:
        yield jpeg
        await uploading.service.cancel(uploading.me, session.id)

    with pytest.raises(UploadEnded):
        await uploading.service.server.receive(uploading.me, session.id, source())
    assert await uploading.traces() == NOTHING


async def test_bytes_that_were_stored_but_not_recorded_can_be_completed(uploading: Uploading, jpeg: bytes) -> None:
    """The process that received them died in between; the client sends them again."""
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=len(jpeg))
    await uploading.library.store.put(session.incoming_key, bytes_chunks(jpeg), content_type="image/jpeg")
    with pytest.raises(Conflict):
        await uploading.service.server.receive(uploading.me, session.id, bytes_chunks(jpeg))
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.UPLOADED
    await uploading.service.complete(uploading.me, session.id)


@pytest.mark.parametrize("end", ["cancel", "reject", "expire"])
async def test_objects_that_could_not_be_deleted_go_before_the_row(uploading: Uploading, jpeg: bytes, end: str) -> None:
    session = await uploading.uploaded(b"no picture" if end == "reject" else jpeg, "image/jpeg")
    async with store_of(uploading, AwayStore) as store:
        away = uploading.having(store=store).service
        if end == "cancel":
            await away.cancel(uploading.me, session.id)
        elif end == "reject":
            with pytest.raises(TypeMismatch):
                await away.complete(uploading.me, session.id)
        else:
            uploading.clock.advance(timedelta(hours=1))
            assert await away.sweep() == 1
        uploading.clock.advance(timedelta(days=2))
        with pytest.raises(Unavailable):
            await away.sweep()
    assert await uploading.objects() == [session.incoming_key]
    assert (await uploading.service.get(uploading.me, session.id)).state.is_ended
    await uploading.service.sweep()
    assert await uploading.traces() == NOTHING


async def test_a_source_is_closed_when_its_file_is_refused(uploading: Uploading, tmp_path: Path) -> None:
    """An open file that is left to the garbage collector would warn, and a warning fails a test."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"no image" * 1_000_000)
    with pytest.raises(UnsupportedType):
        await uploading.service.add(uploading.me, path)
    gc.collect()
