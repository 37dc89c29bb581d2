"""The archive of a ready export: any part of it, made of the objects in the store when it is asked for.

Nothing of it is kept but the rows of its files, so it takes no room, survives any process, and is the same to the byte
in every process and every time. Memory is that of a page of rows and of a chunk.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from itertools import groupby
from typing import Final

from attrs import frozen

from imagegallery.database.pool import Database
from imagegallery.errors import ObjectNotFound, Unavailable
from imagegallery.privacy import export_records
from imagegallery.privacy.export import Export, ExportFile
from imagegallery.privacy.zip_format import directory_entry, ending, local_header
from imagegallery.storage.protocol import ByteRange, ObjectStore

PAGE: Final = 200


@frozen
class Archive:
    """``export`` is ready. ``etag`` is opaque, without quotes: there is one archive of an export."""

    database: Database
    store: ObjectStore
    export: Export

    @property
    def size(self) -> int:
        """In bytes."""
        assert self.export.size is not None, "it is ready"
        return self.export.size

    @property
    def etag(self) -> str:
        return str(self.export.id)

    @property
    def made_at(self) -> datetime:
        assert self.export.ready_at is not None, "it is ready"
        return self.export.ready_at

    @property
    def name(self) -> str:
        """The name to save it under."""
        return f"images-{self.export.snapshot_at:%Y-%m-%d}.zip"

    @property
    def _directory(self) -> ByteRange:
        place, size = self.export.directory_place, self.export.directory_size
        assert place is not None, "it is ready"
        assert size is not None, "it is ready"
        return ByteRange(place, place + size)

    async def read(self, wanted: ByteRange | None = None) -> AsyncGenerator[bytes, None]:
        """Yield its bytes, or those wanted of it, in chunks.

        Raises `ObjectNotFound` or `Unavailable` if the store does not have what it had.
        """
        asked = wanted or ByteRange(0, self.size)
        for part in (self._read_files, self._read_directory):
            async with aclosing(part(asked)) as chunks:
                async for chunk in chunks:
                    yield chunk
        last = ending(self.export.files, self._directory.start, self._directory.stop - self._directory.start)
        if end := _clip(last, self._directory.stop, asked):
            yield end

    async def _read_files(self, asked: ByteRange) -> AsyncGenerator[bytes, None]:
        place, stop = asked.start, min(asked.stop, self._directory.start)
        while place < stop:
            async with self.database.connection() as connection:
                page = await export_records.from_place(connection, self.export.id, place, PAGE)
            _check_there(page)
            place = page[-1].end
            for _, run in groupby((file for file in page if file.place < stop), key=lambda file: file.key):
                async with aclosing(self._read_run([*run], asked)) as chunks:
                    async for chunk in chunks:
                        yield chunk

    async def _read_run(self, run: Sequence[ExportFile], asked: ByteRange) -> AsyncGenerator[bytes, None]:
        """The bytes of files that follow each other in one object, which is opened once."""
        parts = [_part(file, asked) for file in run]
        wanted = [(file.start + part.start, file.start + part.stop) for file, part in zip(run, parts, strict=True)]
        nonempty = [each for each in wanted if each[0] < each[1]]
        async with AsyncExitStack() as stack:
            content = _Content(aiter(_nothing()))
            if nonempty:
                whole = ByteRange(nonempty[0][0], nonempty[-1][1])
                content = _Content((await stack.enter_async_context(self.store.get(run[0].key, whole))).chunks)
            for file, part in zip(run, parts, strict=True):
                if header := _clip(local_header(file.zipped), file.place, asked):
                    yield header
                async for chunk in content.take(part.stop - part.start):
                    yield chunk

    async def _read_directory(self, asked: ByteRange) -> AsyncGenerator[bytes, None]:
        directory = self._directory
        place, stop = max(asked.start, directory.start), min(asked.stop, directory.stop)
        while place < stop:
            async with self.database.connection() as connection:
                page = await export_records.from_entry(connection, self.export.id, place - directory.start, PAGE)
            _check_there(page)
            first = directory.start + page[0].entry_place
            entries = b"".join(directory_entry(file.zipped, file.place) for file in page)
            yield _clip(entries, first, ByteRange(asked.start, stop))
            place = first + len(entries)


class _Content:
    """Reads an object from its beginning to its end."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    async def take(self, count: int) -> AsyncIterator[bytes]:
        """Yield the next ``count`` bytes. Raises `Unavailable` if there are fewer."""
        while count > 0:
            chunk = self._rest or await anext(self._chunks, b"")
            if not chunk:
                raise Unavailable("An object of this archive is shorter than it was.")
            taken, self._rest = chunk[:count], chunk[count:]
            count -= len(taken)
            yield taken


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield


def _check_there(page: Sequence[ExportFile]) -> None:
    if not page:
        raise ObjectNotFound("This export has ended.")


def _part(file: ExportFile, asked: ByteRange) -> ByteRange:
    """Which of the file's own bytes are asked for."""
    start = min(max(asked.start - file.content_place, 0), file.zipped.size)
    return ByteRange(start, max(start, min(asked.stop - file.content_place, file.zipped.size)))


def _clip(data: bytes, place: int, asked: ByteRange) -> bytes:
    """Those of ``data``, which is at this place, that are asked for."""
    return data[max(asked.start - place, 0) : max(asked.stop - place, 0)]
