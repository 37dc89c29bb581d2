"""Structured field values (RFC 9651) for uploads: integers, booleans, and dictionaries of items.

An invalid value, or one of another type, is ``None``: such a field counts as absent. Parameters, and inner lists in
dictionaries, are for other protocols, and ignored.
"""

from collections.abc import Mapping
from typing import Final

import http_sf
from http_sf.types import BareItemType, StructuredType

_MAX_SIZE: Final = 8 * 1024  # bytes; the fields that uploads have are a few hundred at most


def parse_integer(field: str | None) -> int | None:
    """A non-negative Integer (section 3.3.1)."""
    value = _parse_item(field)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def parse_boolean(field: str | None) -> bool | None:
    """A Boolean (section 3.3.6)."""
    value = _parse_item(field)
    return value if isinstance(value, bool) else None


def parse_dictionary(field: str | None) -> Mapping[str, BareItemType] | None:
    """The items of a Dictionary (section 3.2); of a repeated key, the last counts."""
    members = _parse(field or "", "dictionary")
    if not isinstance(members, dict):
        return None
    items = {key: member for key, member in members.items() if isinstance(member, tuple)}
    return {key: value for key, (value, _) in items.items() if not isinstance(value, list)}


def _parse_item(field: str | None) -> BareItemType | None:
    item = _parse(field or "", "item")
    return item[0] if isinstance(item, tuple) else None


def _parse(field: str, kind: str) -> StructuredType | None:
    if len(field) > _MAX_SIZE or not field.isascii():
        return None
    try:
        return http_sf.parse(field.encode(), tltype=kind)
    except http_sf.StructuredFieldError:
        return None


def serialize_integers(members: Mapping[str, int]) -> str:
    """A Dictionary of Integers (section 4.1.2)."""
    return ", ".join(f"{key}={value}" for key, value in members.items())


def serialize_boolean(value: bool) -> str:
    return http_sf.ser(value)


def serialize_bytes(value: bytes) -> str:
    """A Byte Sequence (section 4.1.8)."""
    return http_sf.ser(value)
