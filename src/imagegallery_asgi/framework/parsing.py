"""Outside values to request classes, strictly, with the path of every fault. Pure.

Unknown fields, missing fields, wrong types and broken constraints are all reported at once, up to `MAX_FAULTS` of them.
What has too many entries is refused before any is looked at. JSON values must have their type; query parameters are
text, and are read as what the class says.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import Enum
from types import NoneType
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import attrs
from cattrs import BaseConverter, Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from imagegallery import InvalidInput
from imagegallery.common.unset import Unset
from imagegallery.errors import MAX_FAULTS, Fault
from imagegallery.ids import parse_id
from imagegallery_asgi.framework.annotations import TypeForm, arguments_of, is_annotated, is_union, origin_of
from imagegallery_asgi.framework.constraints import UUID_TEXT, Constraint, Items, Nothing
from imagegallery_asgi.framework.json_schema import is_open

T = TypeVar("T")
Path = tuple[str, ...]
# What a cattrs hook is: (value, type) to the structured value.
Hook = Callable[[object, Any], Any]

MAX_PARAMETERS = 100
_FAULTS_IN_WORDS = 3
# Of a name that the client made up, and that comes back in a fault.
_MAX_NAME = 100
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
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
    """Query parameters or form fields; one that is given twice is a fault."""
    values: dict[str, str] = {}
    repeated = set()
    for name, value in pairs:
        repeated |= {name} & values.keys()
        values[name] = value
    faults.extend(Fault((*path, name[:_MAX_NAME]), "must be given only once") for name in sorted(repeated))
    return parse_text(cls, values, path, faults)


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
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _faults(inner, (*path, *_step(inner)))
    elif isinstance(error, ForbiddenExtraKeysError):
        yield from (Fault((*path, name[:_MAX_NAME]), "is not known") for name in sorted(map(str, error.extra_fields)))
    elif isinstance(error, KeyError):
        yield Fault(path, "is required")
    elif isinstance(error, Wrong):
        yield Fault(path, str(error))
    else:
        raise error


def _step(error: Exception) -> Path:
    """The name or index that cattrs noted on an error, if it did."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (str(note.index),)
    return ()


# --- the hooks ---------------------------------------------------------------------------------------------


def _string(value: object, cls: type) -> object:
    # StrEnum classes come here too: they are strings.
    if issubclass(cls, Enum):
        return _choice(value, {member.value: member for member in cls})
    if not isinstance(value, str):
        raise Wrong("must be a text")
    return value


def _integer(value: object, _: type) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong("must be an integer")
    return value


def _integer_text(value: object, _: type) -> int:
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise Wrong("must be an integer")
    return int(value)


def _boolean(value: object, _: type) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be true or false")
    return value


def _boolean_text(value: object, _: type) -> bool:
    return value == "true" if value in ("true", "false") else _boolean(value, bool)


def _identifier(value: object, _: type) -> UUID:
    parsed = parse_id(value) if isinstance(value, str) else None
    if parsed is None:
        raise Wrong(f"must be {UUID_TEXT.meaning}")
    return parsed


def _moment(value: object, _: type) -> datetime:
    """A date-time of RFC 3339 section 5.6, in UTC."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise Wrong(_WRONG_MOMENT)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Wrong(_WRONG_MOMENT) from error


def _choice(value: object, choices: dict[str, Any]) -> object:
    if not isinstance(value, str) or value not in choices:
        raise Wrong(f"must be one of {', '.join(choices)}")
    return choices[value]


def _literal(cls: TypeForm, _: BaseConverter) -> Hook:
    choices = {value: value for value in arguments_of(cls)}
    return lambda value, _: _choice(value, choices)


def _object(cls: TypeForm, converter: BaseConverter) -> Hook:
    structure = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=not is_open(cls))
    most = None if is_open(cls) else len(attrs.fields(cls)) + MAX_FAULTS

    def hook(value: object, as_: TypeForm) -> object:
        if not isinstance(value, dict):
            raise Wrong("must be an object")
        if most is not None and len(value) > most:
            raise Wrong("has too many fields that are not known")
        return structure(value, as_)

    return hook


def _list(cls: TypeForm, converter: BaseConverter) -> Hook:
    """As many faults as are told end it."""
    entry = arguments_of(cls)[0]
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


def _optional(cls: TypeForm, converter: BaseConverter) -> Hook:
    """A union of one real type with ``None``, `Unset` or both; `Unset` is a default, never a value."""
    members = arguments_of(cls)
    (real,) = (member for member in members if member not in (NoneType, Unset))
    structure = converter.get_structure_hook(real)
    may_be_null = NoneType in members
    return lambda value, _: None if value is None and may_be_null else structure(value, real)


def _constrained(cls: TypeForm, converter: BaseConverter) -> Hook:
    base, *annotations = arguments_of(cls)
    constraints = [each for each in annotations if isinstance(each, Constraint)]
    nothing = [text for each in annotations if isinstance(each, Nothing) for text in each.texts]
    counts = [each for each in constraints if isinstance(each, Items)]
    structure = converter.get_structure_hook(base)

    def hook(value: object, _: TypeForm) -> object:
        if isinstance(value, str) and value in nothing:
            return None
        for count in counts:
            if isinstance(value, list) and (fault := count.fault(value)):
                raise Wrong(fault)
        structured = structure(value, base)
        for constraint in constraints:
            if fault := constraint.fault(structured):
                raise Wrong(fault)
        return structured

    return hook


def _is_tuple(cls: TypeForm) -> bool:
    return origin_of(cls) is tuple and arguments_of(cls)[1:] == (...,)


def _is_literal(cls: TypeForm) -> bool:
    return origin_of(cls) is Literal


def _converter(integer: Hook, boolean: Hook) -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(int, integer)
    converter.register_structure_hook(bool, boolean)
    converter.register_structure_hook(UUID, _identifier)
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook_factory(attrs.has, _object)
    converter.register_structure_hook_factory(_is_tuple, _list)
    converter.register_structure_hook_factory(_is_literal, _literal)
    converter.register_structure_hook_factory(is_union, _optional)
    converter.register_structure_hook_factory(is_annotated, _constrained)
    return converter


_JSON = _converter(_integer, _boolean)
_TEXT = _converter(_integer_text, _boolean_text)
