"""The request that puts partial uploads together is repeated, because its answer was lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Never

import anyio
import attrs
import pytest
from tests.support.uploads import Uploading
from tests.uploads.resumable.client import STRANGER, Client, concatenated, growing, partial

from imagegallery.errors import NotFound, TypeMismatch, Unavailable, UploadEnded, UploadLocked
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.resumable.appends import Appender
from imagegallery.uploads.resumable.finish import Finisher
from imagegallery.uploads.resumable.service import ResumableUploads
from imagegallery.uploads.session.end import SessionEnder
from imagegallery.uploads.session.opener import SessionOpener
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy
from imagegallery.uploads.session.session import UploadSession, UploadState

ALWAYS_NEW = UploadPolicy(on_duplicate=OnDuplicate.KEEP_BOTH)


class Crash(BaseException):
    """The end of the process, as far as the code can tell."""


def _crash(*_: object, **__: object) -> Never:
    raise Crash


async def _nothing(*_: object, **__: object) -> None:
    """What is not done."""


async def halves(uploading: Uploading, data: bytes) -> list[UploadSession]:
    return [await partial(uploading, data[:100]), await partial(uploading, data[100:])]


async def images(uploading: Uploading) -> int:
    return (await uploading.traces()).images


async def test_a_repeat_answers_the_same_upload(uploading: Uploading, jpeg: bytes) -> None:
    uploading = uploading.having(policy=ALWAYS_NEW)
    parts = await halves(uploading, jpeg)
    whole = await concatenated(uploading, *parts)
    assert await concatenated(uploading, *parts) == whole
    assert await images(uploading) == 1


async def test_a_repeat_finds_the_upload_when_its_parts_are_forgotten(uploading: Uploading, jpeg: bytes) -> None:
    parts = await halves(uploading, jpeg)
    uploading.clock.advance(timedelta(minutes=30))
    whole = await concatenated(uploading, *parts)
    uploading.clock.advance(
        uploading.policy.session_lifetime + uploading.policy.session_retention - timedelta(minutes=29)
    )
    await uploading.service.sweep()
    with pytest.raises(NotFound):
        await uploading.service.get(uploading.me, parts[0].id)
    assert (await concatenated(uploading, *parts)).id == whole.id


async def test_repeats_at_once_make_one_image(uploading: Uploading, jpeg: bytes) -> None:
    uploading = uploading.having(policy=ALWAYS_NEW)
    parts, answers = await halves(uploading, jpeg), []

    async def ask() -> None:
        answers.append(await concatenated(uploading, *parts))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
    assert answers == [answers[0]] * 3
    assert await images(uploading) == 1


async def test_repeats_at_once_make_one_image_when_the_lock_is_lost(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def nobody(*_: object) -> AsyncIterator[None]:
        yield

    uploading = uploading.having(policy=ALWAYS_NEW)
    parts = await halves(uploading, jpeg)
    both_begin, waiting = anyio.Event(), 0
    begin = SessionOpener.begin

    async def together(self: SessionOpener, *given: Any, **named: Any) -> UploadSession:
        nonlocal waiting
        waiting += 1
        if waiting == 2:
            both_begin.set()
        await both_begin.wait()
        return await begin(self, *given, **named)

    answers: list[UploadSession] = []
    refusals: list[UploadLocked] = []

    async def ask() -> None:
        try:
            answers.append(await concatenated(uploading, *parts))
        except UploadLocked as error:
            refusals.append(error)

    monkeypatch.setattr(SessionOpener, "begin", together)
    monkeypatch.setattr(ResumableUploads, "_alone", lambda *_: nobody())
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
    assert (len(answers), len(refusals)) == (1, 1)
    assert await images(uploading) == 1


@pytest.mark.parametrize(
    ("owner", "step"),
    [
        (Appender, "begin"),
        (FilesystemStore, "append"),
        (Finisher, "_arrive"),
        (FilesystemStore, "finish_append"),
        (Completion, "complete"),
        (Completion, "_write_image"),
        (SessionEnder, "end"),
    ],
)
async def test_a_repeat_makes_good_what_a_crash_cut_short(
    owner: type, step: str, uploading: Uploading, jpeg: bytes
) -> None:
    uploading = uploading.having(policy=ALWAYS_NEW)
    parts = await halves(uploading, jpeg)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SessionEnder, "give_up", _nothing)  # a process that is dead gives nothing up
        patch.setattr(owner, step, _crash)
        with pytest.raises(Crash):
            await concatenated(uploading, *parts)
    whole = await concatenated(uploading, *parts)
    assert (whole.state, whole.received, whole.size) == (UploadState.COMPLETED, len(jpeg), len(jpeg))
    assert await concatenated(uploading, *parts) == whole
    traces = await uploading.traces()
    assert (traces.images, len(traces.objects)) == (1, 1)
    with pytest.raises(UploadEnded):
        await Client(uploading, parts[0]).look()


async def test_a_repeat_after_a_failure_begins_anew(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Never:
        raise Unavailable("The store does not answer.")

    parts = await halves(uploading, jpeg)
    with monkeypatch.context() as patch:
        patch.setattr(FilesystemStore, "finish_append", away)
        with pytest.raises(Unavailable):
            await concatenated(uploading, *parts)
    assert (await concatenated(uploading, *parts)).image_id
    assert await images(uploading) == 1


async def test_a_repeat_of_what_is_no_image_is_refused_alike(uploading: Uploading, jpeg: bytes) -> None:
    parts = [await partial(uploading, jpeg[100:]), await partial(uploading, jpeg[:100])]
    for _ in range(2):
        with pytest.raises(TypeMismatch):
            await concatenated(uploading, *parts)


async def test_parts_that_are_over_make_no_other_upload(uploading: Uploading, jpeg: bytes) -> None:
    parts = await halves(uploading, jpeg)
    await concatenated(uploading, *parts)
    for others in (parts[::-1], parts[:1], [*parts, parts[0]]):
        with pytest.raises(UploadEnded):
            await concatenated(uploading, *others)
    assert await images(uploading) == 1


async def test_parts_that_go_into_another_upload_meanwhile_are_gone(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = await halves(uploading, jpeg)
    begin = SessionOpener.begin

    async def overtaken(self: SessionOpener, *given: Any, **named: Any) -> UploadSession:
        monkeypatch.undo()
        await concatenated(uploading, *parts)
        return await begin(self, *given, **named)

    monkeypatch.setattr(SessionOpener, "begin", overtaken)
    with pytest.raises(UploadEnded):
        await concatenated(uploading, *parts, parts[0])
    assert await images(uploading) == 1
    assert await growing(uploading) == []


async def test_another_owners_repeat_finds_nothing(uploading: Uploading, jpeg: bytes) -> None:
    parts = await halves(uploading, jpeg)
    await concatenated(uploading, *parts)
    with pytest.raises(NotFound):
        await concatenated(attrs.evolve(uploading, me=STRANGER), *parts)
