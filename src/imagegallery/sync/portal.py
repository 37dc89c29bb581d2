"""A gallery in an event loop of its own, in a thread of its own, for callers that have none."""

import atexit
import logging
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import TypeVar

import anyio
from anyio.from_thread import BlockingPortal
from attrs import frozen

from imagegallery.gallery import ImageGallery

logger = logging.getLogger(__name__)

T = TypeVar("T")
Opening = AbstractAsyncContextManager[ImageGallery]


@frozen
class _Opened:
    """An open gallery, the way into its loop, and what comes of its closing."""

    gallery: ImageGallery
    loop: BlockingPortal
    closed: "Future[None]"


class Portal:
    """Opens the gallery when it is first needed, and anew in a process that was forked meanwhile: a fork has none of
    its parent's threads. Closed by `close`, or when the interpreter ends."""

    def __init__(self, make: Callable[[], Opening]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        _portals.add(self)

    @property
    def gallery(self) -> ImageGallery:
        """Raises what opening it raises."""
        return self._open().gallery

    def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """What the function returns, called in the loop. An interrupt cancels it there."""
        answer = self._open().loop.start_task_soon(function)
        try:
            return answer.result()
        finally:
            answer.cancel()  # nothing, once it is there

    def enter(self, context: AbstractAsyncContextManager[T]) -> AbstractContextManager[T]:
        """A context of the loop as one of the caller's."""
        return self._open().loop.wrap_async_context_manager(context)

    def close(self) -> None:
        """Raises what closing the gallery raises. The next call opens it again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(RuntimeError):  # it has stopped by itself
                opened.loop.start_task_soon(opened.loop.stop)
            opened.closed.result()

    def _open(self) -> _Opened:
        with self._lock:
            if self._opened is None or self._opened.closed.done():
                self._opened = self._start()
            return self._opened

    def _start(self) -> _Opened:
        opened, closed = Future[_Opened](), Future[None]()

        async def serve(opening: Opening) -> None:
            async with opening as gallery, BlockingPortal() as loop:
                opened.set_result(_Opened(gallery, loop, closed))
                await loop.sleep_until_stopped()

        def run() -> None:
            try:
                anyio.run(serve, self._make())  # which may read files: before there is a loop
            except BaseException as error:
                if not opened.done():
                    opened.set_exception(error)
                closed.set_exception(error)
            else:
                closed.set_result(None)

        # A daemon, as the interpreter waits for all others before it calls `close`.
        threading.Thread(target=run, name="imagegallery", daemon=True).start()
        return opened.result()

    def _forget(self) -> None:
        """The parent's thread, and whatever lock it held, are not here."""
        self._lock = threading.Lock()
        self._opened = None


_portals: "weakref.WeakSet[Portal]" = weakref.WeakSet()


def _close_all() -> None:
    for portal in [*_portals]:
        try:
            portal.close()
        except Exception:
            logger.exception("the gallery did not close")


def _forget_all() -> None:
    for portal in [*_portals]:
        portal._forget()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)
