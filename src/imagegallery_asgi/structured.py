"""Structured field values (RFC 9651 section 4.2), as far as uploads need them: pure and strict.

Items that are integers or booleans, and dictionaries. What does not parse, or is of another type, is ``None``: such a
field counts as absent. Inner lists do not occur in the fields we read, and count as faults.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from attrs import frozen

_KEY = r"[a-z*][a-z0-9_.*-]*+"
# Section 3.3: the bare items. Integers have at most 15 digits.
_BARE = (
    r"(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})|(?P<integer>-?[0-9]{1,15})|\?(?P<boolean>[01])"
    r"|:(?P<bytes>[A-Za-z0-9+/=]*+):"
    r'|"(?P<string>[\x20\x21\x23-\x5b\x5d-\x7e]*+(?:\\["\\][\x20\x21\x23-\x5b\x5d-\x7e]*+)*+)"'
    r"|(?P<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*+)"
)
_UNNAMED = re.sub(r"\?P<\w+>", "?:", _BARE)
_PARAMETERS = rf"(?>(?:; *+{_KEY}(?:=(?:{_UNNAMED}))?)*)"
_ITEM = re.compile(rf"(?:{_BARE}){_PARAMETERS}")
_MEMBER = re.compile(rf"(?P<key>{_KEY})(?:=(?:{_BARE}))?{_PARAMETERS}")
_SEPARATOR = re.compile(r"[ \t]*+,[ \t]*+")


@frozen
class Token:
    """A bare word."""

    text: str


Bare = int | float | bool | bytes | str | Token


def parse_integer(field: str | None) -> int | None:
    """A non-negative Integer (section 3.3.1) with any parameters."""
    value = _parse_item(field)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def parse_boolean(field: str | None) -> bool | None:
    """A Boolean (section 3.3.6)."""
    value = _parse_item(field)
    return value if isinstance(value, bool) else None


def parse_dictionary(field: str | None) -> Mapping[str, Bare] | None:
    """A Dictionary of items (section 3.2); of a key that comes twice, the last counts."""
    text, position = (field or "").strip(" "), 0
    members: dict[str, Bare] = {}
    while position < len(text):
        match = _MEMBER.match(text, position)
        value = True if match is not None and match.lastgroup == "key" else _bare(match)
        if match is None or value is None:
            return None
        members[match["key"]] = value
        position = match.end()
        if position < len(text):
            separator = _SEPARATOR.match(text, position)
            if separator is None or separator.end() == len(text):
                return None
            position = separator.end()
    return members


def _parse_item(field: str | None) -> Bare | None:
    return _bare(_ITEM.fullmatch((field or "").strip(" ")))


def _bare(match: "re.Match[str] | None") -> Bare | None:
    """The value of whichever kind matched."""
    if match is None:
        return None
    found = match.groupdict()
    if (integer := found["integer"]) is not None:
        return int(integer)
    if (boolean := found["boolean"]) is not None:
        return bool(int(boolean))
    if (encoded := found["bytes"]) is not None:
        return _decoded(encoded)
    if (decimal := found["decimal"]) is not None:
        return float(decimal)
    if (string := found["string"]) is not None:
        return re.sub(r"\\(.)", r"\1", string)
    return Token(found["token"])


def _decoded(encoded: str) -> bytes | None:
    """Section 4.2.7; padding may be missing."""
    try:
        return base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        return None


def serialize_integers(members: Mapping[str, int]) -> str:
    """A Dictionary of Integers (section 4.1.2)."""
    return ", ".join(f"{key}={value}" for key, value in members.items())


def serialize_boolean(value: bool) -> str:
    return "?1" if value else "?0"


def serialize_bytes(value: bytes) -> str:
    """A Byte Sequence (section 4.1.8)."""
    return f":{base64.b64encode(value).decode()}:"
