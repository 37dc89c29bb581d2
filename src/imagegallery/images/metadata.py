"""EXIF (CIPA DC-008) to typed metadata. Pure: bytes in, values out."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

from attrs import evolve, fields, frozen

from imagegallery.images.exif import Directory, ExifTags, read_tags

MAX_TEXT = 255
EARLIEST_YEAR, LATEST_YEAR = 1800, 2999

# DC-008-2024 sections 4.6.4 (image), 4.6.5 (camera) and 4.6.6 (GPS).
_MAKE, _MODEL = 0x010F, 0x0110
_EXPOSURE_TIME, _F_NUMBER, _FOCAL_LENGTH, _FOCAL_LENGTH_35MM = 0x829A, 0x829D, 0x920A, 0xA405
_SENSITIVITY, _SENSITIVITY_IS_ELSEWHERE = 0x8827, 65535
_LARGE_SENSITIVITIES = (0x8831, 0x8832, 0x8833)
_LENS_SPECIFICATION, _LENS_MODEL = 0xA432, 0xA434
_ORIGINAL, _DIGITIZED = (0x9003, 0x9291, 0x9011), (0x9004, 0x9292, 0x9012)
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = range(1, 7)
_BELOW = (1, 3)

_MOMENT = re.compile(r"(\d{4})[:./-](\d{2})[:./-](\d{2})[ T](\d{2}):(\d{2}):(\d{2})", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)
_MAX_OFFSET = timedelta(hours=14)


@frozen
class Metadata:
    """What the camera wrote. ``exposure_time`` is in seconds, lengths in millimetres, ``altitude`` in metres.

    ``taken_at`` is aware: in the camera's own offset when it recorded one (``taken_at_offset``, ``+02:00``),
    else read as UTC with ``taken_at_offset`` ``None``. Coordinates are WGS 84 degrees, north and east
    positive, and come in pairs. Numbers are finite; texts hold 1 to 255 printable characters.
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
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None

    def without_place(self) -> "Metadata":
        """The same without where it was taken: what anybody but the owner may see."""
        return evolve(self, latitude=None, longitude=None, altitude=None)


def parse_exif(raw: bytes) -> Metadata:
    """The metadata in an EXIF block; what is missing, malformed or out of range is ``None``. Never raises."""
    tags = read_tags(raw)
    camera = tags.camera
    taken_at, offset = _taken_at(camera)
    latitude, longitude = _coordinates(tags.place)
    return Metadata(
        make=_text(tags.image, _MAKE),
        model=_text(tags.image, _MODEL),
        lens=_text(camera, _LENS_MODEL) or _lens_from_specification(camera),
        exposure_time=_positive(camera, _EXPOSURE_TIME),
        f_number=_positive(camera, _F_NUMBER),
        iso=_sensitivity(camera),
        focal_length=_positive(camera, _FOCAL_LENGTH),
        focal_length_35mm=_count(camera, _FOCAL_LENGTH_35MM),
        taken_at=taken_at,
        taken_at_offset=offset,
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(tags),
    )


def to_json(metadata: Metadata) -> dict[str, str | int | float]:
    """A JSON object of what is known; times as ISO 8601."""
    values = {attribute.name: getattr(metadata, attribute.name) for attribute in fields(Metadata)}
    if metadata.taken_at is not None:
        values["taken_at"] = metadata.taken_at.isoformat()
    return {name: value for name, value in values.items() if value is not None}


def from_json(document: Mapping[str, object]) -> Metadata:
    """What `to_json` wrote; unknown members and values of another type are passed over."""
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
        latitude=_number(document, "latitude"),
        longitude=_number(document, "longitude"),
        altitude=_number(document, "altitude"),
    )


# --- one tag at a time -------------------------------------------------------------------------------------


def _text(directory: Directory, tag: int) -> str | None:
    """Cameras pad with NULs and blanks, and write whatever they like into "ASCII"."""
    written = directory.raw(tag).partition(b"\0")[0].decode("utf-8", "replace")
    printable = "".join(" " if char.isspace() else char for char in written if _is_printable(char))
    return " ".join(printable.split())[:MAX_TEXT].rstrip() or None


