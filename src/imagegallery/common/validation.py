"""Input checked in one pass, so that an answer names everything that is wrong with it: pure."""

import re
import unicodedata
from enum import StrEnum
from typing import TypeVar

from imagegallery.errors import MAX_FAULTS, Fault, InvalidInput

E = TypeVar("E", bound=StrEnum)

_LAYOUT = frozenset("\t\n\r")
# Explicit direction controls (UAX #9 section 2): with one, "gpj.exe" can be made to read "exe.jpg".
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What begins a tag (HTML standard, "Tag open state"): "I <3 Lisbon" has none.
_TAG = re.compile(r"<[A-Za-z/!?]")


class Faults:
    """Collects what is wrong; `check` raises it all at once."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: tuple[str, ...], message: str) -> None:
        self._found.append(Fault(path, message))

    def check(self) -> None:
        """Raises `InvalidInput` with the faults so far, if there is one."""
        if self._found:
            parts = "; ".join(f"{'.'.join(fault.path[1:])} {fault.message}" for fault in self._found[:MAX_FAULTS])
            raise InvalidInput(f"The input is not valid: {parts}.", self._found)

    def line(self, path: tuple[str, ...], text: str, most: int) -> str:
        """A name: ``text`` without outer white space, 1 to ``most`` characters, none of them a control character, also
        of direction; not dots alone, and no markup."""
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
        """``text`` as it is: at most ``most`` characters, no control characters but tabs and line ends."""
        if len(text) > most:
            self.add(path, f"must be at most {most:,} characters long")
        elif any(_is_control(character) for character in text if character not in _LAYOUT):
            self.add(path, "must not contain control characters")
        return text

    def choice(self, path: tuple[str, ...], value: str, choices: type[E]) -> E:
        """The member of ``choices`` that is written ``value``; any member after a fault."""
        members = {member.value: member for member in choices}
        if value not in members:
            self.add(path, f"must be one of {', '.join(members)}")
        return members.get(value, next(iter(choices)))


def _is_control(character: str) -> bool:
    """Control characters, NUL among them, and lone surrogates, which have no UTF-8 form."""
    return unicodedata.category(character) in ("Cc", "Cs")
