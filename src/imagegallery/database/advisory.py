"""Named locks that hold across processes, and that others can ask their holder to release.

They are PostgreSQL's session-level advisory locks (its manual, section "Advisory Locks"), which end with their
connection, so that no crash leaves one behind. One connection of a process, opened for the first lock, holds all of
them. It also listens to a channel on which others ask a holder to release. Within the process a table separates tasks,
because PostgreSQL sees them as one session, which may take a lock twice.

If that connection is lost, so are its locks: their holders are asked to stop at once, and must not rely on being alone.
What they write to needs a fence of its own.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta

import anyio

from imagegallery.database.connection import Connection
from imagegallery.database.failures import ENDINGS
from imagegallery.database.namespace import Namespace
from imagegallery.errors import Unavailable

CHANNEL = "imagegallery_locks"
# How often to try again, in case the release notification was lost.
RETRY = timedelta(milliseconds=500)
STATEMENT_TIME = timedelta(seconds=10)

_TRY = "SELECT pg_try_advisory_lock($1)"
# To the holder: somebody wants it. To those who wait: it is free.
_ASK = "SELECT pg_notify($1, 'want ' || $2::bigint)"
_RELEASE = "SELECT pg_advisory_unlock($2), pg_notify($1, 'free ' || $2::bigint)"

OpenSession = Callable[[], AbstractAsyncContextManager[Connection]]


class LockTaken(Exception):
    """The holder did not release the lock in time."""


class Hold:
    """A lock that is held, or about to be. ``asked`` is set when somebody wants it, or it is lost: then finish."""

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self._scopes: set[anyio.CancelScope] = set()

    @contextmanager
    def while_unasked(self) -> Iterator[None]:
        """Cancel the block when somebody asks for the lock, or has asked, and then end the context quietly."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            if self.asked.is_set():
                scope.cancel()
            try:
                yield
            finally:
                self._scopes.discard(scope)

    def ask(self) -> None:
        self.asked.set()
        for scope in self._scopes:
            scope.cancel()


class AdvisoryLocks:
    """The locks of this process and a gallery's ``namespace``. ``open_session`` opens their connection; `aclose`
    releases all."""

    def __init__(self, open_session: OpenSession, namespace: Namespace) -> None:
        self._open_session = open_session
        self._namespace = namespace
        self._channel = namespace.own(CHANNEL)
        self._holds: dict[int, Hold] = {}
        self._waiting: dict[int, set[anyio.Event]] = {}
        self._stack = AsyncExitStack()
        self._session: Connection | None = None
        # asyncpg runs one statement of a connection at a time, and only one task may open it.
        self._turn = anyio.Lock()

    @asynccontextmanager
    async def hold(self, name: str, *, patience: timedelta) -> AsyncIterator[Hold]:
        """Hold the lock of this name, after asking its holder to release it.

        Raises `LockTaken` if that takes longer than ``patience``, and `Unavailable` if the database does not respond.
        """
        number = _number(self._namespace.own(name))
        hold = await self._take(number, patience)
        try:
            yield hold
        finally:
            with anyio.CancelScope(shield=True):
                await self._release(number, hold)

    async def aclose(self) -> None:
        """Close the connection, which releases all locks. May be used again afterwards."""
        with anyio.CancelScope(shield=True):
            async with self._turn:
                self._lose_all()
                await self._stack.aclose()

    # --- taking and giving back ----------------------------------------------------------------------------

    async def _take(self, number: int, patience: timedelta) -> Hold:
        with anyio.move_on_after(patience.total_seconds()):
            while True:
                with self._listen(number) as freed:
                    hold = await self._attempt(number)
                    if hold is not None:
                        return hold
                    with anyio.move_on_after(RETRY.total_seconds()):
                        await freed.wait()
        raise LockTaken

    async def _attempt(self, number: int) -> Hold | None:
        """Take the lock if it is free; otherwise ask for it."""
        holder = self._holds.get(number)
        if holder is not None:
            holder.ask()
            return None
        hold = self._holds[number] = Hold()
        taken = False
        try:
            taken = bool(await self._run(_TRY, number))
            if not taken:
                await self._run(_ASK, self._channel, number)
        finally:
            if not taken:
                self._forget(number, hold)
        return hold if taken else None

    async def _release(self, number: int, hold: Hold) -> None:
        held = self._holds.get(number) is hold
        try:
            if held:
                with suppress(Unavailable):  # then the lock went with the connection
                    await self._run(_RELEASE, self._channel, number, reopen=False)
        finally:
            self._forget(number, hold)

    def _forget(self, number: int, hold: Hold) -> None:
        if self._holds.get(number) is hold:
            del self._holds[number]
        self._tell_waiting(number)

    # --- the connection ------------------------------------------------------------------------------------

    async def _run(self, sql: str, *arguments: object, reopen: bool = True) -> object:
        """Run one statement without interruption: an unknown lock would never be released. Waiting for a turn may be
        cancelled."""
        async with self._turn:
            with anyio.CancelScope(shield=True):
                answer = await self._answer(sql, *arguments, reopen=reopen)
        return answer

    async def _answer(self, sql: str, *arguments: object, reopen: bool) -> object:
        if self._session is None and not reopen:
            raise Unavailable("The database connection was lost.")
        try:
            session = await self._open()
            return await session.fetchval(sql, *arguments, timeout=STATEMENT_TIME.total_seconds())
        except ENDINGS as error:
            if self._session is not None:
                self._session.terminate()
            self._lose_all()
            raise Unavailable("The database connection was lost.") from error

    async def _open(self) -> Connection:
        if self._session is None or self._session.is_closed():
            await self._stack.aclose()
            self._session = await self._stack.enter_async_context(self._open_session())
            self._session.add_termination_listener(self._lost)
            await self._session.add_listener(self._channel, self._heard)
        return self._session

    def _lost(self, session: object) -> None:
        if session is self._session:
            self._lose_all()

    def _lose_all(self) -> None:
        self._session = None
        for number, hold in [*self._holds.items()]:
            hold.ask()
            self._forget(number, hold)

    def _heard(self, _session: object, sender: int, _channel: str, payload: object) -> None:
        word, _, text = str(payload).partition(" ")
        if not text.removeprefix("-").isdigit():
            return
        number = int(text)
        if word == "free":
            self._tell_waiting(number)
        elif number in self._holds and self._session is not None and sender != self._session.get_server_pid():
            self._holds[number].ask()

    # --- who waits -----------------------------------------------------------------------------------------

    @contextmanager
    def _listen(self, number: int) -> Iterator[anyio.Event]:
        """An event that is set when the lock may be free."""
        freed = anyio.Event()
        self._waiting.setdefault(number, set()).add(freed)
        try:
            yield freed
        finally:
            waiting = self._waiting[number]
            waiting.discard(freed)
            if not waiting:
                del self._waiting[number]

    def _tell_waiting(self, number: int) -> None:
        for freed in self._waiting.get(number, ()):
            freed.set()


def _number(name: str) -> int:
    """PostgreSQL names such a lock by a signed number of 64 bits."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
