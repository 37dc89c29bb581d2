"""What one request goes through: the files of ours that it enters, and what it asks of the database."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, Final

import asyncpg.connection
import asyncpg.pool
import pytest
from anyio import to_thread
from attrs import define, evolve, field

SOURCES: Final = Path(__file__).parents[2] / "src"
Profile = Callable[[FrameType, str, object], None]
_IS_COUNTED: Final[ContextVar[bool]] = ContextVar("is_counted", default=False)
_NOT_FUNCTIONS: Final = ("<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>")


@define
class Trace:
    """``files``, by their paths below ``src``, in the order in which they were entered; ``calls`` is how often one of
    them called another. ``statements`` are whole, in their order; ``acquired`` counts connections of the pool."""

    files: list[str] = field(factory=list)
    calls: int = 0
    statements: list[str] = field(factory=list)
    acquired: int = 0

    @property
    def transactions(self) -> int:
        return sum(statement.startswith("BEGIN") for statement in self.statements)

    @property
    def session_reads(self) -> int:
        """How often the whole row of an upload session was read."""
        return sum(
            statement.lstrip().startswith("SELECT")
            and "FROM upload_sessions" in statement
            and "key_prefix" in statement
            for statement in self.statements
        )

    def __str__(self) -> str:
        return (
            f"{len(self.files)} files, {self.calls} calls from one to another, {self.acquired} connections, "
            f"{self.transactions} transactions, {len(self.statements)} statements, "
            f"{self.session_reads} reads of the session"
        )


@contextmanager
def traced() -> Iterator[Trace]:
    """Everything of this process that happens inside, in the threads that its tasks use, too."""
    trace = Trace()
    with pytest.MonkeyPatch.context() as patch:
        profile = _profile(trace)
        _follow_threads(patch, profile)
        _note_statements(patch, trace)
        sys.setprofile(profile)
        try:
            yield trace
        finally:
            sys.setprofile(None)


@contextmanager
def counted() -> Iterator[Trace]:
    """What this task, and those that it starts, ask of the database inside; without the files: that costs less."""
    trace, noted = Trace(), _Noted()
    with pytest.MonkeyPatch.context() as patch:
        _note_statements(patch, evolve(trace, statements=noted))
        token = _IS_COUNTED.set(True)
        try:
            yield trace
        finally:
            _IS_COUNTED.reset(token)
            trace.statements[:] = noted


class _Noted(list[str]):
    """Statements, without those of tasks in the background."""

    def append(self, statement: str) -> None:
        if _IS_COUNTED.get():
            super().append(statement)


def _profile(trace: Trace) -> Profile:
    root, seen = f"{SOURCES}/", set[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event != "call" or not name.startswith(root) or frame.f_code.co_name in _NOT_FUNCTIONS:
            return
        if name not in seen:
            seen.add(name)
            trace.files.append(name.removeprefix(root))
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(root):
            caller = caller.f_back
        if _begins(frame) and caller is not None and caller.f_code.co_filename != name:
            trace.calls += 1

    return note


def _begins(frame: FrameType) -> bool:
    """Whether it is called, rather than resumed after an ``await`` or ``yield``."""
    return frame.f_lasti < 10


def _follow_threads(patch: pytest.MonkeyPatch, profile: Profile) -> None:
    run_sync = to_thread.run_sync

    @wraps(run_sync)
    async def followed(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        def run(*given: Any) -> Any:
            sys.setprofile(profile)
            try:
                return function(*given)
            finally:
                sys.setprofile(None)

        return await run_sync(run, *arguments, **options)

    patch.setattr(to_thread, "run_sync", followed)


def _note_statements(patch: pytest.MonkeyPatch, trace: Trace) -> None:
    connection: Any = asyncpg.connection.Connection
    pool: Any = asyncpg.pool.Pool
    execute, fetch, execute_many, acquire = (
        connection.execute,
        connection._execute,
        connection._executemany,
        pool._acquire,
    )

    @wraps(execute)
    async def executed(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if not arguments:
            trace.statements.append(query)
        return await execute(self, query, *arguments, **options)

    @wraps(fetch)
    async def fetched(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        trace.statements.append(query)
        return await fetch(self, query, *arguments, **options)

    @wraps(execute_many)
    async def executed_many(self: Any, query: str, rows: Any, *arguments: Any, **options: Any) -> Any:
        trace.statements += [query for _ in rows]
        return await execute_many(self, query, rows, *arguments, **options)

    @wraps(acquire)
    async def acquired(self: Any, timeout: Any) -> Any:
        trace.acquired += 1
        return await acquire(self, timeout)

    patch.setattr(connection, "execute", executed)
    patch.setattr(connection, "_execute", fetched)
    patch.setattr(connection, "_executemany", executed_many)
    patch.setattr(pool, "_acquire", acquired)
