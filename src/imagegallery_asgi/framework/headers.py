"""Header fields. Pure: strings in, values out; an invalid header counts as absent.

Strangers write them, so each is read in linear time: repetitions in patterns are possessive (``*+``), and lists are
read from one position to the next.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from operator import eq
from urllib.parse import unquote_to_bytes

from attrs import frozen
from starlette.datastructures import Headers

from imagegallery.storage.protocol import ByteRange

# RFC 9110 section 14.1.2, one range of a list that may have empty members (section 5.6.1).
_BYTE_RANGE = re.compile(r"bytes[ \t]*+=[ \t,]*+([0-9]*+)-([0-9]*+)[ \t,]*+", re.IGNORECASE)
_BEYOND_ANY_OBJECT = 10**18
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"')
# A member of a list and the comma after it; recipients pass over empty members (RFC 9110 section 5.6.1).
_TAG_IN_LIST = re.compile(rf"({_ENTITY_TAG.pattern})(?:[ \t]*+,[ \t,]*+|\Z)")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# RFC 9110 section 5.6.6: ;name=token or ;name="quoted \" string"
_PARAMETER = re.compile(
    r';[ \t]*+([!#$%&\'*+.^_`|~0-9A-Za-z-]++)[ \t]*+=[ \t]*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)("?)|([^\s;"]*+))', re.DOTALL
)
# RFC 8187 section 3.2.1, and values that are not encoded at all.
_EXTENDED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*+")
_STRING = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]*+(?:\\["\\][\x20\x21\x23-\x5b\x5d-\x7e]*+)*+)"')
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")

_BLANKS = " \t"
# The longest of the three forms of a date, with a zone in words (RFC 9110 section 5.6.7), and some.
_MAX_DATE = 64
IDEMPOTENCY_KEY = "Idempotency-Key"
IMAGE_FORMATS = ("avif", "webp", "gif", "png", "jpeg")
"""Of variants, as a rule those of fewer bytes first, and those that everything can show last."""


@frozen
class Unsatisfiable:
    """The range begins after the end: the response is 416."""


UNSATISFIABLE = Unsatisfiable()


def parse_range(header: str | None, size: int) -> ByteRange | Unsatisfiable | None:
    """The one requested range, clipped to ``size`` bytes; ``None`` means the whole (RFC 9110 section 14.2).

    Other units, several ranges and invalid ones mean the whole, too, as the RFC allows.
    """
    match = _BYTE_RANGE.fullmatch(header or "")
    if match is None or match.group(1, 2) == ("", ""):
        return None
    first, last = match.group(1, 2)
    if not first:
        return _last_bytes(_position(last), size)
    begin = _position(first)
    if last and _is_before(last, first):
        return None
    if begin >= size:
        return UNSATISFIABLE
    return ByteRange(begin, min(_position(last) + 1, size) if last else size)


def _position(digits: str) -> int:
    """A number of any length, which is beyond any object from 10^18 on."""
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) < len(str(_BEYOND_ANY_OBJECT)) else _BEYOND_ANY_OBJECT


def _is_before(last: str, first: str) -> bool:
    last, first = last.lstrip("0"), first.lstrip("0")
    return (len(last), last) < (len(first), first)


def _last_bytes(count: int, size: int) -> ByteRange | Unsatisfiable | None:
    if count == 0:
        return UNSATISFIABLE
    return ByteRange(max(0, size - count), size) if size else None


def quote_etag(opaque: str) -> str:
    """A strong entity tag of an opaque identifier (RFC 9110 section 8.8.3)."""
    return f'"{opaque}"'


def unquote(etag: str | None) -> str | None:
    """The opaque tag of an ``ETag`` header (RFC 9110 section 8.8.3), or a tag without quotes as it is."""
    return None if etag is None else etag.strip('"')


def parse_key(header: str | None) -> str | None:
    """An ``Idempotency-Key``: a String (RFC 9651 section 3.3.3), or, as most clients send it, the bare key."""
    quoted = _STRING.fullmatch((header or "").strip(_BLANKS))
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header


def http_date(moment: datetime) -> str:
    """RFC 9110 section 5.6.7; fractions of a second are dropped."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(header: str | None) -> datetime | None:
    if header is None or len(header) > _MAX_DATE:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_not_modified(
    if_none_match: str | None, if_modified_since: str | None, *, etag: str, modified_at: datetime
) -> bool:
    """Whether the response to a GET or HEAD is 304: the tag decides if there is one, otherwise the date (section
    13.2.2)."""
    if if_none_match is not None:
        return has_tag(if_none_match, etag)
    since = parse_http_date(if_modified_since)
    return since is not None and modified_at.replace(microsecond=0) <= since


def is_current(
    if_match: str | None,
    if_unmodified_since: str | None,
    *,
    etag: str,
    modified_at: datetime,
    same: Callable[[str, str], bool] = eq,
) -> bool:
    """Whether the version that the client knows is current (sections 13.1.1, 13.1.4): a strong match of the tag if
    it sends one, otherwise the date."""
    if if_match is not None:
        return names(if_match, etag, same)
    since = parse_http_date(if_unmodified_since)
    return since is None or modified_at.replace(microsecond=0) <= since


