"""A session is its owner's alone; a gallery takes its owner's images alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from tests.support.uploads import Traces, Uploading

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import Forbidden, NotFound, Unauthenticated
from imagegallery.ids import new_id
from imagegallery.principal import Principal
from imagegallery.uploads.service import UploadService

BOB = Principal.user("bob")
NOBODY = Principal.anonymous()


async def _no_bytes() -> AsyncIterator[bytes]:
    yield b""


Call = Callable[[UploadService, Principal, UUID], Awaitable[object]]
CALLS: list[Call] = [
    lambda service, who, session_id: service.get(who, session_id),
    lambda service, who, session_id: service.complete(who, session_id),
    lambda service, who, session_id: service.cancel(who, session_id),
    lambda service, who, session_id: service.server.receive(who, session_id, _no_bytes()),
]


@pytest.mark.parametrize("call", CALLS, ids=["get", "complete", "cancel", "receive"])
async def test_to_anybody_else_a_session_does_not_exist(uploading: Uploading, jpeg: bytes, call: Call) -> None:
    session = await uploading.uploaded(jpeg)
    with pytest.raises(NotFound) as others:
        await call(uploading.service, BOB, session.id)
    with pytest.raises(NotFound) as unknown:
        await call(uploading.service, BOB, new_id())
    assert others.value.message == unknown.value.message
    with pytest.raises(Unauthenticated):
        await call(uploading.service, NOBODY, session.id)
    await uploading.service.complete(uploading.me, session.id)


async def test_a_visitor_cannot_upload(uploading: Uploading, jpeg: bytes) -> None:
    with pytest.raises(Unauthenticated):
        await uploading.service.create(NOBODY, filename="a", content_type="image/jpeg", size=1)
    with pytest.raises(Unauthenticated):
        await uploading.service.add(NOBODY, jpeg)


@pytest.mark.parametrize(
    ("visibility", "error"), [("private", NotFound), ("unlisted", Forbidden), ("public", Forbidden)]
)
async def test_an_upload_goes_to_no_gallery_but_ones_own(
    uploading: Uploading, jpeg: bytes, visibility: VisibilityLike, error: type[Exception]
) -> None:
    theirs = await uploading.gallery(BOB, visibility)
    with pytest.raises(error):
        await uploading.service.create(
            uploading.me, filename="a", content_type="image/jpeg", size=1, gallery_id=theirs.id
        )
    with pytest.raises(error):
        await uploading.service.add(uploading.me, jpeg, gallery_id=theirs.id)
    assert await uploading.traces() == Traces()


async def test_an_upload_to_a_gallery_that_is_not_there(uploading: Uploading) -> None:
    with pytest.raises(NotFound):
        await uploading.service.create(
            uploading.me, filename="a", content_type="image/jpeg", size=1, gallery_id=new_id()
        )


async def test_an_image_that_was_deleted_is_not_made_again(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    image = await uploading.service.complete(uploading.me, session.id)
    await uploading.library.delete_for_good(image)
    with pytest.raises(NotFound):
        await uploading.service.complete(uploading.me, session.id)
    traces = await uploading.traces()
    assert (traces.images, traces.storage_used) == (0, 0)
