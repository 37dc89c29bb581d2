"""The storage suite's part on objects that grow is worth what it catches: see ``test_storage_suite.py``."""

from collections.abc import AsyncIterable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from tests.support.uploads import RemoteStore
from tests.testing.sabotage import Sabotages, StoresOf, each_notices, names_of_tests, run

from imagegallery.errors import ImageGalleryError, ObjectNotFound, PreconditionFailed, TooLarge
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage import ObjectStoreSuite
from imagegallery.testing.storage.appending import AppendingPromises

SABOTAGES = Sabotages()
caught_by = SABOTAGES.caught_by


class Suite(StoresOf, AppendingPromises):
    """The tests of this part alone."""


# --- stores that break one promise ----------------------------------------------------------------------------


@caught_by("what_is_appended_becomes_an_object", "large_appends_arrive_whole")
class LosesTheFirstByte(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        body = b"".join([chunk async for chunk in data])
        return await super().append(key, append_id, bytes_chunks(body[1:] + body[:1]), **options)


@caught_by("nothing_is_an_object_before_the_end", "what_is_aborted_is_gone")
class ShowsWhatGrows(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        size = await super().append(key, append_id, data, **options)
        await self.put(key, self.read_appended(key, append_id), content_type="image/jpeg")
        return size


@caught_by("the_size_so_far_is_told_and_read", "bytes_before_a_break_are_kept_in_order")
class OverstatesTheSize(FilesystemStore):
    async def appended(self, key: str, append_id: str) -> int:
        return await super().appended(key, append_id) + 1


@caught_by("appending_elsewhere_than_at_the_end_is_refused")
class AppendsAnywhere(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        size = await self.appended(key, append_id)
        return await super().append(key, append_id, data, **{**options, "offset": size})


@caught_by("of_too_much_nothing_is_kept")
class KeepsTheBeginningOfTooMuch(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        limit = options.pop("max_size", None)
        body = b"".join([chunk async for chunk in data])
        room = len(body) if limit is None else limit - options["offset"]
        size = await super().append(key, append_id, bytes_chunks(body[:room]), **options)
        if len(body) > room:
            raise TooLarge("")
        return size


@caught_by("too_much_appended_is_not_read_to_its_end")
class MeasuresAtTheEnd(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        held = 0
        async for chunk in data:
            held += len(chunk)
            assert held < 10_000_000, "it would never end"
        return await super().append(key, append_id, bytes_chunks(bytes(held)), **options)


@caught_by("a_cancelled_append_can_be_taken_up", "bytes_before_a_break_are_kept_in_order")
class ForgetsWhatBrokeOff(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        try:
            return await super().append(key, append_id, data, **options)
        except ImageGalleryError:
            raise
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.abort_append(key, append_id)
            raise


@caught_by("finishing_may_be_repeated")
class FinishesOnce(FilesystemStore):
    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        await self.appended(key, append_id)
        return await super().finish_append(key, append_id)


@caught_by("what_is_finished_grows_no_more", "finishing_may_be_repeated")
class CopiesWhatItFinishes(FilesystemStore):
    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        return await self.put(key, self.read_appended(key, append_id), content_type="image/jpeg")


@caught_by("what_is_aborted_is_gone")
class NeverAborts(FilesystemStore):
    async def abort_append(self, key: str, append_id: str) -> None:
        pass


@caught_by("what_is_finished_grows_no_more")
class AbortsTheObject(FilesystemStore):
    async def abort_append(self, key: str, append_id: str) -> None:
        await super().abort_append(key, append_id)
        await self.delete(key)


@caught_by("another_id_or_key_leads_nowhere")
class GoesByTheIdAlone(FilesystemStore):
    keys_of: ClassVar[dict[str, str]] = {}

    async def begin_append(self, key: str, *, content_type: str) -> str:
        append_id = await super().begin_append(key, content_type=content_type)
        self.keys_of[append_id] = key
        return append_id

    async def appended(self, key: str, append_id: str) -> int:
        return await super().appended(self.keys_of.get(append_id, key), append_id)


@caught_by("two_that_grow_under_one_key_are_two")
class GrowsOneAKey(FilesystemStore):
    ids_of: ClassVar[dict[str, str]] = {}

    async def begin_append(self, key: str, *, content_type: str) -> str:
        with suppress(KeyError, ObjectNotFound):
            await self.appended(key, self.ids_of[key])
            return self.ids_of[key]
        append_id = self.ids_of[key] = await super().begin_append(key, content_type=content_type)
        return append_id


@caught_by("cancelled_at_once_nothing_breaks")
class BreaksWhenCancelled(FilesystemStore):
    async def append(self, key: str, append_id: str, data: AsyncIterable[bytes], **options: Any) -> int:
        try:
            return await super().append(key, append_id, data, **options)
        except BaseException:
            raise PreconditionFailed("") from None


# --- and that they are caught ---------------------------------------------------------------------------------

ALL_TESTS = sorted(names_of_tests(AppendingPromises))


@pytest.mark.parametrize("kind", SABOTAGES, ids=lambda kind: kind.__name__)
async def test_a_broken_promise_is_noticed(kind: type[FilesystemStore], tmp_path: Path) -> None:
    await each_notices(Suite(kind, tmp_path), SABOTAGES[kind])


@pytest.mark.parametrize("name", ALL_TESTS)
async def test_an_honest_store_passes(name: str, tmp_path: Path) -> None:
    await run(Suite(FilesystemStore, tmp_path), name)


@pytest.mark.parametrize("name", ALL_TESTS)
async def test_a_store_without_the_capability_is_skipped(name: str, tmp_path: Path) -> None:
    class Bare(Suite):
        async def make_store(self) -> Any:
            return RemoteStore(await super().make_store())

    with pytest.raises(pytest.skip.Exception):
        await getattr(Bare(FilesystemStore, tmp_path), name)()


def test_every_test_of_the_suite_has_noticed_something() -> None:
    assert set(ALL_TESTS) == SABOTAGES.caught
    assert set(ALL_TESTS) < set(dir(ObjectStoreSuite))