def _is_printable(char: str) -> bool:
    """Neither a control nor a formatting character (which can turn the direction of what follows)."""
    return char.isspace() or not unicodedata.category(char).startswith("C")


def _rational(directory: Directory, tag: int) -> Fraction | None:
    values = directory.rationals(tag)
    return values[0] if values else None


def _positive(directory: Directory, tag: int) -> float | None:
    value = _rational(directory, tag)
    return float(value) if value is not None and value > 0 else None


def _count(directory: Directory, tag: int) -> int | None:
    """A whole number of which 0 means "unknown"."""
    values = directory.integers(tag)
    return values[0] if values and values[0] > 0 else None


def _sensitivity(camera: Directory) -> int | None:
    """ISO speed: beyond 16 bits it stands in one of three other fields (DC-008 section 4.6.5, annex G)."""
    value = _count(camera, _SENSITIVITY)
    if value != _SENSITIVITY_IS_ELSEWHERE:
        return value
    return next((found for tag in _LARGE_SENSITIVITIES if (found := _count(camera, tag))), value)


def _lens_from_specification(camera: Directory) -> str | None:
    """``24-70mm f/2.8``, from shortest and longest focal length and the widest aperture at each."""
    values = camera.rationals(_LENS_SPECIFICATION)
    if len(values) < 4:
        return None
    lengths, apertures = _span(values[0], values[1]), _span(values[2], values[3])
    if not lengths:
        return None
    return f"{lengths}mm f/{apertures}" if apertures else f"{lengths}mm"


def _span(low: Fraction | None, high: Fraction | None) -> str:
    known = [f"{float(end):.4g}" for end in (low, high) if end is not None and end > 0]
    return "-".join(dict.fromkeys(known))


# --- when --------------------------------------------------------------------------------------------------


def _taken_at(camera: Directory) -> tuple[datetime | None, str | None]:
    """When the shutter opened, else when it was digitised, and the offset from UTC the camera gave."""
    for moment_tag, fraction_tag, offset_tag in (_ORIGINAL, _DIGITIZED):
        moment = _moment(_text(camera, moment_tag), _text(camera, fraction_tag))
        if moment is not None:
            offset = _offset(_text(camera, offset_tag))
            zone = UTC if offset is None else timezone(offset)
            return moment.replace(tzinfo=zone), None if offset is None else _offset_text(offset)
    return None, None


def _moment(text: str | None, fraction: str | None) -> datetime | None:
    """A local time; blanks and zeros stand for "unknown", and years no photograph can be from are wrong."""
    match = _MOMENT.match(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(group) for group in match.groups())
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, _microseconds(fraction))  # noqa: DTZ001
    except ValueError:
        return None


def _microseconds(fraction: str | None) -> int:
    """Decimals of a second: ``"5"`` is half a second."""
    digits = re.match(r"\d*", fraction or "", re.ASCII)
    return int(digits.group()[:6].ljust(6, "0")) if digits else 0


def _offset(text: str | None) -> timedelta | None:
    if text == "Z":
        return timedelta(0)
    match = _OFFSET.fullmatch(text or "")
    if match is None or int(match[3]) > 59:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if offset > _MAX_OFFSET:
        return None
    return -offset if match[1] == "-" else offset


def _offset_text(offset: timedelta) -> str:
    sign = "-" if offset < timedelta(0) else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"{sign}{hours:02}:{minutes:02}"


# --- where -------------------------------------------------------------------------------------------------


def _coordinates(place: Directory) -> tuple[float | None, float | None]:
    """Both, or neither: half a place is none."""
    latitude = _degrees(place, _LATITUDE, _LATITUDE_REF, {"N": 1, "S": -1}, 90)
    longitude = _degrees(place, _LONGITUDE, _LONGITUDE_REF, {"E": 1, "W": -1}, 180)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(place: Directory, tag: int, ref_tag: int, signs: Mapping[str, int], limit: int) -> float | None:
    """Degrees from degrees, minutes and seconds, of which only the degrees must be known."""
    sign = signs.get((_text(place, ref_tag) or "").upper()[:1])
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
