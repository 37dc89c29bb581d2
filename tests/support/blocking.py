"""The guard of all tests: a call that blocks the event loop, made by this project's own packages, raises.

`blockbuster` finds such calls. For each one it compares the file of every frame of the stack with its lists; what it
would find out about a piece of code is remembered here, so that only a call that is going to raise costs that much.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from blockbuster import BlockBuster, BlockBusterFunction

PACKAGES: Final = ["imagegallery", "imagegallery_asgi"]
EXCLUDED: Final = ["imagegallery.testing", "imagegallery.dev_stack"]  # they serve tests; whom they call is watched
# asyncpg looks for a password file and client certificates whenever it reads a DSN.
_READING_A_DSN: Final = ("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
# An event loop in a thread of its own, with nothing else to hold up.
_WARMING_UP: Final = ("imagegallery/aws/clients.py", "_warm_up")

Predicate = Callable[..., bool]


def make_guard() -> BlockBuster:
    """Not active yet."""
    guard = BlockBuster(PACKAGES, excluded_modules=EXCLUDED)
    places = _Places(_files_of(PACKAGES), _files_of(EXCLUDED))
    for function in guard.functions.values():
        for place in (_READING_A_DSN, _WARMING_UP):
            function.can_block_in(*place)
        function.can_block_predicate = _with_memory(function, places)
    return guard


class _Places:
    """Which code is this project's own."""

    def __init__(self, own: tuple[str, ...], excluded: tuple[str, ...]) -> None:
        self._own = own
        self._excluded = excluded
        self._known: dict[str, bool] = {}

    def are_own(self, file: str) -> bool:
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = file.startswith(self._own) and not file.startswith(self._excluded)
        return known


def _with_memory(function: BlockBusterFunction, places: _Places) -> Predicate:
    """Whether a call may block: by what the function itself allows, or by where it comes from."""
    allows = function.can_block_predicate
    # Equal code of two files is one key without the file.
    watched: dict[tuple[CodeType, str], bool | None] = {}

    def judge(code: CodeType) -> bool | None:
        """Whether a call from here is watched; ``None`` where it is allowed, whoever wanted it."""
        if _is_among(code, function.can_block_functions):
            return None
        return places.are_own(code.co_filename)

    def may_block(*arguments: object, **named: object) -> bool:
        if allows(*arguments, **named):
            return True
        is_watched = False
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            try:
                verdict = watched[code, code.co_filename]
            except KeyError:
                verdict = watched[code, code.co_filename] = judge(code)
            if verdict is None:
                return True
            is_watched = is_watched or verdict
            frame = frame.f_back
        return not is_watched

    return may_block


def _is_among(code: CodeType, functions: list[tuple[str, Iterable[str]]]) -> bool:
    file = code.co_filename.replace("\\", "/")
    return any(file.endswith(ending) and code.co_name in names for ending, names in functions)


def _files_of(packages: list[str]) -> tuple[str, ...]:
    return tuple(str(Path(str(__import__(name, fromlist=["_"]).__file__)).parent) for name in packages)
