"""The job that makes an export: a snapshot of all rows, then the checksum of every original, then the layout.

Each step is recorded, so that a worker that goes on after a crash repeats what one transaction had begun, and of a
large file no more than `NOTED_EVERY` bytes.
"""

import json
import logging
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

import anyio.to_thread
from attrs import define, field, frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import ObjectNotFound
from imagegallery.events import records as events
from imagegallery.feature import Feature
from imagegallery.holdings import records as holding_records
from imagegallery.ids import new_id
from imagegallery.images.image import original_records
from imagegallery.images.image.image import OriginalState
from imagegallery.privacy import export_records as records
from imagegallery.privacy.events import ExportReady
from imagegallery.privacy.export import (
    README,
    Export,
    ExportFile,
    ExportState,
    Layout,
    ReadPart,
    name_of,
    sidecar_name,
)
from imagegallery.privacy.export_end import ExportEnder
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.privacy.sidecar import sidecar
from imagegallery.privacy.zip_format import ZipFile, ending
from imagegallery.queue.job import ClaimedJob
from imagegallery.queue.protocol import Queue
from imagegallery.storage.keys import export_prefix
from imagegallery.storage.protocol import ByteRange, ObjectStore
from imagegallery.storage.streams import HASH_IN_THREAD, batches, bytes_chunks, coalesce

SIDECARS_AT_ONCE: Final = 500
HELD_AT_ONCE: Final = 100
PLACED_AT_ONCE: Final = 1000
NOTED_EVERY: Final = 256 * 1024 * 1024
_TEXT: Final = "application/octet-stream"
_log = logging.getLogger(__name__)

STORED = fault_point("export.stored", "texts of an export are stored, the rows of its files are not")
HELD = fault_point("export.held", "originals are held for an export, their checksums are not known")
READ = fault_point("export.read", "all originals of an export are read, their places are not known")


@frozen
class ExportMaker:
    """The `JobHandler` of ``owner.export``."""

    _database: Database
    _store: ObjectStore
    _queue: Queue
    _features: Sequence[Feature]
    _options: PrivacyOptions
    _clock: Clock
    _ender: ExportEnder

    async def run(self, job: ClaimedJob) -> None:
        """Make the export, from where it is."""
        export_id = UUID(str(job.payload["export_id"]))
        export = await self._load(export_id)
        if export is not None and export.state is ExportState.WAITING:
            await self._take_snapshot(export, job)
            export = await self._load(export_id)
        if export is not None and export.state is ExportState.READING:
            await self._hold_originals(export, job)
            HELD.reached()
            await self._read_originals(export, job)
            READ.reached()
            await self._finish(export, job)
            export = await self._load(export_id)
        if export is None or not export.state.is_open:  # its owner has ended it meanwhile
            await self._ender.delete_objects(export_id)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """The export has failed."""
        export = await self._load(UUID(str(job.payload["export_id"])))
        if export is not None:
            _log.error("export %s could not be made: %s", export.id, error)
            await self._ender.end(export, ExportState.FAILED)

    async def _load(self, export_id: UUID) -> Export | None:
        async with self._database.connection() as connection:
            return await records.get(connection, export_id)

    @asynccontextmanager
    async def _writing(self, job: ClaimedJob) -> AsyncIterator[Connection]:
        """A transaction that counts only while the job is ours."""
        async with self._database.transaction() as connection:
            await self._queue.fence(connection, job)
            yield connection

    async def _take_snapshot(self, export: Export, job: ClaimedJob) -> None:
        """Write all that the database has of the owner at one moment, as texts, and which originals there are."""
        async with self._database.snapshot() as connection:
            await self._queue.fence(connection, job)
            now = self._clock()
            texts = _Texts(connection, self._store, export, now)
            await texts.add("README.txt", bytes_chunks(README.format(moment=f"{now:%Y-%m-%d %H:%M:%S} UTC").encode()))
            for holding in (each for feature in self._features for each in feature.holdings if each.is_told):
                rows = holding_records.tell(connection, holding, export.owner_id)
                await texts.add(f"data/{holding.known_as}.json", _array(rows))
            await self._add_images(connection, texts)
            STORED.reached()
            await records.snapshot_taken(connection, export.id, now=now)

    async def _add_images(self, connection: Connection, texts: "_Texts") -> None:
        """Sidecars first: those of one batch are in one object."""
        async for batch in batches(records.images(connection, texts.export.owner_id), SIDECARS_AT_ONCE):
            made = [(sidecar_name(each.image), sidecar(each.image, each.galleries)) for each in batch]
            await texts.add_many([(*file, each.image.updated_at) for file, each in zip(made, batch, strict=True)])
        originals = []
        async for each in records.images(connection, texts.export.owner_id):
            image = each.image
            if image.original_state is not OriginalState.REFUSED:
                zipped = ZipFile(name_of(image), image.file_size, 0, image.taken_at)
                originals.append(ExportFile(texts.next_number(), image.original_key, 0, zipped, 0, image.id))
            if len(originals) == SIDECARS_AT_ONCE:
                await records.insert_files(connection, texts.export.id, originals)
                originals = []
        await records.insert_files(connection, texts.export.id, originals)

    async def _hold_originals(self, export: Export, job: ClaimedJob) -> None:
        """Keep originals from being deleted with their images (`imagegallery.images.image.original_records`)."""
        while True:
            async with self._writing(job) as connection:
                page = await records.next_found(connection, export.id, HELD_AT_ONCE)
                if not page:
                    return
                images = [file.image_id for file in page if file.image_id is not None]
                await original_records.hold_contents(connection, export.owner_id, images)
                gone = await original_records.unnamed(connection, {file.key for file in page})
                lost = [file.number for file in page if file.key in gone]
                await records.set_lost(connection, export.id, lost)
                held = [file.number for file in page if file.key not in gone]
                await records.set_held(connection, export.id, held)

    async def _read_originals(self, export: Export, job: ClaimedJob) -> None:
        """Small ones are recorded together, a large one now and then."""
        while page := await self._next_held(export):
            parts: list[ReadPart] = []
            for file in page:
                try:
                    async with aclosing(self._read(file)) as reading:
                        async for part in reading:
                            parts.append(part)
                            if sum(each.more for each in parts) >= NOTED_EVERY:
                                await self._note(export, parts, job)
                                parts = []
                except ObjectNotFound:
                    _log.warning("export %s: the original of image %s is missing", export.id, file.image_id)
                    async with self._writing(job) as connection:
                        await records.set_lost(connection, export.id, [file.number])
            await self._note(export, parts, job)

    async def _next_held(self, export: Export) -> Sequence[ExportFile]:
        async with self._database.connection() as connection:
            return await records.next_held(connection, export.id, HELD_AT_ONCE)

    async def _read(self, file: ExportFile) -> AsyncGenerator[ReadPart, None]:
        """Compute the checksum of an original, from where it is known, in parts of `NOTED_EVERY` bytes and a last one.

        One that is shorter than it was cannot be had; of one that is longer, that is what it was.
        """
        crc32, read, noted = file.zipped.crc32, file.bytes_read, file.bytes_read
        async with self._store.get(file.key, ByteRange(read, file.zipped.size)) as stream:
            async for chunk in coalesce(stream.chunks):
                crc32 = await _crc32(chunk, crc32)
                read += len(chunk)
                if read == file.zipped.size or read - noted >= NOTED_EVERY:
                    yield ReadPart(file.number, crc32, read, read - noted)
                    noted = read
        if read < file.zipped.size:
            raise ObjectNotFound("It is shorter than it was.")

    async def _note(self, export: Export, parts: Sequence[ReadPart], job: ClaimedJob) -> None:
        if parts:
            async with self._writing(job) as connection:
                await records.note_read(connection, export.id, parts)

    async def _finish(self, export: Export, job: ClaimedJob) -> None:
        """Give each file its place: from now on the archive is what it is."""
        async with self._writing(job) as connection:
            if lost := await records.lost(connection, export.id):
                last = await records.last_number(connection, export.id)
                texts = _Texts(connection, self._store, export, self._clock(), last)
                told = [{"name": name, "image_id": str(image_id)} for name, image_id in lost]
                text = json.dumps(told, indent=1, ensure_ascii=False)
                await texts.add("lost.json", bytes_chunks(text.encode()))
            layout, content, number = Layout(), 0, 0
            while page := await records.read_after(connection, export.id, number, PLACED_AT_ONCE):
                await records.place(connection, export.id, layout.add_all(page))
                content += sum(file.zipped.size for file in page)
                number = page[-1].number
            now = self._clock()
            is_ready = await records.ready(
                connection,
                export.id,
                files=layout.count,
                bytes_=content,
                directory=(layout.place, layout.entry_place),
                size=layout.place + layout.entry_place + len(ending(layout.count, layout.place, layout.entry_place)),
                now=now,
                expires_at=now + self._options.export_lifetime,
            )
            if is_ready:
                ready = ExportReady(export.owner_id, export.id, now + self._options.export_lifetime)
                await events.record(connection, ready, now=now)


