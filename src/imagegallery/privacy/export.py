"""An export, and the files of its archive: their names and places. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import define, field, frozen

from imagegallery.access.decision import Facts
from imagegallery.images.image.filename import download_name
from imagegallery.images.image.image import MAX_FILENAME, Image
from imagegallery.privacy.zip_format import ZipFile, directory_entry, local_header
from imagegallery.queue.job import PRIORITY_LOW, NewJob

EXPORT: Final = "owner.export"
README: Final = """\
This is all that the image gallery keeps of you, as of {moment}.

images/   your originals, byte for byte, by the month in which they were taken, and beside each of them an XMP sidecar
          with its description, time, place and galleries
trash/    the same of images that you have deleted, and that can still be restored
waiting/  the same of images that others have added to your galleries, and that wait for your approval
data/     every row of the database about you, as JSON: one file for each kind. gallery_images.json has the order of
          your galleries
lost.json originals that could not be read or were deleted while the archive was made, if there are any
"""
_SIDECAR: Final = ".xmp"


class ExportState(StrEnum):
    """``waiting`` for a worker; ``reading`` the originals; ``ready`` to be fetched; ``failed``; or ``ended``: expired
    or deleted."""

    WAITING = "waiting"
    READING = "reading"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"

    @property
    def is_open(self) -> bool:
        return self in (ExportState.WAITING, ExportState.READING, ExportState.READY)


@frozen
class Export:
    """An archive of all that an owner has, as of ``snapshot_at``.

    ``files`` are how many it has, ``bytes`` how many these have together, ``bytes_read`` how many of them were read to
    be checked; ``size`` is the archive's, once it is ready.
    """

    id: UUID
    owner_id: str
    state: ExportState
    files: int
    bytes: int
    bytes_read: int
    size: int | None
    created_at: datetime
    snapshot_at: datetime | None
    ready_at: datetime | None
    expires_at: datetime
    directory_place: int | None = None
    directory_size: int | None = None

    @property
    def facts(self) -> Facts:
        """The facts to decide access by: it is its owner's."""
        return Facts(self.owner_id)

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        if self.state is ExportState.READY:
            return 1.0
        return round(self.bytes_read / self.bytes, 4) if self.bytes else 0.0


@frozen
class ExportFile:
    """A file of the archive: ``zipped``, the part from ``start`` of the object ``key``.

    ``place`` is where its header begins in the archive; ``entry_place`` where its entry begins in the directory.
    ``bytes_read`` of its bytes are in the checksum. ``image_id`` is there for an original.
    """

    number: int
    key: str
    start: int
    zipped: ZipFile
    bytes_read: int
    image_id: UUID | None = None
    place: int = 0
    entry_place: int = 0

    @property
    def content_place(self) -> int:
        return self.place + len(local_header(self.zipped))

    @property
    def end(self) -> int:
        return self.content_place + self.zipped.size


@frozen
class ReadPart:
    """So far a file was read: ``crc32`` is of its first ``bytes_read``, which are ``more`` than was recorded."""

    number: int
    crc32: int
    bytes_read: int
    more: int


@define
class Layout:
    """Gives each file its place, in order. ``place`` and ``entry_place`` are those of the next one."""

    place: int = 0
    entry_place: int = 0
    count: int = field(default=0)

    def add(self, file: ZipFile) -> tuple[int, int]:
        """The place of its header in the archive, and of its entry in the directory."""
        placed = self.place, self.entry_place
        self.place += len(local_header(file)) + file.size
        self.entry_place += len(directory_entry(file, placed[0]))
        self.count += 1
        return placed

    def add_all(self, files: Iterable[ExportFile]) -> Iterator[tuple[int, int, int]]:
        """The number of each, and its places."""
        for each in files:
            yield (each.number, *self.add(each.zipped))


def export_job(export_id: UUID, owner_id: str) -> NewJob:
    return NewJob(
        EXPORT, {"export_id": str(export_id)}, priority=PRIORITY_LOW, dedupe_key=str(export_id), owner_id=owner_id
    )


def name_of(image: Image) -> str:
    """The name of the image's original in the archive. With the image's id no two are the same; without letters' case,
    too."""
    stem, dot, extension = download_name(image.filename, image.mime_type).rpartition(".")
    room = MAX_FILENAME - len(f".{image.id}{dot}{extension}{_SIDECAR}".encode())
    short = (stem or extension).encode()[:room].decode(errors="ignore").rstrip(" .")
    folder = "waiting" if image.is_pending else "images" if image.deleted_at is None else "trash"
    return f"{folder}/{image.taken_at:%Y-%m}/{short}.{image.id}{dot}{extension}"


def sidecar_name(image: Image) -> str:
    return name_of(image) + _SIDECAR
