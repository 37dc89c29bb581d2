"""A file in one call, sent again with its key: what was cut short begins anew, and two at once become one image."""

import anyio
import pytest
from tests.support.uploads import Uploading

from imagegallery.errors import IdempotencyKeyReused, Unavailable, UploadLocked
from imagegallery.images.image.image import Image
from imagegallery.uploads import reception
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.session.end import SessionEnder
from imagegallery.uploads.session.session import UploadSession


async def add(uploading: Uploading, data: bytes, key: str = "once", filename: str = "tram.jpg") -> Image:
    return await uploading.service.add(
        uploading.me, data, filename=filename, content_type="image/jpeg", idempotency_key=key
    )


async def test_two_at_once_are_one_image(uploading: Uploading, jpeg: bytes) -> None:
    found: list[Image] = []

    async def ask() -> None:
        found.append(await add(uploading, jpeg))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(ask)
    assert len({image.id for image in found}) == 1
    assert (await uploading.traces()).images == 1


async def test_who_comes_while_it_lasts_too_long_is_told_so(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete, begun, go_on = Completion.complete, anyio.Event(), anyio.Event()

    async def slowly(self: Completion, session: UploadSession) -> object:
        begun.set()
        await go_on.wait()
        return await complete(self, session)

    monkeypatch.setattr(Completion, "complete", slowly)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(add, uploading, jpeg)
        await begun.wait()
        monkeypatch.setattr(reception, "PATIENCE", reception.PATIENCE * 0)
        with pytest.raises(UploadLocked):
            await add(uploading, jpeg)
        go_on.set()
    assert (await uploading.traces()).images == 1


async def test_what_a_crash_cut_short_begins_anew(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> object:
        raise Unavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Completion, "complete", away)
        patched.setattr(
            SessionEnder, "give_up", lambda *_: anyio.sleep(0)
        )  # a process that was killed gives nothing up
        with pytest.raises(Unavailable):
            await add(uploading, jpeg)
    image = await add(uploading, jpeg)
    assert (await add(uploading, jpeg)).id == image.id
    assert (await uploading.traces()).images == 1


async def test_another_request_with_the_same_key_is_an_error(uploading: Uploading, jpeg: bytes) -> None:
    image = await add(uploading, jpeg)
    for other in ({"filename": "bus.jpg"}, {"data": jpeg + b"more"}, {"data": jpeg[:-1] + b"x"}):
        with pytest.raises(IdempotencyKeyReused):
            await add(uploading, **{"data": jpeg, **other})  # type: ignore[arg-type]
    assert (await add(uploading, jpeg, key="twice")).id != image.id
