"""Whatever is deleted, restored, purged, added and removed: counts, storage and lists are as a model says."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from attrs import define, evolve, field, frozen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.clock import ManualClock
from tests.support.database import DatabaseServer
from tests.support.library import Library, make_image

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import NotFound
from imagegallery.ids import new_id
from imagegallery.images.batch.batch import BatchActionLike
from imagegallery.principal import Principal

RETENTION = timedelta(days=30)
numbers = st.integers(min_value=0, max_value=1000)
selections = st.lists(numbers, min_size=1, max_size=4)


@frozen
class World:
    """A library, and the event loop it lives in."""

    library: Library
    portal: BlockingPortal


@define
class Model:
    """Images by id with their sizes; those in the trash since when; galleries with all that is, or was, in them."""

    sizes: dict[UUID, int] = field(factory=dict)
    trashed: dict[UUID, int] = field(factory=dict)
    galleries: dict[UUID, list[UUID]] = field(factory=dict)

    def shown(self, gallery_id: UUID) -> list[UUID]:
        return [each for each in self.galleries[gallery_id] if each not in self.trashed]

    def forget(self, image_id: UUID) -> None:
        del self.sizes[image_id], self.trashed[image_id]
        for members in self.galleries.values():
            if image_id in members:
                members.remove(image_id)


class TrashMachine(RuleBasedStateMachine):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.library = world.library
        self.portal = world.portal
        self.me = Principal.user(f"owner-{new_id()}")
        self.days = 0
        self.model = Model()

    # --- what is done -----------------------------------------------------------------------------------------------

    @initialize()
    def begin_with_a_gallery_of_three(self) -> None:
        self.make_gallery()
        for size in (1000, 2000, 3000):
            self.upload(size)
        self.add(0, [0, 1, 2])

    @rule(size=st.integers(min_value=1000, max_value=10**6))
    def upload(self, size: int) -> None:
        image = evolve(make_image(self.me.require_user()), file_size=size)
        self.portal.call(self.library.add_image, image)
        self.model.sizes[image.id] = size

    @rule()
    @precondition(lambda self: len(self.model.galleries) < 3)
    def make_gallery(self) -> None:
        gallery = self.portal.call(lambda: self.library.galleries.create(self.me, name="Lisbon"))
        self.model.galleries[gallery.id] = []

    @rule(number=numbers)
    @precondition(lambda self: self.model.galleries)
    def delete_gallery(self, number: int) -> None:
        gallery_id = self._gallery(number)
        self.portal.call(self.library.galleries.delete, self.me, gallery_id)
        del self.model.galleries[gallery_id]

    @rule(number=numbers, chosen=selections)
    @precondition(lambda self: self.model.galleries and self.model.sizes)
    def add(self, number: int, chosen: list[int]) -> None:
        gallery_id, image_ids = self._gallery(number), self._images(chosen)
        self._batch("add_to_gallery", image_ids, gallery_id)
        members = self.model.galleries[gallery_id]
        members += [each for each in image_ids if each not in self.model.trashed and each not in members]

    @rule(number=numbers, chosen=selections)
    @precondition(lambda self: self.model.galleries and self.model.sizes)
    def remove(self, number: int, chosen: list[int]) -> None:
        gallery_id, image_ids = self._gallery(number), self._images(chosen)
        self._batch("remove_from_gallery", image_ids, gallery_id)
        for each in self.model.shown(gallery_id):
            if each in image_ids:
                self.model.galleries[gallery_id].remove(each)

    @rule(chosen=selections)
    @precondition(lambda self: self.model.sizes)
    def trash(self, chosen: list[int]) -> None:
        image_ids = self._images(chosen)
        if len(image_ids) == 1 and image_ids[0] not in self.model.trashed:
            self.portal.call(self.library.images.delete, self.me, image_ids[0])
        else:
            self._batch("trash", image_ids)
        for each in image_ids:
            self.model.trashed.setdefault(each, self.days)

    @rule(chosen=selections)
    @precondition(lambda self: self.model.sizes)
    def restore(self, chosen: list[int]) -> None:
        image_ids = self._images(chosen)
        if len(image_ids) == 1:
            self.portal.call(self.library.images.trash.restore, self.me, image_ids[0])
        else:
            self._batch("restore", image_ids)
        for each in image_ids:
            self.model.trashed.pop(each, None)

    @rule(number=numbers)
    @precondition(lambda self: self.model.trashed)
    def purge(self, number: int) -> None:
        image_id = list(self.model.trashed)[number % len(self.model.trashed)]
        self.portal.call(self.library.images.trash.purge, self.me, image_id)
        self.model.forget(image_id)
        with pytest.raises(NotFound):
            self.portal.call(self.library.images.trash.restore, self.me, image_id)

    @rule(days=st.integers(min_value=1, max_value=40))
    def sweep(self, days: int) -> None:
        self.days += days
        self.library.clock.advance(timedelta(days=days))
        self.portal.call(self.library.images.trash.sweep)
        for image_id, since in list(self.model.trashed.items()):
            if since + RETENTION.days <= self.days:
                self.model.forget(image_id)

    # --- what is so afterwards --------------------------------------------------------------------------------------

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        self.portal.call(self._check)  # once a step: every call wakes two threads

    async def _check(self) -> None:
        await self._galleries_hold_and_count_what_is_not_in_the_trash()
        await self._storage_counts_until_the_purge()
        await self._each_image_is_in_the_library_or_in_the_trash()

    async def _galleries_hold_and_count_what_is_not_in_the_trash(self) -> None:
        for gallery_id in self.model.galleries:
            page = await self.library.galleries.list_images(self.me, gallery_id)
            gallery = await self.library.galleries.get(self.me, gallery_id)
            assert [image.id for image in page.items] == self.model.shown(gallery_id)
            assert gallery.image_count == len(page.items)

    async def _storage_counts_until_the_purge(self) -> None:
        assert await self._storage_used() == sum(self.model.sizes.values())

    async def _each_image_is_in_the_library_or_in_the_trash(self) -> None:
        library = await self.library.images.library.list(self.me)
        trash = await self.library.images.trash.list(self.me)
        assert {image.id for image in trash.items} == self.model.trashed.keys()
        assert {image.id for image in library.items} == self.model.sizes.keys() - self.model.trashed.keys()

    # --- helpers ----------------------------------------------------------------------------------------------------

    def _gallery(self, number: int) -> UUID:
        return list(self.model.galleries)[number % len(self.model.galleries)]

    def _images(self, chosen: list[int]) -> list[UUID]:
        """Some of all images, each once."""
        known = list(self.model.sizes)
        return list(dict.fromkeys(known[number % len(known)] for number in chosen))

    def _batch(self, action: BatchActionLike, image_ids: list[UUID], gallery_id: UUID | None = None) -> None:
        batches = self.library.images.batches
        self.portal.call(lambda: batches.run(self.me, action, image_ids, gallery_id=gallery_id))

    async def _storage_used(self) -> int:
        sql = "SELECT coalesce(sum(storage_used), 0)::bigint FROM owners WHERE owner_id = $1"
        async with self.library.database.connection() as connection:
            used: int = await connection.fetchval(sql, self.me.require_user())
            return used


@asynccontextmanager
async def _library(server: DatabaseServer, objects: Path) -> AsyncIterator[Library]:
    async with server.clone() as dsn, Database.connect(DatabaseOptions(dsn=dsn, max_size=2)) as database:
        yield Library.on(database, objects, ManualClock())


@pytest.fixture
def world(database_server: DatabaseServer, tmp_path: Path) -> Iterator[World]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_library(database_server, tmp_path)) as library,
    ):
        yield World(library, portal)


def test_the_trash_is_as_the_model_says(world: World) -> None:
    class InThisWorld(TrashMachine):
        def __init__(self) -> None:
            super().__init__(world)

    run_state_machine_as_test(InThisWorld, settings=settings(max_examples=25, stateful_step_count=30))
