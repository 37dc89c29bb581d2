"""Decoders that many tests share: to start one takes longer than what most tests ask of it.

    @pytest.fixture(scope="session")
    def imaging_engine():
        with SharedEngine.running() as engine:
            yield engine

A test that kills, starves or counts decoders opens a `SandboxedEngine` of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio
from anyio.from_thread import start_blocking_portal

from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import (
    FileWords,
    ImagingEngine,
    Inspection,
    Measurement,
    Removal,
    Rendered,
    Rendition,
)
from imagegallery.imaging.sandbox.engine import SandboxedEngine

_OPTIONS = ImagingOptions(processes=2, threads=1, recycle_after=10_000)

Answer = TypeVar("Answer")


class SharedEngine:
    """An `ImagingEngine` that any event loop of this process may use, one after the other or at once.

    The engine behind it lives in a thread of its own, which keeps its children from one test to the next.
    """

    def __init__(self, engine: ImagingEngine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._loop = loop

    @classmethod
    @contextmanager
    def running(cls, options: ImagingOptions = _OPTIONS) -> Iterator[Self]:
        """Works in any test runner; the children start when they are first needed, and are gone afterwards."""
        with cls.over(SandboxedEngine(options)) as shared:
            yield shared

    @classmethod
    @contextmanager
    def over(cls, engine: ImagingEngine) -> Iterator[Self]:
        """Gives the engine a thread, and closes it there."""
        with start_blocking_portal() as portal:
            try:
                yield cls(engine, portal.call(asyncio.get_running_loop))
            finally:
                portal.call(engine.aclose)

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        return await self._forward(
            partial(self._engine.inspect, path, content_type=content_type, decode=decode, owner_id=owner_id)
        )

    async def render(
        self,
        path: Path,
        renditions: tuple[Rendition, ...],
        into: Path,
        *,
        content_type: str,
        measurements: Sequence[Measurement] = (),
        owner_id: str = "",
    ) -> Rendered:
        return await self._forward(
            partial(
                self._engine.render,
                path,
                renditions,
                into,
                content_type=content_type,
                measurements=measurements,
                owner_id=owner_id,
            )
        )

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None:
        await self._forward(
            partial(
                self._engine.remove_metadata,
                path,
                into,
                content_type=content_type,
                removal=removal,
                owner_id=owner_id,
            )
        )

    async def read_sidecar(self, path: Path, *, owner_id: str = "") -> FileWords:
        return await self._forward(partial(self._engine.read_sidecar, path, owner_id=owner_id))

    async def aclose(self) -> None:
        """Nothing: others use it. It ends with `running`."""

    async def _forward(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """The outcome of ``call``, made in the engine's loop. A caller that is cancelled cancels it, and waits."""
        scope = anyio.CancelScope()
        outcome = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_within(scope, call), self._loop))
        try:
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            self._loop.call_soon_threadsafe(scope.cancel)
            with anyio.CancelScope(shield=True):
                await asyncio.wait([outcome])
            outcome.exception()  # nobody is left to receive it
            raise


async def _within(scope: anyio.CancelScope, call: Callable[[], Awaitable[Answer]]) -> Answer:
    with scope:
        return await call()
    raise asyncio.InvalidStateError("cancelled by its caller, who does not listen any more")
