"""What Canon and Nikon write into the maker note of an EXIF block, where EXIF has no field or it is empty. Pure.

The fields are those that ExifTool documents (https://exiftool.org/TagNames/Canon.html and Nikon.html). Notes have no
standard: those of other makers are not read, nor what is encrypted or a number of a table of lenses.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction

from attrs import frozen

from imagegallery.images.metadata.exif import Directory, ExifTags, Stream

_MAKE = 0x010F

_CANON_SETTINGS, _CANON_SHOT, _CANON_TIME, _CANON_LENS = 0x0001, 0x0004, 0x0035, 0x0095
_CANON_CHOICES = {16: 50, 17: 100, 18: 200, 19: 400, 20: 800}
_NIKON_ISO, _NIKON_TIME, _NIKON_LENS = 0x0002, 0x0024, 0x0084
_NIKON_MARKER, _NIKON_HEADER = b"Nikon\0\x02", 10

_MAX_ISO = 10_000_000


@frozen
class MakerNote:
    """``lens`` is a name, ``lens_numbers`` are like the EXIF field LensSpecification; ``offset`` from UTC."""

    lens: str | None = None
    lens_numbers: tuple[Fraction | None, ...] = ()
    iso: int | None = None
    offset: timedelta | None = None


def read_maker_note(tags: ExifTags) -> MakerNote:
    """Read the note. Never raises."""
    make = tags.image.raw(_MAKE).lower()
    reader = next((reader for maker, reader in _READERS.items() if make.startswith(maker)), None)
    return MakerNote() if reader is None or tags.note_at is None else reader(tags.stream, tags.note_at)


def _canon(stream: Stream, at: int) -> MakerNote:
    """The note is a directory like those of the block itself."""
    note = stream.directory(at)
    return MakerNote(
        lens=note.text(_CANON_LENS),
        lens_numbers=_canon_lens_numbers(note),
        iso=_canon_iso(note),
        offset=_canon_offset(note),
    )


def _canon_iso(note: Directory) -> int | None:
    """The ISO that was set, otherwise the base multiplied by the automatic, in steps of 1/32 stop from ISO 100/32."""
    chosen = (*note.integers(_CANON_SETTINGS)[16:17], 0)[0]
    if chosen in _CANON_CHOICES:
        return _CANON_CHOICES[chosen]
    if chosen & 0x4000 and chosen != 0x7FFF:
        return _likely_iso(chosen & 0x3FFF)
    automatic, base = (*map(_to_signed, note.integers(_CANON_SHOT)[1:3]), 0, 0)[:2]
    if not 0 < base <= 1000 or not -1000 <= automatic <= 1000:
        return None
    return _likely_iso(round(100 / 32 * 2 ** ((base + automatic) / 32)))


def _canon_lens_numbers(note: Directory) -> tuple[Fraction | None, ...]:
    """Shortest and longest focal length, in units of the note; apertures are only the current ones."""
    longest, shortest, units = (*note.integers(_CANON_SETTINGS)[23:26], 0, 0, 0)[:3]
    return (Fraction(shortest, units), Fraction(longest, units), None, None) if units else ()


def _canon_offset(note: Directory) -> timedelta | None:
    """Minutes from UTC, with daylight saving. A camera without a city does not know its zone."""
    _, minutes, city = (*note.integers(_CANON_TIME)[:3], 0, 0, 0)[:3]
    return timedelta(minutes=minutes) if city and abs(minutes) <= 14 * 60 else None


def _nikon(stream: Stream, at: int) -> MakerNote:
    """The note is a TIFF stream of its own, after ten bytes of header."""
    if not stream.tiff.startswith(_NIKON_MARKER, at):
        return MakerNote()
    own = Stream.of(stream.tiff[at + _NIKON_HEADER :])
    if own is None:
        return MakerNote()
    note = own.first_directory()
    iso = note.integers(_NIKON_ISO)
    return MakerNote(
        lens_numbers=note.rationals(_NIKON_LENS),
        iso=_likely_iso(iso[1]) if len(iso) > 1 else None,
        offset=_nikon_offset(note, own.order),
    )


def _nikon_offset(note: Directory, order: str) -> timedelta | None:
    """Minutes from UTC, and whether daylight saving adds an hour."""
    written = note.raw(_NIKON_TIME)
    if len(written) < 3:
        return None
    minutes = int.from_bytes(written[:2], "little" if order == "<" else "big", signed=True) + 60 * (written[2] == 1)
    return timedelta(minutes=minutes) if abs(minutes) <= 14 * 60 else None


def _to_signed(short: int) -> int:
    """Canon writes negative numbers into fields of 16 bits without a sign."""
    return short - 0x10000 if short >= 0x8000 else short


def _likely_iso(value: int) -> int | None:
    return value if 0 < value <= _MAX_ISO else None


_READERS: Mapping[bytes, Callable[[Stream, int], MakerNote]] = {b"canon": _canon, b"nikon": _nikon}
