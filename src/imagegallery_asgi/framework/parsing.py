"""Outside values to request classes, strictly, with the path of every fault. Pure.

Unknown fields, missing fields, wrong types and broken constraints are all reported at once, up to `MAX_FAULTS` of them.
What has too many entries is refused before any is looked at. JSON values must have their type; query parameters are
text, and are read as what the class says.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl
from uuid import UUID

import attrs
from cattrs import BaseConverter, Converter
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn
from msgspec import Meta, UnsetType

from imagegallery import InvalidInput
from imagegallery.common.unset import Unset
from imagegallery.errors import MAX_FAULTS, Fault
from imagegallery.ids import parse_id
from imagegallery_asgi.framework.constraints import NOTHING, NOTHING_TEXTS, Open
from imagegallery_asgi.framework.json_schema import UNIONS, TypeForm, originates

T = TypeVar("T")
Path = tuple[str, ...]
# What a cattrs hook is: (value, type) to the structured value.
Hook = Callable[[object, Any], Any]
# Whether a value of the right type holds a constraint, and what is said if it does not.
CheckValue = tuple[Callable[[Any], object], str]

MAX_PARAMETERS = 100
_FAULTS_IN_WORDS = 3
# Of a name that the client made up, and that comes back in a fault.
_MAX_NAME = 100
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
_PLAIN: Mapping[TypeForm, str] = {str: "a text", int: "an integer", bool: "true or false"}
_WRONG_MOMENT = "must be a time with its zone, such as 2024-06-01T12:00:00Z"


class Wrong(ValueError):
    """A value that does not fit; the message is the end of a sentence ("must be …")."""


def parse_json(cls: type[T], value: object, path: Path, faults: list[Fault]) -> T | None:
    """``value``, as decoded from JSON, as a ``cls``; or ``None``, with its faults added below ``path``."""
    return _parse(_JSON, cls, value, path, faults)


def parse_text(cls: type[T], value: object, path: Path, faults: list[Fault]) -> T | None:
    """The same for what comes as text: a path or query parameter, or a mapping of them."""
    return _parse(_TEXT, cls, value, path, faults)


def split_query(query_string: bytes) -> list[tuple[str, str]]:
    """The parameters of a query. Raises `InvalidInput` for more than any operation has."""
    try:
        return parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise invalid([Fault(("query",), f"must have at most {MAX_PARAMETERS} parameters")]) from error


def parse_pairs(cls: type[T], pairs: Iterable[tuple[str, str]], path: Path, faults: list[Fault]) -> T | None:
    """Query parameters or form fields; one that is given twice is a fault.

    Of a field that is a mapping, each key is one: ``meta.sku``, or as OpenAPI's ``deepObject`` has it, ``meta[sku]``.
    """
    form: TypeForm = cls
    keyed = _keyed(form)
    values: dict[str, str] = {}
    by_key: dict[str, dict[str, str]] = {}
    repeated = set()
    for name, value in pairs:
        field, key = _split_name(name, keyed)
        into, entry = (by_key.setdefault(field, {}), key) if key else (values, name)
        repeated |= {name} if entry in into else set()
        into[entry] = value
    faults.extend(Fault((*path, name[:_MAX_NAME]), "must be given only once") for name in sorted(repeated))
    return parse_text(cls, {**values, **by_key}, path, faults)


def _split_name(name: str, keyed: Iterable[str]) -> tuple[str, str]:
    """One of the ``keyed`` fields and its key; or the name and nothing."""
    for field in keyed:
        if name.startswith(f"{field}."):
            return field, name[len(field) + 1 :]
        if name.startswith(f"{field}[") and name.endswith("]"):
            return field, name[len(field) + 1 : -1]
    return name, ""


@cache
def _keyed(cls: TypeForm) -> frozenset[str]:
    """The fields that are mappings."""
    return frozenset(name for name, kind in get_type_hints(cls).items() if any(_mappings(kind)))


def _mappings(kind: TypeForm) -> Iterator[bool]:
    yield originates(Mapping)(kind)
    for member in get_args(kind) if originates(*UNIONS)(kind) else ():
        yield from _mappings(member)


def invalid(faults: list[Fault]) -> InvalidInput:
    """The error that tells all of them."""
    listed = "; ".join(f"{'.'.join(fault.path)} {fault.message}" for fault in faults[:_FAULTS_IN_WORDS])
    return InvalidInput(f"{listed}{' …' if len(faults) > _FAULTS_IN_WORDS else ''}.", faults)


def raise_faults(faults: list[Fault]) -> None:
    """Raises `InvalidInput` if there are any."""
    if faults:
        raise invalid(faults)


def _parse(converter: Converter, cls: type[T], value: object, path: Path, faults: list[Fault]) -> T | None:
    try:
        return converter.structure(value, cls)
    except (BaseValidationError, Wrong) as error:
        faults.extend(_faults(error, path))
        return None


def _faults(error: Exception, path: Path) -> Iterator[Fault]:
    """Every leaf of a tree of validation errors, with the path to it."""
    match error:
        case ClassValidationError():
            named, others = error.group_exceptions()
            for inner, field in named:
                yield from _faults(inner, (*path, field.name))
            for inner in others:
                yield from _faults(inner, path)
        case IterableValidationError():
            for inner, entry in error.group_exceptions()[0]:
                yield from _faults(inner, (*path, str(entry.index)))
        case ForbiddenExtraKeysError():
            yield from (Fault((*path, name[:_MAX_NAME]), "is not known") for name in sorted(error.extra_fields))
        case KeyError():
            yield Fault(path, "is required")
        case Wrong():
            yield Fault(path, str(error))
        case _:
            raise error


# --- the hooks ---------------------------------------------------------------------------------------------


def _plain(value: object, cls: type) -> object:
    # StrEnum classes come here too: they are strings.
    if issubclass(cls, Enum):
        return _choice(value, {member.value: member for member in cls})
    if type(value) is not cls:
        raise Wrong(f"must be {_PLAIN[cls]}")
    return value


def _plain_text(value: object, cls: type) -> object:
    if cls is int and isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return value == "true" if cls is bool and value in ("true", "false") else _plain(value, cls)


def _identifier(value: object, _: type) -> UUID:
    parsed = parse_id(value) if isinstance(value, str) else None
    if parsed is None:
        raise Wrong("must be an id: a UUID with hyphens")
    return parsed


def _moment(value: object, _: type) -> datetime:
    """A date-time of RFC 3339 section 5.6, in UTC."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise Wrong(_WRONG_MOMENT)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Wrong(_WRONG_MOMENT) from error


