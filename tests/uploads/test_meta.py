"""``meta`` that comes with an upload."""

import pytest
from tests.events.test_recorded import recorded
from tests.support.uploads import Traces, Uploading

from imagegallery.common.meta import MAX_META
from imagegallery.errors import InvalidInput
from imagegallery.images.events import GalleryChanged
from imagegallery.uploads.events import ImageUploaded

META = {"sku": "A-1", "colour": "red"}


async def test_an_upload_brings_it_and_tells_it(uploading: Uploading, jpeg: bytes) -> None:
    gallery = await uploading.library.galleries.create(uploading.me, name="Lisbon", meta={"shop": 1})
    image = await uploading.service.add(uploading.me, jpeg, gallery_id=gallery.id, meta=META)
    assert image.meta == META
    told = (await recorded(uploading.library.database))[-2:]
    assert told == [
        GalleryChanged("ada", gallery.id, "images", {"shop": 1}),
        ImageUploaded("ada", image.id, gallery.id, gallery_ids=[gallery.id], meta=META),
    ]


@pytest.mark.parametrize("meta", [{"a": "x" * MAX_META}, {"a": float("nan")}, {"a\0": 1}, {"a": "\ud800"}])
async def test_what_it_cannot_be_is_refused_before_anything_is_read_or_kept(
    uploading: Uploading, meta: dict[str, float | str]
) -> None:
    class Unread:
        def read(self, _: int, /) -> bytes:
            raise AssertionError

    with pytest.raises(InvalidInput) as refused:
        await uploading.service.add(uploading.me, Unread(), size=10, meta=meta)
    assert refused.value.faults[0].path[:2] == ("body", "meta")
    with pytest.raises(InvalidInput):
        await uploading.service.create(uploading.me, filename="a.jpg", content_type="image/jpeg", size=1, meta=meta)
    with pytest.raises(InvalidInput):
        await uploading.library.galleries.create(uploading.me, name="Lisbon", meta=meta)
    assert await uploading.traces() == Traces()
    assert (await uploading.service.list(uploading.me)).items == ()
