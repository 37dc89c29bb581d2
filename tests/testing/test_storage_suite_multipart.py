"""The storage suite's part on multipart uploads is worth what it catches: see ``test_storage_suite.py``."""

from collections.abc import AsyncIterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.testing.sabotage import SECRET, Sabotages, StoresOf, each_notices, names_of_tests, run

from imagegallery.clock import utc_now
from imagegallery.errors import ObjectNotFound, PreconditionFailed
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ObjectInfo, Part, UploadRequest
from imagegallery.storage.signatures import PartGrant, UrlSigner
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.multipart import MultipartPromises

SABOTAGES = Sabotages()
caught_by = SABOTAGES.caught_by


class Suite(StoresOf, MultipartPromises):
    """The tests of this part alone."""


# --- stores that break one promise ----------------------------------------------------------------------------


@caught_by("parts_in_any_order_become_the_object")
class JoinsAsTheyCame(FilesystemStore):
    came: list[int] = []  # noqa: RUF012 - reset where an upload begins

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        self.came = []
        return await super().create_multipart(key, content_type=content_type)

    async def presign_part(self, key: str, multipart_id: str, number: int, **options: Any) -> UploadRequest:
        if number not in self.came:
            self.came.append(number)
        return await super().presign_part(key, multipart_id, self.came.index(number) + 1, **options)


@caught_by("the_last_part_may_be_smaller_and_an_only_part_too")
class DropsSmallParts(FilesystemStore):
    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        return await super().complete_multipart(key, multipart_id, [part for part in parts if part.size > 1])


