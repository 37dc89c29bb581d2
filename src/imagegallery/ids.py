"""Ids are UUIDv7 (RFC 9562 section 5.7): ordered by creation time, so that new rows land together in an index.

Callers give ids as such or as text. Services convert what they get where they are entered, by `as_id`.
"""

from collections.abc import Iterable
from typing import TypeAlias
from uuid import UUID

import uuid_utils.compat

from imagegallery.errors import Fault, InvalidInput

Id: TypeAlias = UUID | str


def new_id() -> UUID:
    """A fresh UUIDv7; ids from one process are strictly increasing."""
    return uuid_utils.compat.uuid7()


def parse_id(text: str) -> UUID | None:
    """The id in its one form (RFC 9562 section 4: digits in any case, hyphens), else ``None``."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text.lower() else None


def as_id(given: Id, name: str) -> UUID:
    """The id that a caller gave as the argument ``name``: as such, or as text with hyphens or without.

    Raises:
        InvalidInput: For anything else.
    """
    if isinstance(given, UUID):
        return given
    if (found := _read(given)) is None:
        raise _refuse(name, given)
    return found


def as_id_or_none(given: Id | None, name: str) -> UUID | None:
    """The same for an argument that may be left out."""
    return None if given is None else as_id(given, name)


def as_ids(given: Iterable[Id], name: str) -> list[UUID]:
    """The same for several."""
    if isinstance(given, str | UUID) or not isinstance(given, Iterable):
        raise _refuse(name, given, "a list of ids")
    return [as_id(each, f"{name}.{index}") for index, each in enumerate(given)]


def _read(given: object) -> UUID | None:
    if not isinstance(given, str):
        return None
    parts = (given[:8], given[8:12], given[12:16], given[16:20], given[20:])
    return parse_id(given if "-" in given else "-".join(parts))


def _refuse(name: str, given: object, wanted: str = "an id (UUID)") -> InvalidInput:
    shown = f"the text {given[:40]!r}" if isinstance(given, str) else f"of the class {type(given).__name__}"
    message = f"must be {wanted}, and is {shown}"
    return InvalidInput(f"{name} {message}.", [Fault(("argument", *name.split(".")), message)])
