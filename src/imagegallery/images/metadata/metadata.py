"""From a file's EXIF (CIPA DC-008) and other notes to typed metadata. Pure: bytes in, values out."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from attrs import evolve, fields, frozen

from imagegallery.images.metadata.capture_time import TakenAtSource, capture_time
from imagegallery.images.metadata.exif import Directory, ExifTags, clean, read_tags
from imagegallery.images.metadata.maker_note import MakerNote, read_maker_note
from imagegallery.images.metadata.timestamps import offset_text, timestamp_in_name
from imagegallery.imaging.protocol import Notes

# DC-008-2024 sections 4.6.4 (image), 4.6.5 (camera) and 4.6.6 (GPS).
_MAKE, _MODEL = 0x010F, 0x0110
_EXPOSURE_TIME, _F_NUMBER, _FOCAL_LENGTH, _FOCAL_LENGTH_35MM = 0x829A, 0x829D, 0x920A, 0xA405
_SENSITIVITY, _SENSITIVITY_IS_ELSEWHERE = 0x8827, 65535
_LARGE_SENSITIVITIES = (0x8831, 0x8832, 0x8833)
_LENS_SPECIFICATION, _LENS_MODEL = 0xA432, 0xA434
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = range(1, 7)
_BELOW = (1, 3)


@frozen
class Metadata:
    """The metadata of a file. ``exposure_time`` is in seconds, lengths in millimetres, ``altitude`` in metres.

    ``taken_at`` has a zone: its own offset if known (``taken_at_offset``, ``+02:00``), otherwise UTC with
    ``taken_at_offset`` ``None``. ``taken_at_source`` says where it was found. Coordinates are WGS 84 degrees, north and
    east positive, in pairs. Numbers are finite; texts have 1 to 255 printable characters.
    """

    make: str | None = None
    model: str | None = None
    lens: str | None = None
    exposure_time: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    focal_length_35mm: int | None = None
    taken_at: datetime | None = None
    taken_at_offset: str | None = None
    taken_at_source: TakenAtSource | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None

    def without_place(self) -> "Metadata":
        """The same without the place, as everybody sees it of a public one."""
        return evolve(self, latitude=None, longitude=None, altitude=None)


def read_metadata(exif: bytes, notes: Notes = Notes()) -> Metadata:  # noqa: B008  (frozen)
    """The metadata in an EXIF block and the other notes of a file.

    What is missing, malformed or out of range is ``None``. Never raises.
    """
    tags = read_tags(exif)
    camera, maker = tags.camera, read_maker_note(tags)
    taken_at, source = capture_time(tags, maker, notes)
    latitude, longitude = _coordinates(tags.place)
    return Metadata(
        make=tags.image.text(_MAKE),
        model=tags.image.text(_MODEL),
        lens=_lens(camera, maker, notes),
        exposure_time=_positive(camera, _EXPOSURE_TIME),
        f_number=_positive(camera, _F_NUMBER),
        iso=_sensitivity(camera) or maker.iso or _first_count(notes.xmp_sensitivities),
        focal_length=_positive(camera, _FOCAL_LENGTH),
        focal_length_35mm=_count(camera, _FOCAL_LENGTH_35MM),
        taken_at=taken_at.moment if taken_at else None,
        taken_at_offset=offset_text(taken_at.offset) if taken_at and taken_at.offset is not None else None,
        taken_at_source=source,
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(tags),
    )


def taken(metadata: Metadata, filename: str, now: datetime) -> tuple[datetime, TakenAtSource]:
    """When a file that arrives ``now`` was taken, and how that is known: by its metadata or name, or not at all."""
    if metadata.taken_at is not None and metadata.taken_at_source is not None:
        return metadata.taken_at, metadata.taken_at_source
    named = timestamp_in_name(filename, now)
    return (now, TakenAtSource.UPLOAD) if named is None else (named.moment, TakenAtSource.FILENAME)


def to_json(metadata: Metadata) -> dict[str, str | int | float]:
    """A JSON object of what is known, with times in ISO 8601."""
    values = {attribute.name: getattr(metadata, attribute.name) for attribute in fields(Metadata)}
    if metadata.taken_at is not None:
        values["taken_at"] = metadata.taken_at.isoformat()
    return {name: value for name, value in values.items() if value is not None}


def from_json(document: Mapping[str, object]) -> Metadata:
    """The inverse of `to_json`. Ignores unknown members and values of other types."""
    return Metadata(
        make=_string(document, "make"),
        model=_string(document, "model"),
        lens=_string(document, "lens"),
        exposure_time=_number(document, "exposure_time"),
        f_number=_number(document, "f_number"),
        iso=_whole(document, "iso"),
        focal_length=_number(document, "focal_length"),
        focal_length_35mm=_whole(document, "focal_length_35mm"),
        taken_at=_time(document, "taken_at"),
        taken_at_offset=_string(document, "taken_at_offset"),
        taken_at_source=_source(document, "taken_at_source"),
        latitude=_number(document, "latitude"),
        longitude=_number(document, "longitude"),
        altitude=_number(document, "altitude"),
    )


# --- one tag at a time -------------------------------------------------------------------------------------


def _rational(directory: Directory, tag: int) -> Fraction | None:
    values = directory.rationals(tag)
    return values[0] if values else None


def _positive(directory: Directory, tag: int) -> float | None:
    value = _rational(directory, tag)
    return float(value) if value is not None and value > 0 else None


def _count(directory: Directory, tag: int) -> int | None:
    """A whole number; 0 means "unknown"."""
    values = directory.integers(tag)
    return values[0] if values and values[0] > 0 else None


def _first_count(texts: Iterable[str]) -> int | None:
    """The first whole number above 0 in digits, up to eight of them."""
    numbers = (int(text) for text in texts if re.fullmatch(r"\d{1,8}", text.strip(), re.ASCII))
    return next(filter(None, numbers), None)


def _sensitivity(camera: Directory) -> int | None:
    """ISO speed. Beyond 16 bits it is in one of three other fields (DC-008 section 4.6.5, annex G)."""
    value = _count(camera, _SENSITIVITY)
    if value != _SENSITIVITY_IS_ELSEWHERE:
        return value
    return next((found for tag in _LARGE_SENSITIVITIES if (found := _count(camera, tag))), value)


def _lens(camera: Directory, maker: MakerNote, notes: Notes) -> str | None:
    return (
        camera.text(_LENS_MODEL)
        or _lens_by_numbers(camera.rationals(_LENS_SPECIFICATION))
        or maker.lens
        or _lens_by_numbers(maker.lens_numbers)
        or next(filter(None, map(clean, notes.xmp_lenses)), None)
    )


def _lens_by_numbers(values: Sequence[Fraction | None]) -> str | None:
    """``24-70mm f/2.8``, from shortest and longest focal length and the widest aperture at each."""
    if len(values) < 4:
        return None
    lengths, apertures = _span(values[0], values[1]), _span(values[2], values[3])
    if not lengths:
        return None
    return f"{lengths}mm f/{apertures}" if apertures else f"{lengths}mm"


def _span(low: Fraction | None, high: Fraction | None) -> str:
    known = [f"{float(end):.4g}" for end in (low, high) if end is not None and end > 0]
    return "-".join(dict.fromkeys(known))


# --- where -------------------------------------------------------------------------------------------------


def _coordinates(place: Directory) -> tuple[float | None, float | None]:
    """Both, or neither. 0, 0 is neither: devices write it if they do not know."""
    latitude = _degrees(place, _LATITUDE, _LATITUDE_REF, {"N": 1, "S": -1}, 90)
    longitude = _degrees(place, _LONGITUDE, _LONGITUDE_REF, {"E": 1, "W": -1}, 180)
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return None, None
    return latitude, longitude


def _degrees(place: Directory, tag: int, ref_tag: int, signs: Mapping[str, int], limit: int) -> float | None:
    """Degrees from degrees, minutes and seconds; minutes and seconds may be missing."""
    sign = signs.get((place.text(ref_tag) or "").upper()[:1])
    degrees, minutes, seconds = (*place.rationals(tag)[:3], None, None, None)[:3]
    if sign is None or degrees is None or any(part is not None and part < 0 for part in (degrees, minutes, seconds)):
        return None
    value = degrees + (minutes or 0) / Fraction(60) + (seconds or 0) / Fraction(3600)
    return float(sign * value) if value <= limit else None


def _altitude(tags: ExifTags) -> float | None:
    """Metres above the reference level (sea level or ellipsoid), negative below it."""
    height = _rational(tags.place, _ALTITUDE)
    if height is None:
        return None
    reference = tags.place.integers(_ALTITUDE_REF)
    return -float(height) if reference and reference[0] in _BELOW else float(height)


# --- JSON --------------------------------------------------------------------------------------------------


def _string(document: Mapping[str, object], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None


def _source(document: Mapping[str, object], name: str) -> TakenAtSource | None:
    value = document.get(name)
    return next((source for source in TakenAtSource if source == value), None)


def _number(document: Mapping[str, object], name: str) -> float | None:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _whole(document: Mapping[str, object], name: str) -> int | None:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(document: Mapping[str, object], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_string(document, name) or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
