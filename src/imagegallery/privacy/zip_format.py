"""ZIP files whose files are stored as they are (APPNOTE.TXT 6.3.10), with ZIP64 where it is needed. Pure.

Sizes and checksums are known before anything is written. So it is known where in the archive each byte will be, and any
part of it can be made when it is asked for.
"""

import struct
from datetime import UTC, datetime
from typing import Final

from attrs import frozen

LONGEST_NAME: Final = 0xFFFF
_FULL32: Final = 0xFFFF_FFFF
_FULL16: Final = 0xFFFF
_PLAIN, _ZIP64 = 20, 45  # versions of the format that a reader must know
_UNIX: Final = 3 << 8
_UTF8: Final = 1 << 11
_STORED: Final = 0
_FILE_MODE: Final = 0o100644 << 16
_EXTENSION: Final = 1  # ZIP64's
_EARLIEST, _LATEST = 1980, 2107  # years


@frozen
class ZipFile:
    """A file in an archive. ``size`` is in bytes."""

    name: str
    size: int
    crc32: int
    modified_at: datetime


def local_header(file: ZipFile) -> bytes:
    """What comes before the file's bytes."""
    name, is_large = file.name.encode(), file.size >= _FULL32
    extra = struct.pack("<HHQQ", _EXTENSION, 16, file.size, file.size) if is_large else b""
    size = _FULL32 if is_large else file.size
    fields = (_ZIP64 if is_large else _PLAIN, _UTF8, _STORED, *_dos_time(file.modified_at), file.crc32, size, size)
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields, len(name), len(extra)) + name + extra


def directory_entry(file: ZipFile, place: int) -> bytes:
    """The file's entry in the directory; ``place`` is where its header begins.

    If one of its numbers needs 64 bits, it has all of them so: Info-ZIP 6.0 misreads some that have not.
    """
    name, is_large = file.name.encode(), max(file.size, place) >= _FULL32
    extra = struct.pack("<HHQQQ", _EXTENSION, 24, file.size, file.size, place) if is_large else b""
    version, size = (_ZIP64, _FULL32) if is_large else (_PLAIN, file.size)
    fields = (_UNIX | _ZIP64, version, _UTF8, _STORED, *_dos_time(file.modified_at), file.crc32, size, size)
    rest = (len(name), len(extra), 0, 0, 0, _FILE_MODE, _FULL32 if is_large else place)
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *fields, *rest) + name + extra


def ending(count: int, directory_place: int, directory_size: int) -> bytes:
    """What comes after the directory of this many files."""
    zip64 = b""
    if count >= _FULL16 or directory_place >= _FULL32 or directory_size >= _FULL32:
        numbers = (count, count, directory_size, directory_place)
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, _UNIX | _ZIP64, _ZIP64, 0, 0, *numbers)
        zip64 = record + struct.pack("<4sLQL", b"PK\x06\x07", 0, directory_place + directory_size, 1)
    few, size, place = min(count, _FULL16), min(directory_size, _FULL32), min(directory_place, _FULL32)
    return zip64 + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, few, few, size, place, 0)


def _dos_time(moment: datetime) -> tuple[int, int]:
    """Time and date of MS-DOS, to two seconds, in UTC; the nearest that there is."""
    at = moment.astimezone(UTC)
    if at.year < _EARLIEST:
        return 0, 1 << 5 | 1
    if at.year > _LATEST:
        return 23 << 11 | 59 << 5 | 29, (_LATEST - _EARLIEST) << 9 | 12 << 5 | 31
    return at.hour << 11 | at.minute << 5 | at.second // 2, (at.year - _EARLIEST) << 9 | at.month << 5 | at.day
