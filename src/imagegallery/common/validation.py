"""Input checked in one pass, so that an error names everything that is wrong. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from imagegallery.errors import MAX_FAULTS, Fault, InvalidInput

E = TypeVar("E", bound=StrEnum)

_LAYOUT = frozenset("\t\n\r")
# Explicit direction controls (UAX #9 section 2): they can make "gpj.exe" look like "exe.jpg".
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# The start of a tag (HTML standard, "Tag open state"): "I <3 Lisbon" has none.
_TAG = re.compile(r"<[A-Za-z/!?]")
SHA256_BYTES: Final = 32
MAX_BATCH: Final = 1000


class Faults:
    """Collects faults; `check` raises them all at once."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: tuple[str, ...], message: str) -> None:
        self._found.append(Fault(path, message))

    def check(self) -> None:
        """Raise `InvalidInput` with the faults so far, if any."""
        if self._found:
            parts = "; ".join(f"{'.'.join(fault.path[1:])} {fault.message}" for fault in self._found[:MAX_FAULTS])
            raise InvalidInput(f"The input is not valid: {parts}.", self._found)

    def line(self, path: tuple[str, ...], text: str, most: int) -> str:
        """Check a name: ``text`` without outer white space, 1 to ``most`` characters, without control and direction
        characters
        and markup, and not only dots.
        """
        stripped = text.strip()
        if not 1 <= len(stripped) <= most:
            self.add(path, f"must be 1 to {most:,} characters long")
        elif any(_is_control(character) for character in stripped):
            self.add(path, "must not contain control characters")
        elif not BIDI_CONTROLS.isdisjoint(stripped):
            self.add(path, "must not contain characters that change the direction of what follows")
        elif not stripped.strip("."):
            self.add(path, "must not be of dots alone")
        elif _TAG.search(stripped):
            self.add(path, "must not contain markup")
        return stripped

    def prose(self, path: tuple[str, ...], text: str, most: int) -> str:
        """Check ``text``: at most ``most`` characters, without control characters except tabs and line ends."""
        if len(text) > most:
            self.add(path, f"must be at most {most:,} characters long")
        elif any(_is_control(character) for character in text if character not in _LAYOUT):
            self.add(path, "must not contain control characters")
        return text

    def batch(self, path: tuple[str, ...], ids: Sequence[UUID]) -> None:
        """1 to 1,000 ids, each once."""
        if not 1 <= len(ids) <= MAX_BATCH:
            self.add(path, f"must hold 1 to {MAX_BATCH:,} ids")
            return
        seen: set[UUID] = set()
        for index, each in enumerate(ids):
            if each in seen:
                self.add((*path, str(index)), "is a repetition")
            seen.add(each)

    def digest(self, path: tuple[str, ...], digest: bytes) -> None:
        if len(digest) != SHA256_BYTES:
            self.add(path, f"must be a SHA-256 digest of {SHA256_BYTES} bytes")

    def choice(self, path: tuple[str, ...], value: str, choices: type[E]) -> E:
        """Return the member of ``choices`` with this ``value``, or any member after adding a fault."""
        members = {member.value: member for member in choices}
        if value not in members:
            self.add(path, f"must be one of {', '.join(members)}")
        return members.get(value, next(iter(choices)))


def as_choice(path: tuple[str, ...], value: str, choices: type[E]) -> E:
    """The member of ``choices`` with this ``value``. Raises `InvalidInput`, with all of them."""
    faults = Faults()
    chosen = faults.choice(path, value, choices)
    faults.check()
    return chosen


def _is_control(character: str) -> bool:
    """Control characters, with NUL, and lone surrogates, which have no UTF-8 form."""
    return unicodedata.category(character) in ("Cc", "Cs")