def names(if_match: str, etag: str, same: Callable[[str, str], bool] = eq) -> bool:
    """Whether ``If-Match`` contains the tag, or ``*``; weak tags never match (section 13.1.1)."""
    return if_match.strip(_BLANKS) == "*" or any(same(tag, etag) for tag in _tags(if_match))


def listed(headers: Headers, name: str) -> str | None:
    """A field whose value is a list: several lines of it are one (section 5.3)."""
    lines = headers.getlist(name)
    return ", ".join(lines) if lines else None


def has_tag(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has the version ``etag`` already (section 13.1.2): weak comparison, ``*`` is anything."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or _opaque_tag(etag) in map(_opaque_tag, _tags(if_none_match))


def range_applies(if_range: str | None, *, etag: str, modified_at: datetime) -> bool:
    """Whether to use a Range (RFC 9110 section 13.1.5): for a strong match of the tag, or exactly the date."""
    if if_range is None:
        return True
    if _ENTITY_TAG.fullmatch(if_range.strip(_BLANKS)):
        return if_range.strip(_BLANKS) == etag
    return parse_http_date(if_range) == modified_at.replace(microsecond=0)


def _tags(header: str) -> list[str]:
    """The entity tags of a list; none of them if any member is invalid."""
    tags: list[str] = []
    members, position = header.strip(_BLANKS + ","), 0
    while position < len(members):
        match = _TAG_IN_LIST.match(members, position)
        if match is None:
            return []
        tags.append(match[1])
        position = match.end()
    return tags


def _opaque_tag(tag: str) -> str:
    """Weak comparison: ``W/`` does not count."""
    return tag.removeprefix("W/")


def accepted_formats(accept: str | None) -> tuple[str, ...]:
    """Image formats that the client can show, preferred first; none if it does not say.

    Of the ranges that match a format, the most specific counts, with its quality (RFC 9110 section 12.5.1). Of equally
    wanted formats, named ones come first, smaller ones before others; then widely shown ones: the client may not know
    those that only a wildcard matches.
    """
    ranges = _weights(accept)
    anything = ranges.get("image/*", ranges.get("*/*", 0.0))
    wanted = {name: ranges.get(f"image/{name}", anything) for name in IMAGE_FORMATS}

    def badness(name: str) -> tuple[float, bool, int]:
        is_named = f"image/{name}" in ranges
        rank = IMAGE_FORMATS.index(name)
        return -wanted[name], not is_named, rank if is_named else -rank

    return tuple(sorted((name for name in wanted if wanted[name] > 0), key=badness))


def accepts_coding(accept_encoding: str | None, coding: str) -> bool:
    """Whether the client accepts it (RFC 9110 section 12.5.3): by name, or by ``*`` if it is not named."""
    weights = _weights(accept_encoding)
    return weights.get(coding, weights.get("*", 0.0)) > 0


def preferred(header: str | None) -> tuple[str, ...]:
    """What a list of weighted names asks for, the most wanted first; what it refuses is left out."""
    weights = _weights(header)
    return tuple(sorted((name for name in weights if weights[name] > 0), key=weights.__getitem__, reverse=True))


def _weights(header: str | None) -> dict[str, float]:
    """What a list names, each with how much it is wanted (RFC 9110 section 12.4)."""
    members = (item.partition(";") for item in (header or "").lower().split(","))
    return {name.strip(): _quality(parameters) for name, _, parameters in members}


def _quality(parameters: str) -> float:
    """``q`` of RFC 9110 section 12.4.2: 1 if absent, 0 if it makes no sense."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            return float(value) if _QUALITY.fullmatch(value) else 0.0
    return 1.0


def media_type(content_type: str | None) -> str:
    """``type/subtype`` in lower case without parameters; empty if there is none."""
    return (content_type or "").partition(";")[0].strip().lower()


def parameters(header: str) -> dict[str, str]:
    """The ``; name=value`` parameters after the first word, names in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    position = header.find(";")
    while position >= 0:
        match = _PARAMETER.match(header, position)
        if match is not None:
            name, quoted, closed, token = match.groups()
            if closed != "":
                value = re.sub(r'\\(["\\])', r"\1", quoted) if quoted is not None else token
                found.setdefault(name.lower(), value)
        position = header.find(";", match.end() if match else position + 1)
    return found


def disposition_filename(header: str | None) -> str | None:
    """The file name in a ``Content-Disposition``: ``filename*`` before ``filename`` (RFC 6266 section 4.3), which is
    used if the other is invalid or empty."""
    found = parameters(header or "")
    extended = _extended_value(found.get("filename*", ""))
    return extended or _as_utf8(found.get("filename", "")) or None


def _extended_value(value: str) -> str | None:
    charset, _, rest = value.partition("'")
    _, separator, encoded = rest.partition("'")
    if not separator or charset.lower() not in ("utf-8", "iso-8859-1") or not _EXTENDED.fullmatch(encoded):
        return None
    try:
        return unquote_to_bytes(encoded).decode(charset)
    except UnicodeDecodeError:
        return None


def _as_utf8(value: str) -> str:
    """Header text arrives as ISO-8859-1; clients mostly mean UTF-8."""
    try:
        return value.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return value


def request_id(header: str | None) -> str | None:
    """The client's own request id if it is harmless in logs and headers: 1 to 128 of ``A-Za-z0-9._-``."""
    return header if header is not None and _REQUEST_ID.fullmatch(header) else None
