"""Uploads in parts, cut short anywhere."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest
from tests.support.uploads import Uploading
from tests.uploads.multipart.sending import POLICY, begun, sent

from imagegallery.database.connection import Connection
from imagegallery.errors import (
    BadImage,
    PartMismatch,
    TooLarge,
    Unavailable,
    UploadEnded,
)
from imagegallery.queue.job import NewJob
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ObjectInfo, Part, PartLimits
from imagegallery.storage.signatures import UrlSigner
from imagegallery.uploads.session.part_plan import PartPlan, SignedPart
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import Transport, UploadSession


class TroubledStore(FilesystemStore):
    """Fails as told."""

    creates, joins = True, True

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        if not self.creates:
            raise Unavailable("The store does not answer.")
        return await super().create_multipart(key, content_type=content_type)

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        info = await super().complete_multipart(key, multipart_id, parts)
        if not self.joins:
            raise Unavailable("The connection broke before the answer came.")
        return info


@pytest.fixture
async def troubled(uploading: Uploading) -> AsyncIterator[TroubledStore]:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with TroubledStore(uploading.directory / "objects", signer, uploading.clock) as store:
        yield store


async def test_a_store_that_does_not_begin_leaves_no_reservation(
    uploading: Uploading, troubled: TroubledStore, picture: bytes
) -> None:
    policy = UploadPolicy(parts_threshold=1_000, storage_limit=len(picture))
    trouble = uploading.having(store=troubled, policy=policy)
    troubled.creates = False
    with pytest.raises(Unavailable):
        await begun(trouble, picture)
    troubled.creates = True
    assert (await begun(trouble, picture)).transport is Transport.PARTS


async def test_joined_and_not_heard_of_is_found_again(
    uploading: Uploading, troubled: TroubledStore, picture: bytes
) -> None:
    trouble = uploading.having(store=troubled, policy=POLICY)
    session = await begun(trouble, picture)
    claimed = await sent(uploading, session, picture)
    troubled.joins = False
    stored = list(await uploading.service.parts.list(uploading.me, session.id))
    with pytest.raises(Unavailable):
        await trouble.service.parts.complete(uploading.me, session.id, claimed)
    for _ in range(2):  # joined; and an image
        assert await uploading.service.parts.list(uploading.me, session.id) == stored
        assert await uploading.service.parts.sign(uploading.me, session.id, [1]) == session.part_requests[:1]
        repeated = await uploading.service.parts.complete(uploading.me, session.id, claimed)
        assert repeated.id == session.future_image_id


async def test_of_what_was_refused_the_answer_is_told_again(uploading: Uploading) -> None:
    noise = b"\xff\xd8\xff\xe0" + bytes(2_000)
    session = await begun(uploading, noise)
    claimed = await sent(uploading, session, noise)
    for _ in range(2):
        with pytest.raises(BadImage):
            await uploading.service.parts.complete(uploading.me, session.id, claimed)
    assert await uploading.service.parts.list(uploading.me, session.id) == ()
    with pytest.raises(BadImage):
        await uploading.service.parts.sign(uploading.me, session.id, [1])


class DyingOutbox:
    """The process ends here: after the object was moved, before anything is committed."""

    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        raise SystemError


async def test_joined_moved_and_not_committed_is_found_again(uploading: Uploading, picture: bytes) -> None:
    dying = uploading.having(outbox=DyingOutbox(), policy=POLICY)
    session = await begun(dying, picture)
    claimed = await sent(uploading, session, picture)
    with pytest.raises(SystemError):
        await dying.service.parts.complete(uploading.me, session.id, claimed)
    assert (await uploading.service.parts.complete(uploading.me, session.id, claimed)).id == session.future_image_id
    assert (await uploading.traces()).images == 1


class CancellingStore(TroubledStore):
    """Somebody cancels the upload just before it is joined."""

    uploading: Uploading
    session: UploadSession

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        async with self.uploading.library.database.connection() as connection:
            await connection.execute("UPDATE upload_sessions SET state = 'cancelled' WHERE id = $1", self.session.id)
        return await super().complete_multipart(key, multipart_id, parts)


async def test_what_is_joined_after_the_end_goes_again(uploading: Uploading, picture: bytes) -> None:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with CancellingStore(uploading.directory / "objects", signer, uploading.clock) as store:
        trouble = uploading.having(store=store, policy=POLICY)
        session = await begun(trouble, picture)
        await sent(uploading, session, picture)
        store.uploading, store.session = uploading, session
        with pytest.raises(UploadEnded):
            await trouble.service.complete(uploading.me, session.id)
        assert await uploading.objects() == []


class ChangingStore(TroubledStore):
    """A part is sent again between the look at it and the joining."""

    uploading: Uploading
    again: SignedPart | None = None

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        if self.again is not None:
            await self.uploading.send_part(self.again, bytes(self.again.size))
        return await super().complete_multipart(key, multipart_id, parts)


async def test_a_part_that_changes_meanwhile_is_not_joined_unseen(uploading: Uploading, picture: bytes) -> None:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with ChangingStore(uploading.directory / "objects", signer, uploading.clock) as store:
        trouble = uploading.having(store=store, policy=POLICY)
        session = await begun(trouble, picture)
        await sent(uploading, session, picture)
        store.uploading, store.again = uploading, session.part_requests[1]
        with pytest.raises(PartMismatch):
            await trouble.service.complete(uploading.me, session.id)
        store.again = None
        await sent(uploading, session, picture)
        assert (await trouble.service.complete(uploading.me, session.id)).id == session.future_image_id


class LimitedStore(FilesystemStore):
    part_limits = PartLimits(500, 1_000, 3)


async def test_a_store_decides_how_large_parts_are(uploading: Uploading) -> None:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with LimitedStore(uploading.directory / "objects", signer, uploading.clock) as store:
        limited = uploading.having(store=store, policy=POLICY)
        assert (await begun(limited, bytes(1_200))).part_plan == PartPlan(1_200, 500)
        assert (await begun(limited, bytes(2_400))).part_plan == PartPlan(2_400, 800)
        with pytest.raises(TooLarge):
            await begun(limited, bytes(3_001))