def _choice(value: object, choices: Mapping[str, object]) -> object:
    if not isinstance(value, str) or value not in choices:
        raise Wrong(f"must be one of {', '.join(choices)}")
    return choices[value]


def _any_object(value: object, _: TypeForm) -> object:
    if not isinstance(value, dict):
        raise Wrong("must be an object")
    return value


def _texts_by_key(value: object, _: TypeForm) -> object:
    """Values are text, but for lists and objects in JSON."""
    if not isinstance(value, dict):
        raise Wrong("must have keys, such as meta.sku")
    return {key: _part(text) for key, text in value.items()}


def _part(text: str) -> object:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _literal(cls: TypeForm, _: BaseConverter) -> Hook:
    choices = {each: each for each in get_args(cls)}
    return lambda value, _: _choice(value, choices)


def _object(cls: TypeForm, converter: BaseConverter) -> Hook:
    is_open = issubclass(cls, Open)
    structure = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=not is_open)
    most = len(attrs.fields(cls)) + MAX_FAULTS

    def hook(value: object, as_: TypeForm) -> object:
        if not isinstance(value, dict):
            raise Wrong("must be an object")
        if len(value) > most and not is_open:
            raise Wrong("has too many fields that are not known")
        return structure(value, as_)

    return hook


def _list(cls: TypeForm, converter: BaseConverter) -> Hook:
    """It stops at the most faults that are reported."""
    entry = get_args(cls)[0]
    structure = converter.get_structure_hook(entry)

    def hook(value: object, _: TypeForm) -> object:
        if not isinstance(value, list):
            raise Wrong("must be a list")
        structured: list[object] = []
        errors: list[Exception] = []
        for index, each in enumerate(value):
            try:
                structured.append(structure(each, entry))
            except (BaseValidationError, Wrong) as error:
                error.add_note(IterableValidationNote("", index, entry))
                errors.append(error)
                if len(errors) == MAX_FAULTS:
                    break
        if errors:
            raise IterableValidationError("", errors, cls)
        return tuple(structured)

    return hook


