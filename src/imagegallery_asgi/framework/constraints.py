"""What a value must keep to beyond its type, said once: checked by `parsing`, described by `openapi`. Pure.

They annotate the fields of the request classes: ``Annotated[int, Between(1, 100)]``.
"""

import re
from collections.abc import Sized
from typing import Protocol, runtime_checkable

from attrs import frozen

from imagegallery.common.unset import UNSET

JsonSchema = dict[str, object]


@runtime_checkable
class Constraint(Protocol):
    def fault(self, value: object) -> str | None:
        """What is wrong with ``value`` (which has the annotated type), as the end of a sentence; or nothing."""

    def schema(self) -> JsonSchema:
        """The same in the words of JSON Schema 2020-12."""


@frozen
class Between:
    """A number from ``low`` to ``high``, both included."""

    low: int
    high: int

    def fault(self, value: object) -> str | None:
        fits = isinstance(value, int) and self.low <= value <= self.high
        return None if fits else f"must be {self.low:,} to {self.high:,}"

    def schema(self) -> JsonSchema:
        return {"minimum": self.low, "maximum": self.high}


@frozen
class Length:
    """A text of ``low`` to ``high`` characters (code points)."""

    low: int
    high: int

    def fault(self, value: object) -> str | None:
        fits = isinstance(value, str) and self.low <= len(value) <= self.high
        return None if fits else f"must have {self.low:,} to {self.high:,} characters"

    def schema(self) -> JsonSchema:
        return {"minLength": self.low, "maxLength": self.high}


@frozen
class Items:
    """A list of ``low`` to ``high`` entries."""

    low: int
    high: int

    def fault(self, value: object) -> str | None:
        fits = isinstance(value, Sized) and self.low <= len(value) <= self.high
        return None if fits else f"must have {self.low:,} to {self.high:,} entries"

    def schema(self) -> JsonSchema:
        return {"minItems": self.low, "maxItems": self.high}


@frozen
class Nothing:
    """Says of a value that may be ``None``: these texts stand for it. They are what JavaScript makes of nothing when it
    must be text (a query, a form), and what forms send for a field that was left empty."""

    texts: tuple[str, ...]

    def schema(self) -> JsonSchema:
        return {"enum": list(self.texts)}


@frozen
class Pattern:
    """A text of which the whole matches ``regex``; ``meaning`` says it to people ("must be …")."""

    regex: str
    meaning: str

    def fault(self, value: object) -> str | None:
        fits = isinstance(value, str) and re.fullmatch(self.regex, value) is not None
        return None if fits else f"must be {self.meaning}"

    def schema(self) -> JsonSchema:
        return {"pattern": f"^{self.regex}$"}


@frozen(eq=False)
class Example:
    """What stands for such a value in the examples of the description; `UNSET`: its field is left out of them."""

    value: object


LEFT_OUT = Example(UNSET)

# PostgreSQL's text cannot hold U+0000.
NO_NUL = Pattern(r"[^\u0000]*", "text without NUL characters")
SHA256_HEX = Pattern(r"[0-9a-fA-F]{64}", "the 64 hexadecimal digits of a SHA-256")
MEDIA_TYPE = Pattern(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,63}", "a media type such as image/jpeg")
WORD = Pattern(r"[a-z0-9_-]{1,64}", "a name of lower-case letters, digits, - and _")
MONTH = Pattern(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])", "a month such as 2024-06")
UUID_TEXT = Pattern(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "an id: a UUID with hyphens")
NOTHING = Nothing(("", "null", "undefined"))
EVENT_ID = Pattern(r"[0-9]{1,19}", "the id of an event")
