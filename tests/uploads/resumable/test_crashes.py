"""A completion that is cut short between any two of its steps is made good: by the client, or by the sweeper."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.support.uploads import Uploading

from imagegallery.errors import BadImage, Unavailable
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.resumable.appends import Appender
from imagegallery.uploads.resumable.finish import ABANDONED_AFTER
from imagegallery.uploads.resumable.rules import UploadPiece
from imagegallery.uploads.session.session import UploadSession, UploadState


class Crash(BaseException):
    """The end of the process, as far as the code can tell."""


def _crash(*_: object) -> None:
    raise Crash


Sabotage = Callable[[pytest.MonkeyPatch], None]


def before_the_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Appender, "_save_progress", _crash)


def before_the_object(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FilesystemStore, "finish_append", _crash)


def before_the_completion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Completion, "complete", _crash)


def after_the_promotion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Completion, "_write_image", _crash)


STEPS = [before_the_row, before_the_object, before_the_completion, after_the_promotion]


async def cut_short(uploading: Uploading, body: bytes, step: Sabotage, *, tus: bool = True) -> UploadSession:
    """An upload whose last byte has come, and whose completion ended at ``step``."""
    resumable = uploading.service.server.resumable
    session = await resumable.create(
        uploading.me, filename="tram.jpg", content_type=None, size=len(body), completes_itself=tus
    )
    piece = UploadPiece(0, completes=not tus)
    with pytest.MonkeyPatch.context() as patch:
        step(patch)
        with pytest.raises(Crash):
            await resumable.append(uploading.me, session.id, bytes_chunks(body), piece)
    return session


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["HEAD", "PATCH", "complete"])
async def test_the_client_completes_it(step: Sabotage, how: str, uploading: Uploading, jpeg: bytes) -> None:
    session = await cut_short(uploading, jpeg, step)
    service, me = uploading.service, uploading.me
    if how == "HEAD" or step is before_the_row:  # until somebody looks, no row says that all is there
        await service.server.resumable.look(me, session.id)
    if how == "PATCH":
        await service.server.resumable.append(me, session.id, bytes_chunks(b""), UploadPiece(len(jpeg)))
    if how == "complete":
        await service.complete(me, session.id)
    assert (await service.get(me, session.id)).image_id
    traces = await uploading.traces()
    assert (traces.images, len(traces.objects)) == (1, 1)


@pytest.mark.parametrize("tus", [True, False])
@pytest.mark.parametrize("step", STEPS[1:])
async def test_the_sweeper_completes_it(step: Sabotage, tus: bool, uploading: Uploading, jpeg: bytes) -> None:
    session = await cut_short(uploading, jpeg, step, tus=tus)
    await uploading.service.sweep()
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.UPLOADED, (
        "somebody may be at it"
    )
    uploading.clock.advance(ABANDONED_AFTER + timedelta(seconds=1))
    await uploading.service.sweep()
    assert (await uploading.service.get(uploading.me, session.id)).image_id
    assert (await uploading.traces()).images == 1


async def test_what_is_no_image_is_refused_by_the_sweeper_too(uploading: Uploading, jpeg: bytes) -> None:
    session = await cut_short(uploading, jpeg[:500], before_the_object)
    uploading.clock.advance(ABANDONED_AFTER + timedelta(seconds=1))
    await uploading.service.sweep()
    rejection = (await uploading.service.get(uploading.me, session.id)).rejection
    assert rejection is not None
    assert rejection.code == BadImage.code
    assert (await uploading.traces()).objects == ()


async def test_a_store_that_is_away_only_delays_it(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The store does not answer.")

    session = await cut_short(uploading, jpeg, before_the_object)
    uploading.clock.advance(ABANDONED_AFTER + timedelta(seconds=1))
    with monkeypatch.context() as patch:
        patch.setattr(FilesystemStore, "finish_append", away)
        await uploading.service.sweep()
        with pytest.raises(Unavailable):
            await uploading.service.server.resumable.look(uploading.me, session.id)
    assert (await uploading.service.server.resumable.look(uploading.me, session.id)).image_id
