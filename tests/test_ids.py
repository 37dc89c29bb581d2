"""Ids as callers give them, and text for every enumeration."""

from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

from imagegallery import ImageGallery, Settings
from imagegallery.access.audience import VisibilityLike
from imagegallery.database.options import DatabaseOptions
from imagegallery.errors import InvalidInput
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import GalleryViewLike, ImageOrderLike
from imagegallery.ids import as_id, as_id_or_none, as_ids, new_id
from imagegallery.images.batch.batch import BatchActionLike
from imagegallery.images.image.image import LibraryOrderLike, ProcessingStatus, ProcessingStatusLike
from imagegallery.images.library.filter import ImageFilter
from imagegallery.policies.policy import OnDuplicateLike
from imagegallery.principal import Principal
from imagegallery.uploads.session.policy import Declaration, OnDuplicate

ANA = Principal.user("ana")


def test_an_id_is_one_or_its_text() -> None:
    one = new_id()
    for given in (one, str(one), str(one).upper(), one.hex):
        assert as_id(given, "image_id") == one
    assert as_ids((one, str(one)), "image_ids") == [one, one]
    assert as_id_or_none(None, "gallery_id") is None


@pytest.mark.parametrize(
    "given", [None, 7, b"tram", "", "tram", f"{{{UUID(int=0)}}}", "0" * 31 + "_", " " + "0" * 31, ()]
)
def test_what_is_none_is_refused_by_its_name(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^image_id must be an id \(UUID\), and is ") as refused:
        as_id(given, "image_id")
    assert refused.value.faults[0].path == ("argument", "image_id")


@pytest.mark.parametrize("given", ["0" * 32, new_id(), None, 7])
def test_several_ids_are_a_list(given: Any) -> None:
    with pytest.raises(InvalidInput, match="must be a list of ids"):
        as_ids(given, "image_ids")
    with pytest.raises(InvalidInput, match=r"image_ids\.1 must be an id"):
        as_ids([new_id(), "tram"], "image_ids")


@pytest.mark.parametrize(
    "like",
    [
        VisibilityLike,
        OnDuplicateLike,
        ImageOrderLike,
        GalleryViewLike,
        LibraryOrderLike,
        ProcessingStatusLike,
        BatchActionLike,
    ],
)
def test_the_texts_for_type_checkers_are_those_of_the_enumeration(like: object) -> None:
    choices, texts = get_args(like)
    assert issubclass(choices, StrEnum)
    assert get_args(texts) == tuple(choices)


def test_text_becomes_the_member_and_another_text_is_refused_with_all_of_them() -> None:
    assert Declaration("image/png", 7, on_duplicate="reject").on_duplicate is OnDuplicate.REJECT
    assert ImageFilter(status="complete").status is ProcessingStatus.COMPLETE
    one = new_id()
    assert ImageFilter(ids=[str(one)]).ids == GalleryFilter(ids=[str(one)]).ids == (one,)
    wrong: Any = "publik"
    for make in (
        lambda: Declaration("image/png", 7, on_duplicate=wrong),
        lambda: Declaration("image/png", 7, visibility=wrong),
        lambda: ImageFilter(visibility=wrong),
        lambda: ImageFilter(status=wrong),
    ):
        with pytest.raises(InvalidInput, match=r"must be one of (keep_both, |public, |pending, )"):
            make()


@pytest.fixture
async def gallery(tmp_path: Path, database_dsn: str) -> AsyncIterator[ImageGallery]:
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings) as gallery:
        yield gallery


async def test_services_take_ids_as_text_and_refuse_wrong_ones(gallery: ImageGallery) -> None:
    galleries, images, uploads, webhooks = gallery.galleries, gallery.images, gallery.uploads, gallery.webhooks
    lisbon = await galleries.create(ANA, name="Lisbon", visibility="unlisted")
    assert (await galleries.get(ANA, str(lisbon.id))).id == lisbon.id
    assert (await galleries.update(ANA, lisbon.id.hex, name="Lisboa", cover_image_id=None)).name == "Lisboa"
    bad: Any = "tram"
    ids: Any = [bad]
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: galleries.get(ANA, bad),
        lambda: galleries.get_many(ANA, ids),
        lambda: galleries.update(ANA, bad),
        lambda: galleries.update(ANA, lisbon.id, cover_image_id=bad),
        lambda: galleries.delete(ANA, bad),
        lambda: galleries.add_images(ANA, bad, [lisbon.id]),
        lambda: galleries.add_images(ANA, lisbon.id, bad),
        lambda: galleries.remove_image(ANA, lisbon.id, bad),
        lambda: galleries.remove_images(ANA, lisbon.id, ids),
        lambda: galleries.move(ANA, lisbon.id, ids, before=lisbon.id),
        lambda: galleries.move(ANA, lisbon.id, [lisbon.id], after=bad),
        lambda: galleries.list_images(ANA, bad),
        lambda: galleries.list_images_page(ANA, bad),
        lambda: images.get(ANA, bad),
        lambda: images.get_many(ANA, ids),
        lambda: images.update(ANA, bad),
        lambda: images.delete(ANA, bad),
        lambda: images.retry(ANA, bad),
        lambda: images.wait_until_ready(ANA, bad),
        lambda: images.find_by_content(ANA, bytes(32), bad),
        lambda: images.view(ANA, bad),
        lambda: images.download_url(ANA, bad),
        lambda: images.batches.run(ANA, "trash", ids),
        lambda: images.batches.run(ANA, "add_to_gallery", [lisbon.id], gallery_id=bad),
        lambda: images.duplicates.dismiss(ANA, bad, lisbon.id),
        lambda: images.duplicates.dismiss(ANA, lisbon.id, bad),
        lambda: images.trash.put(ANA, bad),
        lambda: images.trash.restore(ANA, bad),
        lambda: images.trash.purge(ANA, bad),
        lambda: images.trash.delete(ANA, bad),
        lambda: uploads.create(ANA, filename="a.png", content_type="image/png", size=7, gallery_id=bad),
        lambda: uploads.add(ANA, b"tram", gallery_id=bad),
        lambda: uploads.get(ANA, bad),
        lambda: uploads.complete(ANA, bad),
        lambda: uploads.cancel(ANA, bad),
        lambda: uploads.claim(ANA, bad),
        lambda: uploads.staged(ANA, bad),
        lambda: uploads.parts.begin(ANA, filename="a.png", content_type="image/png", gallery_id=bad),
        lambda: uploads.parts.sign(ANA, bad, [1]),
        lambda: uploads.parts.list(ANA, bad),
        lambda: uploads.parts.complete(ANA, bad),
        lambda: webhooks.get(ANA, bad),
        lambda: webhooks.enable(ANA, bad),
        lambda: webhooks.delete(ANA, bad),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(InvalidInput) as refused:
            await call()
        assert " must be " in refused.value.message, number
