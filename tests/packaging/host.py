"""An application, as type checkers see it: `test_types.py` has mypy look at it, strictly. It is not run.

Where a comment says that a mistake is ignored there must be one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import assert_type
from uuid import UUID

from starlette.datastructures import UploadFile
from werkzeug.datastructures import FileStorage

from imagegallery import (
    CursorPage,
    Definition,
    Event,
    Gallery,
    Image,
    ImageFilter,
    ImageGallery,
    ImageReady,
    OpenGallery,
    Principal,
    Settings,
    UploadSession,
    Variant,
)
from imagegallery.sync import open_gallery
from imagegallery.types import (
    DatabaseOptions,
    FileSource,
    GalleryService,
    Id,
    ImageService,
    JsonValue,
    QueueOptions,
    UploadService,
    VisibilityLike,
    Worker,
)

ME = Principal.user(7)
SETTINGS = Settings(database=DatabaseOptions(dsn="postgresql:///shop"), queue=QueueOptions(concurrency=4))

pics = ImageGallery.define(SETTINGS)
assert_type(pics, Definition)


@pics.on(ImageReady)
async def thank(event: Event[ImageReady]) -> None:
    assert_type(event.data.image_id, UUID)
    assert_type(event.data.gallery_ids, tuple[UUID, ...])


@pics.on(ImageReady, name="count")
def count(event: Event[ImageReady]) -> None:
    assert_type(event.id, str)


@pics.on(ImageReady)  # type: ignore[arg-type]
async def forget() -> None: ...


@asynccontextmanager
async def opened() -> AsyncIterator[ImageGallery]:
    opening = pics.open(worker=True)
    assert_type(opening, OpenGallery)
    async with opening as gallery, gallery.worker() as worker:
        assert_type(worker, Worker)
        yield gallery


async def upload(uploads: UploadService, sent: UploadFile, form: FileStorage, chunks: AsyncIterator[bytes]) -> Image:
    sources: Sequence[FileSource] = (
        "tram.jpg",
        Path("tram.jpg"),
        b"\xff\xd8\xff",
        bytearray(3),
        BytesIO(b"\xff\xd8\xff"),
        sent,
        form,
        chunks,
        [b"\xff", b"\xd8"],
    )
    for source in sources:
        await uploads.add(ME, source, on_duplicate="reject")
    await uploads.add(ME, 7)  # type: ignore[arg-type]
    await uploads.add(ME, b"", on_duplicate="refuse")  # type: ignore[arg-type]
    session = await uploads.create(ME, filename="tram.jpg", content_type="image/jpeg", size=3)
    assert_type(session, UploadSession)
    return await uploads.complete(ME, str(session.id))


async def show(galleries: GalleryService, images: ImageService, gallery_id: Id, visibility: VisibilityLike) -> str:
    lisbon = await galleries.create(ME, name="Lisbon", visibility="private", meta={"shop": 7})
    assert_type(lisbon, Gallery)
    await galleries.update(ME, gallery_id, visibility=visibility, cover_image_id=None)
    await galleries.create(ME, name="Lisbon", visibility="publik")  # type: ignore[arg-type]
    page = await galleries.list_images(ME, str(lisbon.id), order="taken_at", where=ImageFilter(status="complete"))
    assert_type(page, CursorPage[Image])
    assert_type(await images.get_many(ME, [each.id for each in page.items]), dict[UUID, Image])
    await images.batches.run(ME, "trash", [str(each.id) for each in page.items])
    await images.get(ME, 7)  # type: ignore[arg-type]
    ready = await images.wait_until_ready(ME, page.items[0].id, timeout=timedelta(seconds=5))
    assert_type(ready.meta, Mapping[str, JsonValue])
    variant = await images.view(ME, ready.id, variant="small")
    assert_type(variant, Variant)
    return variant.url


def show_synchronously(gallery_id: UUID) -> Gallery:
    with open_gallery(pics, worker=True) as gallery:
        image = gallery.uploads.add(ME, "tram.jpg", gallery_id=str(gallery_id), visibility="unlisted")
        assert_type(image, Image)
        gallery.images.get("ana", image.id)  # type: ignore[arg-type]
        return gallery.galleries.get(ME, gallery_id)
