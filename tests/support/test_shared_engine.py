"""Decoders that tests share: from any event loop, and a caller that is cancelled leaves nothing at work."""

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import anyio
import pytest
from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from attrs import define, field
from tests.support.shared_engine import SharedEngine

from imagegallery.errors import BadImage
from imagegallery.imaging.protocol import FileWords, Inspection, Measurement, Removal, Rendered, Rendition

SEEN = Inspection("image/png", 3, 2, 1)


@define
class Engine:
    """Answers at once, refuses what is called bad, and never comes to an end with what is called endless."""

    begun: Event = field(factory=Event)
    ended: Event = field(factory=Event)

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        if path.name == "bad":
            raise BadImage("truncated", "It is cut.")
        if path.name == "endless":
            await self._never()
        return SEEN

    async def _never(self) -> None:
        self.begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            self.ended.set()

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
        return Rendered((), SEEN, {})

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None: ...

    async def read_sidecar(self, path: Path, *, owner_id: str = "") -> FileWords:
        return FileWords()

    async def aclose(self) -> None: ...


async def inspect(engine: SharedEngine, name: str = "good") -> Inspection:
    return await engine.inspect(Path(name), content_type="image/png")


async def test_answers_and_errors_come_from_the_other_loop() -> None:
    with SharedEngine.over(Engine()) as shared:
        assert await inspect(shared) == SEEN
        with pytest.raises(BadImage):
            await inspect(shared, "bad")


def test_any_loop_may_ask() -> None:
    with SharedEngine.over(Engine()) as shared:
        for _ in range(2):
            with start_blocking_portal() as portal:
                assert portal.call(inspect, shared) == SEEN


async def test_a_cancelled_caller_cancels_the_call_and_waits_for_its_end() -> None:
    engine = Engine()
    with SharedEngine.over(engine) as shared:
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(inspect, shared, "endless")
                await to_thread.run_sync(engine.begun.wait)
                tasks.cancel_scope.cancel()
        assert engine.ended.is_set()
        assert await inspect(shared) == SEEN
