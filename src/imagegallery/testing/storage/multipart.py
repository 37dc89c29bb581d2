"""The storage suite's tests of multipart uploads, for stores that take them.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from attrs import evolve, frozen

from imagegallery.errors import (
    ObjectNotFound,
    PreconditionFailed,
    SignatureExpired,
    SignatureInvalid,
    TooLarge,
)
from imagegallery.storage.protocol import (
    MultipartUploads,
    ObjectStore,
    Part,
    ServesSignedUrls,
    UploadRequest,
    UploadTarget,
)
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, Broken, StoreTests, at_once, broken_off, keys, read, token_of, write

KEY = "in/a"
HOUR = timedelta(hours=1)
_LEAST = 70_000  # bytes of a part if the store takes smaller ones: enough for several chunks


@frozen
class Begun:
    """A multipart upload in progress, and its store."""

    store: ObjectStore
    multipart: MultipartUploads
    id: str

    def body(self, number: int) -> bytes:
        """A part that is large enough, unlike all others."""
        return bytes([number]) * max(self.multipart.part_limits.smallest, _LEAST)

    async def parts(self) -> list[Part]:
        return await self.multipart.list_parts(KEY, self.id)

    async def complete(self, parts: Sequence[Part] | None = None) -> str:
        """Complete it with these parts, by default the stored ones. Returns the etag."""
        info = await self.multipart.complete_multipart(KEY, self.id, await self.parts() if parts is None else parts)
        assert info.key == KEY
        return info.etag


class MultipartPromises(StoreTests):
    async def let_time_pass(self) -> None:
        """Wait until two versions of a part have different times. By default not at all."""

    async def begun(self, store: ObjectStore) -> Begun:
        """Start a multipart upload. Skips the test if the store does not take them."""
        if not isinstance(store, MultipartUploads):
            pytest.skip(f"{type(store).__name__} does not take multipart uploads")
        return Begun(store, store, await store.create_multipart(KEY, content_type=TYPE))

    async def _sign(
        self, upload: Begun, number: int, *, size: int | None = None, expires_in: timedelta = HOUR
    ) -> UploadRequest:
        """Sign a part of exactly ``size`` bytes, by default those of `Begun.body`."""
        asked = len(upload.body(number)) if size is None else size
        return await upload.multipart.presign_part(
            KEY, upload.id, number, size=asked, expires_at=self.now() + expires_in
        )

    async def _send(self, upload: Begun, number: int, body: bytes | None = None) -> None:
        sent = upload.body(number) if body is None else body
        request = await self._sign(upload, number, size=len(sent))
        assert await self.is_taken(upload.store, request, sent)

    # --- parts -----------------------------------------------------------------------------------------------

    async def test_parts_in_any_order_become_the_object(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            for number in (3, 1):
                await self._send(upload, number)
            await self._send(upload, 2, b"tail")
            await self.let_time_pass()
            await self._send(upload, 2, upload.body(2)[::-1])
            assert [(part.number, part.size) for part in await upload.parts()] == [
                (number, len(upload.body(number))) for number in (1, 2, 3)
            ]
            await upload.complete()
            assert await read(store, KEY) == upload.body(1) + upload.body(2) + upload.body(3)
            assert await keys(store) == [KEY]

    async def test_the_last_part_may_be_smaller_and_an_only_part_too(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            await self._send(upload, 1)
            await self._send(upload, 2, b"!")
            await upload.complete()
            assert await read(store, KEY) == upload.body(1) + b"!"
            small = await self.begun(store)
            await self._send(small, 1, b"?")
            await small.complete()
            assert await read(store, KEY) == b"?"

    async def test_a_part_sent_twice_counts_as_it_was_sent_last(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            await self._send(upload, 1, b"first")
            (first,) = await upload.parts()
            await self.let_time_pass()
            await self._send(upload, 1, b"later")
            (later,) = await upload.parts()
            assert first.etag != later.etag
            await upload.complete()
            assert await read(store, KEY) == b"later"

    async def test_nothing_is_there_until_it_is_complete(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            assert await upload.parts() == []
            await self._send(upload, 1)
            assert await keys(store) == []
            with pytest.raises(ObjectNotFound):
                await store.head(KEY)
            await write(store, KEY, b"old")
            await upload.complete()
            assert await read(store, KEY) == upload.body(1)

    async def test_two_uploads_to_one_key_are_two(self) -> None:
        async with self.open_store() as store:
            one, other = await self.begun(store), await self.begun(store)
            await self._send(one, 1)
            await self._send(other, 1, b"other")
            await one.complete()
            assert [part.size for part in await other.parts()] == [len(b"other")]
            assert await read(store, KEY) == one.body(1)

    # --- completing ------------------------------------------------------------------------------------------

    async def test_the_object_is_made_of_exactly_the_named_parts(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            for number in (1, 2, 3):
                await self._send(upload, number)
            first, _, third = await upload.parts()
            await upload.complete([first, third])
            assert await read(store, KEY) == upload.body(1) + upload.body(3)

    async def test_completing_may_be_repeated(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            await self._send(upload, 1)
            parts = await upload.parts()
            etag = await upload.complete(parts)
            assert await upload.complete(parts) == etag == (await store.head(KEY)).etag
            assert await read(store, KEY) == upload.body(1)

    async def test_several_may_complete_at_once(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            for number in (1, 2):
                await self._send(upload, number)
            parts = await upload.parts()
            etags: set[str] = set()

            async def race(_: int) -> None:
                etags.add(await upload.complete(parts))

            await at_once(5, race)
            assert etags == {(await store.head(KEY)).etag}
            assert await read(store, KEY) == upload.body(1) + upload.body(2)

    async def test_completing_refuses_a_part_that_is_not_as_it_was_named(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            for number in (1, 2):
                await self._send(upload, number)
            first, second = parts = await upload.parts()
            for wrong in ([first, evolve(second, number=3)], [first, evolve(second, etag=first.etag)]):
                with pytest.raises(PreconditionFailed):
                    await upload.complete(wrong)
            assert await keys(store) == []
            assert await upload.parts() == parts
            await upload.complete()
            assert await read(store, KEY) == upload.body(1) + upload.body(2)

    # --- what is not there -----------------------------------------------------------------------------------

    async def test_after_its_end_an_upload_is_not_found(self) -> None:
        async with self.open_store() as store:
            aborted, completed = await self.begun(store), await self.begun(store)
            await self._send(aborted, 1)
            await self._send(completed, 1)
            parts = await aborted.parts()
            for _ in range(2):
                await aborted.multipart.abort_multipart(KEY, aborted.id)
            with pytest.raises(ObjectNotFound):
                await aborted.complete(parts)
            await completed.complete()
            for upload in (aborted, completed):
                with pytest.raises(ObjectNotFound):
                    await upload.parts()
                assert not await self.is_taken(upload.store, await self._sign(upload, 2), upload.body(2))
            assert await keys(store) == [KEY]

    async def test_aborting_what_is_complete_leaves_the_object(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            await self._send(upload, 1)
            await upload.complete()
            await upload.multipart.abort_multipart(KEY, upload.id)
            assert await read(store, KEY) == upload.body(1)

    async def test_an_id_is_of_no_use_with_another_key(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            await self._send(upload, 1)
            parts = await upload.parts()
            with pytest.raises(ObjectNotFound):
                await upload.multipart.list_parts("in/b", upload.id)
            with pytest.raises(ObjectNotFound):
                await upload.multipart.complete_multipart("in/b", upload.id, parts)
            with suppress(ObjectNotFound):
                await upload.multipart.abort_multipart("in/b", upload.id)
            assert await upload.parts() == parts

    @pytest.mark.parametrize("name", ["no-such-upload", "../../in", ""])
    async def test_an_id_that_was_never_given_is_not_found(self, name: str) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            with pytest.raises(ObjectNotFound):
                await upload.multipart.list_parts(KEY, name)

    # --- part URLs -------------------------------------------------------------------------------------------

    async def test_a_part_url_expires(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            late = await self._sign(upload, 1, expires_in=-HOUR)
            assert not await self.is_taken(upload.store, late, upload.body(1))
            assert await upload.parts() == []

    async def test_a_part_url_refuses_too_much(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            request = await self._sign(upload, 1, size=4)
            assert not await self.is_taken(upload.store, request, b"parts")
            assert await upload.parts() == []

    async def test_a_part_url_refuses_fewer_bytes(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            request = await self._sign(upload, 1, size=4)
            for short in (b"par", b""):
                assert not await self.is_taken(upload.store, request, short)
            assert await upload.parts() == []
            assert await self.is_taken(upload.store, request, b"part")

    async def test_a_part_url_may_be_used_again(self) -> None:
        """The response may have been lost."""
        async with self.open_store() as store:
            upload = await self.begun(store)
            request = await self._sign(upload, 1)
            for _ in range(3):
                assert await self.is_taken(upload.store, request, upload.body(1))
            await upload.complete()
            assert await read(store, KEY) == upload.body(1)

    async def test_a_client_that_cuts_as_it_likes_may_send_fewer_bytes(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            most = 2 * len(upload.body(1))
            request = await upload.multipart.presign_part(
                KEY, upload.id, 1, size=most, expires_at=self.now() + HOUR, total=most
            )
            assert await self.is_taken(upload.store, request, upload.body(1))
            assert [part.size for part in await upload.parts()] == [len(upload.body(1))]

    async def test_a_part_that_breaks_off_is_not_stored(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            serving = served(store)
            await self._send(upload, 1)
            parts = await upload.parts()
            for number in (1, 2):
                token = token_of(await self._sign(upload, number))
                with pytest.raises(Broken):
                    await serving.accept(token, broken_off(b"half"), content_type="")
            assert await upload.parts() == parts

    async def test_a_part_url_of_ours_allows_nothing_but_its_part(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            serving, token = served(store), token_of(await self._sign(upload, 1))
            too_much = upload.body(1) + b"!"
            assert serving.upload_target(token) == UploadTarget(KEY, 1)
            with pytest.raises(TooLarge):
                await serving.accept(token, bytes_chunks(too_much), content_type="")
            with pytest.raises(TooLarge):
                await serving.accept(token, broken_off(b""), content_type="", content_length=len(too_much))
            with pytest.raises(SignatureInvalid):
                await serving.describe(token)
            for wrong in (token[:-1], "A" + token):
                with pytest.raises(SignatureInvalid):
                    await serving.accept(wrong, bytes_chunks(b"x"), content_type="")
            late = token_of(await self._sign(upload, 1, expires_in=-HOUR))
            with pytest.raises(SignatureExpired):
                serving.upload_target(late)
            assert await upload.parts() == []

    async def test_what_accepts_a_part_answers_its_etag(self) -> None:
        async with self.open_store() as store:
            upload = await self.begun(store)
            info = await served(store).accept(
                token_of(await self._sign(upload, 1, size=4)), bytes_chunks(b"part"), content_type=""
            )
            assert await upload.parts() == [Part(1, info.etag, len(b"part"))]


def served(store: ObjectStore) -> ServesSignedUrls:
    if not isinstance(store, ServesSignedUrls):
        pytest.skip(f"{type(store).__name__} does not leave signed URLs to us to serve")
    return store
