"""``meta``: what an application keeps of its own with an image or a gallery, a JSON object. Pure.

It is bounded, since it is stored, cached and told for others: `MAX_META` bytes as JSON, in at most `MAX_META_DEPTH`
levels. Python, PostgreSQL and clients follow nesting by recursion, and a stranger's document must not be what finds the
end of their stacks; 8 levels are more than a record needs. Numbers are those that every client reads exactly
(RFC 7493 section 2.2); PostgreSQL's text holds neither NUL nor lone surrogates.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from imagegallery.common.validation import Faults
from imagegallery.errors import Fault

if TYPE_CHECKING:
    JsonValue: TypeAlias = "str | int | float | bool | None | Sequence[JsonValue] | Mapping[str, JsonValue]"
else:  # what describes types at run time cannot follow a name that is its own
    JsonValue = Any
Meta: TypeAlias = Mapping[str, JsonValue]

MAX_META: Final = 16 * 1024
MAX_META_DEPTH: Final = 8
# What JSON numbers hold exactly in every client.
MAX_NUMBER: Final = 2**53 - 1
NO_META: Final[Meta] = {}
# Of a key that a client made up, and that comes back in a fault.
_MAX_NAME: Final = 100

Path: TypeAlias = tuple[str, ...]


class _TooLarge(Exception):
    """More bytes than `MAX_META`."""


def check_meta(faults: Faults, path: Path, meta: object) -> Meta:
    """A copy of ``meta`` in plain values, or an empty one after adding what is wrong with it.

    A key of an object with ``null`` is one that it has not: as `merge` has it.
    """
    return merge(NO_META, check_patch(faults, path, meta))


def check_patch(faults: Faults, path: Path, meta: object) -> Meta:
    """The same with every ``null``, for `changed`. Nothing of it is looked at beyond its bounds."""
    if not isinstance(meta, Mapping):
        faults.add(path, "must be an object")
        return {}
    copy = _Copy()
    try:
        made = copy.record(path, meta, 1)
    except _TooLarge:
        faults.add(path, f"must have at most {MAX_META:,} bytes as JSON")
        return {}
    for fault in copy.faults:
        faults.add(fault.path, fault.message)
    return made


def parse_meta(path: Path, text: str | None) -> Meta:
    """The ``meta`` that JSON ``text`` says, as forms and headers have it; an empty one for none. Raises
    `InvalidInput`."""
    faults = Faults()
    try:
        decoded: object = json.loads(text[: MAX_META + 1]) if text and text.strip() else {}
    except (ValueError, RecursionError):
        decoded = {}
        faults.add(path, f"must be a JSON object of at most {MAX_META:,} bytes")
    checked = check_meta(faults, path, decoded)
    faults.check()
    return checked


def merge(current: Meta, patch: Meta) -> Meta:
    """``current`` with what ``patch`` says of it, a JSON Merge Patch (RFC 7396): ``null`` removes a key."""
    merged = dict(current)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            present = merged.get(key)
            merged[key] = merge(present if isinstance(present, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def changed(current: Meta, patch: Meta | None) -> Meta:
    """``current`` after ``patch``, of which ``None`` leaves nothing. Raises `InvalidInput` if that is too large."""
    faults = Faults()
    made = check_patch(faults, ("body", "meta"), merge(current, patch) if patch is not None else {})
    faults.check()
    return made


def is_scalar(value: JsonValue) -> bool:
    """Whether it is neither a list nor an object."""
    return not isinstance(value, Mapping | list | tuple)


def written(value: JsonValue) -> str:
    """How PostgreSQL writes a scalar as text: ``tram``, ``true``, ``0.0000001``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{Decimal(repr(value)):f}" if isinstance(value, int | float) else str(value)


class _Copy:
    """Copies values and counts what they take as JSON."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._left = MAX_META

    def record(self, path: Path, value: Mapping[Any, Any], depth: int) -> dict[str, JsonValue]:
        self._take(1)  # an opening brace; the other one is counted as a comma
        copied: dict[str, JsonValue] = {}
        for key, each in value.items():
            self._take(2)  # colon and comma
            if not isinstance(key, str):
                self.faults.append(Fault(path, "must have text as keys"))
                continue
            inner = (*path, _printable(key))
            name = self._text(inner, key, "must have a key without NUL and lone surrogates")
            copied[name] = self._value(inner, each, depth + 1)
        self._take(0 if value else 1)
        return copied

    def _list(self, path: Path, value: Sequence[Any], depth: int) -> list[JsonValue]:
        self._take(1)
        copied: list[JsonValue] = []
        for index, each in enumerate(value):
            self._take(1)
            copied.append(self._value((*path, str(index)), each, depth + 1))
        self._take(0 if value else 1)
        return copied

    def _value(self, path: Path, value: object, depth: int) -> JsonValue:
        match value:
            case None | bool():
                self._take(5 if value is False else 4)
                return value
            case str():
                return self._text(path, value, "must be text without NUL and lone surrogates")
            case int():
                return self._number(path, int(value))
            case float() if not isfinite(value):
                self.faults.append(Fault(path, "must be a finite number"))
            case float():
                return self._number(path, int(value) if value.is_integer() else float(value))
            case Mapping() | list() | tuple() if depth > MAX_META_DEPTH:
                self.faults.append(Fault(path, f"is nested more than {MAX_META_DEPTH} deep"))
            case Mapping():
                return self.record(path, value, depth)
            case list() | tuple():
                return self._list(path, value, depth)
            case _:
                self.faults.append(Fault(path, "must be text, a number, true, false, null, a list or an object"))
        return None

    def _text(self, path: Path, text: str, wrong: str) -> str:
        self._take(len(text) + 2)
        try:
            self._take(len(json.dumps(text, ensure_ascii=False).encode()) - len(text) - 2)
        except UnicodeEncodeError:
            self.faults.append(Fault(path, wrong))
        else:
            if "\0" in text:
                self.faults.append(Fault(path, wrong))
        return str(text)

    def _number(self, path: Path, number: float) -> JsonValue:
        if not -MAX_NUMBER <= number <= MAX_NUMBER:
            self.faults.append(
                Fault(path, f"must be a number from -{MAX_NUMBER:,} to {MAX_NUMBER:,}: send others as text")
            )
        else:
            self._take(len(written(number)))  # 5e-324 takes 326 characters
            return number
        return None

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _TooLarge


def _printable(key: str) -> str:
    """A key as a fault can have it."""
    return key[:_MAX_NAME].encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
