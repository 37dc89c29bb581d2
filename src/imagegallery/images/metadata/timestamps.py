"""Times as cameras, programs and people write them: text in, time out. Pure, and linear in the text."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from attrs import evolve, frozen

EARLIEST_YEAR, LATEST_YEAR = 1800, 2999
EARLIEST_YEAR_IN_NAME = 1900

_MAX_OFFSET = timedelta(hours=14)
_MAX_DISAGREEMENT = timedelta(minutes=3)

_TIME_OF_DAY = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d{0,20})?)? ?(?:([AP])\.?M\.?)?"
_OFFSET = r" ?(?:GMT|UTC)?(Z|[+-]\d{1,2}(?::?\d{2})?(?!\d))?"
# 2024:06:30 18:04:05 (EXIF), 2024-06-30T18:04:05.25+02:00 (ISO 8601), 2024/06/30 6:04 PM; the day alone.
_EXTENDED = re.compile(
    rf"(\d{{4}})[:./-](\d{{1,2}})[:./-](\d{{1,2}})(?!\d)(?:[ T]{_TIME_OF_DAY}{_OFFSET})?", re.ASCII | re.IGNORECASE
)
# 20240630T180405+0200 (ISO 8601 and IPTC).
_BASIC = re.compile(
    rf"(\d{{4}})(\d{{2}})(\d{{2}})(?!\d)"
    rf"(?:[ T](\d{{2}})(\d{{2}})(?:(\d{{2}})(?:[.,](\d{{1,9}})\d{{0,20}})?)?(){_OFFSET})?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET_ALONE = re.compile(r"(Z)|([+-])(\d{1,2}):?(\d{2})?", re.ASCII | re.IGNORECASE)

# IMG_20240630_180405.jpg, PXL_20240630_160405123.jpg, 2024-06-30 18.04.05.png, Screenshot 2024-06-30 at 6.04.05 PM.png,
# WhatsApp Image 2024-06-30 at 18.04.05.jpeg, IMG-20240630-WA0001.jpg
_IN_NAME = re.compile(
    r"(PXL_)?(?<!\d)(\d{4})([-_.]?)(\d{2})\3(\d{2})"
    r"(?:(?: at |, |[-_T. ]?)(\d{1,2})([-_.:]?)(\d{2})\7(\d{2})(?:\d{3})?(?!\d)(?:[ \u202f]?([AP])M)?|(?!\d))",
    re.ASCII | re.IGNORECASE,
)


@frozen
class Timestamp:
    """A local time (without a zone) and its offset from UTC, if known. ``is_day``: only the day is known."""

    local: datetime
    offset: timedelta | None = None
    is_day: bool = False

    @property
    def moment(self) -> datetime:
        """The time with a zone: UTC if the offset is not known."""
        return self.local.replace(tzinfo=UTC if self.offset is None else timezone(self.offset))

    def at_offset(self, offset: timedelta | None) -> "Timestamp":
        """The same with ``offset``, unless it has its own."""
        return self if self.offset is not None else evolve(self, offset=offset)


def read_timestamp(text: str | None, fraction: str | None = None) -> Timestamp | None:
    """The time at the start of ``text``. ``fraction`` has the decimals of its seconds, unless the text has them.

    A day without a time is its midnight. Blanks and zeros mean "unknown", and impossible years are wrong: ``None``.
    """
    match = _EXTENDED.match(text or "") or _BASIC.match(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second, decimals, half, offset = match.groups()
    local = _local(
        (year, month, day, hour or "0", minute or "0", second or "0"), half, _microseconds(decimals or fraction)
    )
    return None if local is None else Timestamp(local, read_offset(offset), is_day=hour is None)


def read_mail_timestamp(text: str) -> Timestamp | None:
    """The time in a text by RFC 2822 section 3.3, which PNG recommends: ``Sun, 30 Jun 2024 18:04:05 +0200``."""
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    offset = read.utcoffset()
    is_likely = EARLIEST_YEAR <= read.year <= LATEST_YEAR and (offset is None or abs(offset) <= _MAX_OFFSET)
    return Timestamp(read.replace(tzinfo=None), offset) if is_likely else None


def timestamp_in_name(filename: str, now: datetime) -> Timestamp | None:
    """The time that cameras, phones and messengers put into a file's name, unless it is in the future."""
    for match in _IN_NAME.finditer(filename):
        pixel, year, _, month, day, hour, _, minute, second, half = match.groups()
        local = _local((year, month, day, hour or "0", minute or "0", second or "0"), half, 0)
        if local is not None and local.year >= EARLIEST_YEAR_IN_NAME:
            # Pixel phones name by UTC, all others by local time.
            read = Timestamp(local, timedelta(0) if pixel else None)
            if read.moment <= now + _MAX_OFFSET:
                return read
    return None


def read_offset(text: str | None) -> timedelta | None:
    """``+02:00``, ``+0200``, ``+02`` and ``Z`` as a duration."""
    match = _OFFSET_ALONE.fullmatch(text or "")
    if match is None:
        return None
    zulu, sign, hours, minutes = match.groups()
    if zulu:
        return timedelta(0)
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset > _MAX_OFFSET or int(minutes or 0) > 59:
        return None
    return -offset if sign == "-" else offset


def offset_between(local: datetime, utc: datetime) -> timedelta | None:
    """The offset of a local time from the same moment in UTC, in whole quarters of an hour, as all zones have.

    The two clocks may differ by three minutes; beyond, they showed different moments.
    """
    quarter = timedelta(minutes=15)
    difference = local - utc
    offset = round(difference / quarter) * quarter
    if abs(offset) > _MAX_OFFSET or abs(difference - offset) > _MAX_DISAGREEMENT:
        return None
    return offset


def offset_text(offset: timedelta) -> str:
    """As EXIF writes it: ``+02:00``."""
    sign = "-" if offset < timedelta(0) else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"{sign}{hours:02}:{minutes:02}"


def _local(numbers: Sequence[str], half: str | None, microsecond: int) -> datetime | None:
    """``half`` is the first letter of AM or PM, in any case."""
    year, month, day, hour, minute, second = map(int, numbers)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 (its zone comes later)
    except ValueError:
        return None


def _microseconds(decimals: str | None) -> int:
    """Decimals of a second: ``"5"`` is half a second."""
    digits = re.match(r"\d{0,6}", decimals or "", re.ASCII)
    return int(digits.group().ljust(6, "0")) if digits else 0