@caught_by("a_part_sent_twice_counts_as_it_was_sent_last", "parts_in_any_order_become_the_object")
class KeepsTheFirst(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        grant = self._signer.read(token, PartGrant)
        for part in await self.list_parts(grant.key, grant.multipart_id):
            if part.number == grant.number:
                return ObjectInfo(grant.key, part.size, part.etag, utc_now())
        return await super().accept(token, data, **options)


@caught_by("nothing_is_there_until_it_is_complete")
class ShowsWhatIsUnderWay(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        grant = self._signer.read(token, PartGrant)
        await self.put(grant.key, bytes_chunks(b"half"), content_type="")
        return await super().accept(token, data, **options)


@caught_by("nothing_is_there_until_it_is_complete")
class NeverReplaces(FilesystemStore):
    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        with suppress(ObjectNotFound):
            return await self.head(key)
        return await super().complete_multipart(key, multipart_id, parts)


@caught_by("two_uploads_to_one_key_are_two")
class KnowsOneUploadAKey(FilesystemStore):
    one: str | None = None

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        self.one = self.one or await super().create_multipart(key, content_type=content_type)
        return self.one


@caught_by("the_object_is_made_of_exactly_the_named_parts")
class TakesAllParts(FilesystemStore):
    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        return await super().complete_multipart(key, multipart_id, await self.list_parts(key, multipart_id))


@caught_by("completing_may_be_repeated", "several_may_complete_at_once")
class CompletesOnce(FilesystemStore):
    completed = False

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        if self.completed:
            raise ObjectNotFound("")
        self.completed = True
        return await super().complete_multipart(key, multipart_id, parts)


@caught_by("several_may_complete_at_once")
class ListsWhileItCompletes(FilesystemStore):
    """The second comes when the first has done away with the parts."""

    done: anyio.Event | None = None

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        if self.done is None:
            self.done = anyio.Event()
            info = await super().complete_multipart(key, multipart_id, parts)
            self.done.set()
            return info
        await self.done.wait()
        await self.list_parts(key, multipart_id)
        return await super().complete_multipart(key, multipart_id, parts)


@caught_by("completing_refuses_a_part_that_is_not_as_it_was_named")
class TakesWhatIsThere(FilesystemStore):
    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        there = await self.list_parts(key, multipart_id)
        return await super().complete_multipart(key, multipart_id, [part for part in there if part in parts])


@caught_by("completing_refuses_a_part_that_is_not_as_it_was_named")
class AbortsWhatItRefuses(FilesystemStore):
    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        try:
            return await super().complete_multipart(key, multipart_id, parts)
        except PreconditionFailed:
            await self.abort_multipart(key, multipart_id)
            raise


@caught_by("after_its_end_an_upload_is_not_found")
class NeverAborts(FilesystemStore):
    async def abort_multipart(self, key: str, multipart_id: str) -> None: ...


@caught_by("after_its_end_an_upload_is_not_found")
class ListsNothingForWhatIsOver(FilesystemStore):
    async def list_parts(self, key: str, multipart_id: str) -> list[Part]:
        with suppress(ObjectNotFound):
            return await super().list_parts(key, multipart_id)
        return []


@caught_by("aborting_what_is_complete_leaves_the_object")
class AbortsTheObject(FilesystemStore):
    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        await super().abort_multipart(key, multipart_id)
        await self.delete(key)


@caught_by("an_id_is_of_no_use_with_another_key")
class TrustsTheId(FilesystemStore):
    keys: dict[str, str] = {}  # noqa: RUF012 - ids differ

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        multipart_id = await super().create_multipart(key, content_type=content_type)
        self.keys[multipart_id] = key
        return multipart_id

    async def list_parts(self, key: str, multipart_id: str) -> list[Part]:
        return await super().list_parts(self.keys.get(multipart_id, key), multipart_id)


@caught_by("an_id_that_was_never_given_is_not_found")
class ListsNothingForStrangers(ListsNothingForWhatIsOver):
    pass


@caught_by("a_part_url_expires", "a_part_url_of_ours_allows_nothing_but_its_part")
class AcceptsLate(FilesystemStore):
    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        late = expires_at + timedelta(days=1)
        return await super().presign_part(key, multipart_id, number, size=size, expires_at=late, total=total)


@caught_by("a_part_that_breaks_off_is_not_stored")
class KeepsWhatCame(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        received = b""
        try:
            async for chunk in data:
                received += chunk
        except Exception:
            await super().accept(token, bytes_chunks(received), **options)
            raise
        return await super().accept(token, bytes_chunks(received), **options)


@caught_by("a_part_url_refuses_too_much", "a_part_url_of_ours_allows_nothing_but_its_part")
class SignsForAnySize(FilesystemStore):
    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        return await super().presign_part(
            key, multipart_id, number, size=size * 2, expires_at=expires_at, total=total or 10**9
        )


@caught_by("a_part_url_refuses_fewer_bytes")
class TakesTooLittle(FilesystemStore):
    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        return await super().presign_part(
            key, multipart_id, number, size=size, expires_at=expires_at, total=total or 10**9
        )


@caught_by("a_part_url_may_be_used_again")
class TakesAPartOnce(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        grant = self._signer.read(token, PartGrant)
        if grant.number in {part.number for part in await self.list_parts(grant.key, grant.multipart_id)}:
            raise PreconditionFailed("This part is there already.")
        return await super().accept(token, data, **options)


@caught_by("a_client_that_cuts_as_it_likes_may_send_fewer_bytes")
class RefusesFewer(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        body = b"".join([chunk async for chunk in data])
        if (grant := self._signer.read(token, PartGrant)).max_total and len(body) < grant.max_size:
            raise PreconditionFailed("Fewer bytes than were announced.")
        return await super().accept(token, bytes_chunks(body), **options)


@caught_by("what_accepts_a_part_answers_its_etag")
class AnswersAnotherEtag(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        info = await super().accept(token, data, **options)
        return ObjectInfo(info.key, info.size, "another", info.modified_at)


# --- and that they are caught ---------------------------------------------------------------------------------

ALL_TESTS = sorted(names_of_tests(MultipartPromises))


@pytest.mark.parametrize("kind", SABOTAGES, ids=lambda kind: kind.__name__)
async def test_a_broken_promise_is_noticed(kind: type[FilesystemStore], tmp_path: Path) -> None:
    await each_notices(Suite(kind, tmp_path), SABOTAGES[kind])


@pytest.mark.parametrize("name", ALL_TESTS)
async def test_an_honest_store_passes(name: str, tmp_path: Path) -> None:
    await run(Suite(FilesystemStore, tmp_path), name)


def test_every_test_of_the_suite_has_noticed_something() -> None:
    assert set(ALL_TESTS) == SABOTAGES.caught


async def test_a_store_that_takes_no_parts_is_skipped(tmp_path: Path) -> None:
    class Bare(MultipartPromises):
        async def make_store(self) -> Any:
            store = FilesystemStore(tmp_path, UrlSigner(SECRET, utc_now))
            return type("BareStore", (), {"aclose": store.aclose})()

    with pytest.raises(pytest.skip.Exception):
        await Bare().test_completing_may_be_repeated()
