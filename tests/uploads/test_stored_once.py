"""The same bytes are stored once, whatever is uploaded, deleted, restored and purged at the same time."""

import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import anyio
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from tests.support.clock import ManualClock
from tests.support.database import DatabaseServer
from tests.support.upkeep import upkeep_of
from tests.support.uploads import Uploading

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import Conflict, DuplicateImage, NotFound
from imagegallery.ids import new_id
from imagegallery.images.image.image import Image
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.principal import Principal
from imagegallery.uploads.session.policy import OnDuplicate

_LEASE = timedelta(minutes=1)
_RETENTION = timedelta(days=30)
_ROWS = "SELECT id, original_key, sha256 FROM images WHERE owner_id = $1"
_USED = "SELECT coalesce(sum(storage_used), 0)::bigint FROM owners WHERE owner_id = $1"


def _png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", (8 + shade, 8), (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


CONTENTS = {hashlib.sha256(data).digest(): data for data in map(_png, range(2))}


@frozen
class Upload:
    content: int
    on_duplicate: OnDuplicate | None


@frozen
class Change:
    """``number`` chooses among the images there have been."""

    name: str
    number: int


@frozen
class Everywhere:
    """``sweep`` the trash, or do the jobs that delete objects."""

    name: str


Step = Upload | Change | Everywhere
steps = st.one_of(
    st.builds(Upload, st.integers(0, len(CONTENTS) - 1), st.sampled_from([None, *OnDuplicate])),
    st.builds(Change, st.sampled_from(["trash", "trash", "purge", "purge", "restore"]), st.integers(0, 20)),
    st.builds(Everywhere, st.sampled_from(["sweep", "jobs"])),
)
waves = st.lists(st.lists(steps, min_size=1, max_size=6), min_size=2, max_size=6)


@define
class Scene:
    """One owner's library, and the images there have been in it."""

    uploading: Uploading
    me: Principal
    images: list[UUID] = field(factory=list)

    async def do(self, step: Step) -> None:
        if isinstance(step, Upload):
            await self._upload(step)
        elif isinstance(step, Change):
            await self._change(step)
        elif step.name == "sweep":
            await self.uploading.library.images.trash.sweep()
        else:
            await self.do_jobs()

    async def _upload(self, step: Upload) -> None:
        data = list(CONTENTS.values())[step.content]
        try:
            image = await self.uploading.service.add(self.me, data, filename="a.png", on_duplicate=step.on_duplicate)
        except DuplicateImage:
            assert step.on_duplicate is OnDuplicate.REJECT
        except NotFound:
            # The image that was there went to the trash just after it was answered.
            assert step.on_duplicate is OnDuplicate.RETURN_EXISTING
        else:
            self.images.append(image.id)

    async def _change(self, step: Change) -> None:
        trash = self.uploading.library.images.trash
        actions: dict[str, Callable[[Principal, UUID], Awaitable[object]]] = {
            "trash": trash.put,
            "purge": trash.purge,
            "restore": trash.restore,
        }
        if self.images:
            with suppress(NotFound, Conflict):
                await actions[step.name](self.me, self.images[step.number % len(self.images)])

    async def do_jobs(self) -> None:
        library = self.uploading.library
        while jobs := await library.queue.claim([PURGE_OBJECTS], limit=10, lease=_LEASE):
            for job in jobs:
                await PurgeObjects(library.database, library.store).run(job)
                await library.queue.complete(job)

    async def check(self) -> None:
        """Every original is there and as it was sent, once; nothing else is; and the sum is right."""
        library, owner_id = self.uploading.library, self.me.require_user()
        async with library.database.connection() as connection:
            rows = await connection.fetch(_ROWS, owner_id)
            used = await connection.fetchval(_USED, owner_id)
        originals = {row["sha256"]: row["original_key"] for row in rows}
        assert len({row["original_key"] for row in rows}) == len(originals)
        for sha256, key in originals.items():
            async with library.store.get(key) as stream:
                assert b"".join([chunk async for chunk in stream.chunks]) == CONTENTS[sha256]
        assert await self.uploading.objects() == sorted(originals.values())
        assert used == sum(len(CONTENTS[sha256]) for sha256 in originals)
        upkeep = upkeep_of(library.database, library.store, library.queue, library.clock)
        for phase in upkeep.reconciliation(grace=timedelta(0)):
            async for step in phase.run(repair=False):
                assert step.findings == ()

    async def empty(self) -> None:
        trash = self.uploading.library.images.trash
        for image_id in set(self.images):
            with suppress(NotFound):
                await trash.put(self.me, image_id)
            with suppress(NotFound):
                await trash.purge(self.me, image_id)
        await self.do_jobs()
        self.images.clear()


async def _clear(uploading: Uploading) -> None:
    async with uploading.library.database.connection() as connection:
        await connection.execute("TRUNCATE images, owners, jobs, upload_sessions, lookalikes CASCADE")
    for key in await uploading.objects():
        await uploading.library.store.delete(key)


async def play(uploading: Uploading, plan: list[list[Step]]) -> None:
    """Each wave's steps at once."""
    await _clear(uploading)  # an example that failed may have left something
    scene = Scene(uploading, Principal.user(f"owner-{new_id()}"))
    for wave in plan:
        async with anyio.create_task_group() as tasks:
            for step in wave:
                tasks.start_soon(scene.do, step)
        uploading.clock.advance(_RETENTION / 3)
    await scene.do_jobs()
    await scene.check()
    await scene.empty()
    await scene.check()


@asynccontextmanager
async def _uploading(server: DatabaseServer, directory: Path, engine: ImagingEngine) -> AsyncIterator[Uploading]:
    async with (
        server.clone() as dsn,
        Database.connect(DatabaseOptions(dsn=dsn, max_size=8)) as database,
        Uploading.on(database, directory, ManualClock(), engine) as uploading,
    ):
        yield uploading


@frozen
class World:
    uploading: Uploading
    portal: BlockingPortal


@pytest.fixture
def world(database_server: DatabaseServer, tmp_path: Path, imaging_engine: ImagingEngine) -> Iterator[World]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_uploading(database_server, tmp_path, imaging_engine)) as uploading,
    ):
        yield World(uploading, portal)


def test_uploads_and_purges_at_once_lose_nothing_and_leave_nothing(world: World) -> None:
    @settings(max_examples=25)
    @given(waves)
    def run(plan: list[list[Step]]) -> None:
        world.portal.call(play, world.uploading, plan)

    run()


async def test_uploads_while_the_last_image_is_purged_keep_their_original(uploading: Uploading) -> None:
    """The moment at which an original may be lost, again and again."""
    scene = Scene(uploading, uploading.me)
    data = next(iter(CONTENTS.values()))
    trash = uploading.library.images.trash

    async def add() -> None:
        added.append(await uploading.service.add(uploading.me, data, filename="a.png"))

    for _ in range(15):
        first = await uploading.service.add(uploading.me, data, filename="a.png")
        await trash.put(uploading.me, first.id)
        added: list[Image] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add)
            tasks.start_soon(trash.purge, uploading.me, first.id)
            tasks.start_soon(add)
            tasks.start_soon(scene.do_jobs)
        await scene.do_jobs()
        await scene.check()
        scene.images = [image.id for image in added]
        await scene.empty()
    assert await uploading.objects() == []
