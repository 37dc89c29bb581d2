"""When an image was taken, from all times in its file. Pure."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum

from attrs import frozen

from imagegallery.images.metadata.exif import Directory, ExifTags, clean
from imagegallery.images.metadata.maker_note import MakerNote
from imagegallery.images.metadata.timestamps import (
    Timestamp,
    offset_between,
    read_mail_timestamp,
    read_offset,
    read_timestamp,
)
from imagegallery.imaging.protocol import Notes

# DC-008-2024 sections 4.6.4 (image), 4.6.5 (camera) and 4.6.6 (GPS).
_DATE_TIME, _DATE_TIME_ORIGINAL, _DATE_TIME_DIGITIZED = 0x0132, 0x9003, 0x9004
_OFFSET_TIME, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_FRACTION, _FRACTION_ORIGINAL, _FRACTION_DIGITIZED = 0x9290, 0x9291, 0x9292
_GPS_TIME, _GPS_DATE = 0x0007, 0x001D


@frozen
class _Fields:
    """The tags of a time, its fraction of a second, and its offset. Offsets of other times will do, since the clock
    is the same."""

    time: int
    fraction: int
    offsets: tuple[int, ...]


class TakenAtSource(StrEnum):
    """The source of ``taken_at``; of several, the first in this order counts.

    ``exif_original``: when the shutter opened (DateTimeOriginal); ``exif_digitized``: when it was digitised, CreateDate
    to some; ``exif_changed``: when the file was last changed (DateTime), the only time of some cameras and scanners;
    ``filename``: a guess from the file's name; ``upload``: nothing else was known.
    """

    EXIF_ORIGINAL = "exif_original"
    EXIF_DIGITIZED = "exif_digitized"
    XMP = "xmp"
    IPTC = "iptc"
    EXIF_CHANGED = "exif_changed"
    GPS = "gps"
    PNG = "png"
    FILENAME = "filename"
    UPLOAD = "upload"


_EXIF = {
    TakenAtSource.EXIF_ORIGINAL: _Fields(
        _DATE_TIME_ORIGINAL, _FRACTION_ORIGINAL, (_OFFSET_ORIGINAL, _OFFSET_DIGITIZED, _OFFSET_TIME)
    ),
    TakenAtSource.EXIF_DIGITIZED: _Fields(
        _DATE_TIME_DIGITIZED, _FRACTION_DIGITIZED, (_OFFSET_DIGITIZED, _OFFSET_ORIGINAL, _OFFSET_TIME)
    ),
}


def capture_time(tags: ExifTags, maker: MakerNote, notes: Notes) -> tuple[Timestamp, TakenAtSource] | tuple[None, None]:
    """The best time and its source. A mere day gives way to a time on that day."""
    times = list(_times(tags, maker, notes))
    if not times:
        return None, None
    first, _ = best = times[0]
    of_that_day = (each for each in times if not each[0].is_day and each[0].local.date() == first.local.date())
    return next(of_that_day, best) if first.is_day else best


def _times(tags: ExifTags, maker: MakerNote, notes: Notes) -> Iterator[tuple[Timestamp, TakenAtSource]]:
    """All times in the file, best first."""
    camera, utc = tags.camera, _gps_time(tags.place)
    for source, fields in _EXIF.items():
        time = _time(camera, fields)
        if time is not None:
            yield time.at_offset(_offset_elsewhere(time, utc, maker)), source
    yield from _read(TakenAtSource.XMP, notes.xmp_times)
    yield from _read(TakenAtSource.IPTC, notes.iptc_times)
    changed = read_timestamp(tags.image.text(_DATE_TIME), camera.text(_FRACTION))
    if changed is not None:
        yield changed.at_offset(read_offset(camera.text(_OFFSET_TIME))), TakenAtSource.EXIF_CHANGED
    if utc is not None:
        yield utc, TakenAtSource.GPS
    yield from _read(TakenAtSource.PNG, notes.png_times)


def _read(source: TakenAtSource, texts: Iterable[str]) -> Iterator[tuple[Timestamp, TakenAtSource]]:
    for text in map(clean, texts):
        time = text and (read_timestamp(text) or read_mail_timestamp(text))
        if time:
            yield time, source


def _time(camera: Directory, fields: _Fields) -> Timestamp | None:
    time = read_timestamp(camera.text(fields.time), camera.text(fields.fraction))
    offsets = (read_offset(camera.text(tag)) for tag in fields.offsets)
    return time and time.at_offset(next((offset for offset in offsets if offset is not None), None))


def _offset_elsewhere(time: Timestamp, utc: Timestamp | None, maker: MakerNote) -> timedelta | None:
    """The offset by the satellites' clock, if it was read with the camera's, otherwise by the camera's zone."""
    by_satellite = None if utc is None else offset_between(time.local, utc.local)
    return maker.offset if by_satellite is None else by_satellite


def _gps_time(place: Directory) -> Timestamp | None:
    """The time in UTC. Hours, minutes and seconds are three numbers (DC-008 section 4.6.6)."""
    day = read_timestamp(place.text(_GPS_DATE))
    hours, minutes, seconds = (*place.rationals(_GPS_TIME)[:3], None, None, None)[:3]
    if day is None or hours is None or minutes is None or seconds is None:
        return None
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):
        return None
    microseconds = int((hours * 3600 + minutes * 60 + seconds) * 1_000_000)
    midnight = day.local.replace(hour=0, minute=0, second=0, microsecond=0)
    return Timestamp(midnight + timedelta(microseconds=microseconds), timedelta(0))
