"""The names of settings, and the known one that a misspelt one is nearest to. Pure."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import attrs


def names_of(options: type) -> Iterator[str]:
    """The dotted names of the options of an attrs class and of those that it is composed of."""
    for field in attrs.fields(attrs.resolve_types(options)):
        if isinstance(field.type, type) and attrs.has(field.type):
            yield from (f"{field.name}.{name}" for name in names_of(field.type))
        else:
            yield field.name


def unknown(name: str, known: Iterable[str]) -> str:
    """A sentence about a name that does not exist."""
    nearest = get_close_matches(name, known, n=1)
    return f"there is no setting {name}" + (f"; did you mean {nearest[0]}?" if nearest else ".")
