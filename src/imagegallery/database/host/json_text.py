"""JSON that crosses the wire as text: what a host has told its driver about jsonb plays no part, and stays. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

_PARAMETER: Final = re.compile(r"\$(\d+)")
_JSON: Final = ("json", "jsonb")
_TOKEN: Final = re.compile(r"'[^']*'|[()]|\b(?:SELECT|INSERT|UPDATE|DELETE)\b")


@frozen
class Named:
    """A column of a result, or a parameter, and its type as PostgreSQL names it: ``jsonb``, ``jsonb[]``."""

    name: str
    type: str


@frozen
class JsonText:
    """A statement none of whose parameters or columns is JSON, and where to encode and decode.

    ``parameters`` are the numbers, from 0, of those that were JSON, or arrays of it.
    """

    sql: str
    parameters: frozenset[int] = frozenset()
    arrays: frozenset[int] = frozenset()
    columns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sql: str, parameters: Sequence[str], columns: Sequence[Named]) -> "JsonText":
        """The statement ``sql``, whose parameters and columns have these types."""
        single = frozenset(number for number, name in enumerate(parameters) if name in _JSON)
        arrays = frozenset(number for number, name in enumerate(parameters) if name.removesuffix("[]") in _JSON)

        def cast(found: re.Match[str]) -> str:
            number = int(found[1]) - 1
            if number in single:
                return f"{found[0]}::text::{parameters[number]}"
            return f"{found[0]}::text[]::{parameters[number]}" if number in arrays else found[0]

        text = _PARAMETER.sub(cast, sql)
        decoded = frozenset(each.name for each in columns if each.type in _JSON)
        if decoded:
            listed = ", ".join(
                f'"{each.name}"::text AS "{each.name}"' if each.name in decoded else f'"{each.name}"'
                for each in columns
            )
            start = _main(text)
            before = f"{text[:start].rstrip()}," if start else "WITH"
            text = f"{before} answered AS ({text[start:]}) SELECT {listed} FROM answered"  # noqa: S608  (our own)
        return cls(text, single, arrays - single, decoded)

    def encode(self, values: Sequence[object]) -> list[object]:
        return [self._encoded(number, value) for number, value in enumerate(values)]

    def decode(self, name: str, value: object) -> object:
        return json.loads(value) if name in self.columns and isinstance(value, str) else value

    def _encoded(self, number: int, value: object) -> object:
        if value is None:
            return None
        if number in self.parameters:
            return json.dumps(value)
        if number in self.arrays and isinstance(value, list | tuple):
            return [None if each is None else json.dumps(each) for each in value]
        return value


def _main(sql: str) -> int:
    """Where the statement itself begins, behind what its WITH names; 0 without one."""
    depth = 0
    for found in _TOKEN.finditer(sql if sql.lstrip().startswith("WITH") else ""):
        match found[0][0]:
            case "(":
                depth += 1
            case ")":
                depth -= 1
            case "'":
                pass
            case _ if depth == 0:
                return found.start()
    return 0