def _comma_list(cls: TypeForm, converter: BaseConverter) -> Hook:
    structure = _list(cls, converter)
    return lambda value, as_: structure(value.split(",") if isinstance(value, str) else value, as_)


def _optional(cls: TypeForm, converter: BaseConverter) -> Hook:
    """A union of one real type with ``None``, `Unset` or both; `Unset` is a default, never a value. Numbers, which are
    described by msgspec, have msgspec's."""
    members = get_args(cls)
    (real,) = (member for member in members if member not in (NoneType, Unset, UnsetType))
    structure = converter.get_structure_hook(real)
    may_be_null = NoneType in members
    return lambda value, _: None if value is None and may_be_null else structure(value, real)


def _constrained(cls: TypeForm, converter: BaseConverter) -> Hook:
    base, *metas = get_args(cls)
    structure = converter.get_structure_hook(base)
    checks = [check for meta in metas for check in _checks(meta, base)]
    is_list = get_origin(base) is tuple

    def hook(value: object, _: TypeForm) -> object:
        if NOTHING in metas and value in NOTHING_TEXTS:
            return None
        if isinstance(value, list) and is_list:  # before any entry of it is looked at
            _hold(checks, value)
        structured = structure(value, base)
        _hold(checks, structured)
        return structured

    return hook


def _checks(meta: Meta, base: TypeForm) -> Iterator[CheckValue]:
    """What it asks for, and the end of a sentence that says so."""
    low, high = meta.ge, meta.le
    if low is not None and high is not None:
        yield lambda number: low <= number <= high, f"must be {low:,} to {high:,}"
    least, most = meta.min_length or 0, meta.max_length
    if most is not None:
        unit = "characters" if base is str else "entries"
        yield lambda value: least <= len(value) <= most, f"must have {least:,} to {most:,} {unit}"
    if meta.pattern is not None:
        yield re.compile(meta.pattern).fullmatch, f"must be {meta.description}"


def _hold(checks: Iterable[CheckValue], value: object) -> None:
    for holds, message in checks:
        if not holds(value):
            raise Wrong(message)


def _converter(plain: Hook, of_list: Callable[[TypeForm, BaseConverter], Hook]) -> Converter:
    converter = Converter(detailed_validation=True)
    for cls in _PLAIN:
        converter.register_structure_hook(cls, plain)
    converter.register_structure_hook(UUID, _identifier)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook_factory(attrs.has, _object)
    converter.register_structure_hook_factory(originates(tuple), of_list)
    converter.register_structure_hook_factory(originates(Literal), _literal)
    converter.register_structure_hook_factory(originates(*UNIONS), _optional)
    converter.register_structure_hook_factory(originates(Annotated), _constrained)
    return converter


_JSON = _converter(_plain, _list)
_JSON.register_structure_hook_func(originates(Mapping), _any_object)
_TEXT = _converter(_plain_text, _comma_list)
_TEXT.register_structure_hook_func(originates(Mapping), _texts_by_key)