@define
class _Texts:
    """Stores texts of an export, and writes the rows of their files. ``number`` is the last one.

    No other attempt writes to the same keys.
    """

    connection: Connection
    store: ObjectStore
    export: Export
    now: datetime
    number: int = 0
    attempt: UUID = field(factory=new_id)

    def key(self, number: int) -> str:
        return f"{export_prefix(self.export.id)}{self.attempt}-{number}"

    def next_number(self) -> int:
        self.number += 1
        return self.number

    async def add(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """A file in an object of its own."""
        measured = _Measured(chunks)
        number = self.next_number()
        key = self.key(number)
        await self.store.put(key, measured.pass_on(), content_type=_TEXT)
        zipped = ZipFile(name, measured.size, measured.crc32, self.now)
        await records.insert_files(self.connection, self.export.id, [ExportFile(number, key, 0, zipped, measured.size)])

    async def add_many(self, texts: Sequence[tuple[str, bytes, datetime]]) -> None:
        """Files in one object: the name, the text and the time of each."""
        key = self.key(self.number + 1)
        await self.store.put(key, bytes_chunks(b"".join(text for _, text, _ in texts)), content_type=_TEXT)
        files, start = [], 0
        for name, text, modified_at in texts:
            zipped = ZipFile(name, len(text), zlib.crc32(text), modified_at)
            files.append(ExportFile(self.next_number(), key, start, zipped, len(text)))
            start += len(text)
        await records.insert_files(self.connection, self.export.id, files)


@define
class _Measured:
    """The size and the checksum of what was passed on."""

    chunks: AsyncIterator[bytes]
    size: int = 0
    crc32: int = 0

    async def pass_on(self) -> AsyncIterator[bytes]:
        async for chunk in coalesce(self.chunks):
            self.size += len(chunk)
            self.crc32 = await _crc32(chunk, self.crc32)
            yield chunk


async def _crc32(chunk: bytes, before: int) -> int:
    """The checksum of what came before and this."""
    if len(chunk) < HASH_IN_THREAD:
        return zlib.crc32(chunk, before)
    return await anyio.to_thread.run_sync(zlib.crc32, chunk, before)


async def _array(rows: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """A JSON array of these texts, one a line."""
    before = "[\n"
    async for row in rows:
        yield f"{before}{row}".encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"
