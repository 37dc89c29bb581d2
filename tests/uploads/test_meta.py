"""``meta`` that comes with an upload."""

from datetime import timedelta

import anyio
import pytest
from tests.events.test_recorded import recorded
from tests.support.uploads import Traces, Uploading

from imagegallery import hooks
from imagegallery.common.meta import MAX_META, Meta
from imagegallery.errors import Fault, HookFailed, ImageGalleryError, InvalidInput
from imagegallery.images.events import GalleryChanged, ImageUploaded
from imagegallery.images.image.meta_checks import MetaCheck

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


async def refuse(meta: Meta) -> None:
    """A check of an application."""
    if "sku" not in meta:
        raise InvalidInput("Each picture is of a product.", [Fault(("body", "meta", "sku"), "is required")])


def fail(_: Meta) -> None:
    raise LookupError("the catalogue is not there")


async def hang(_: Meta) -> None:
    await anyio.sleep_forever()


@pytest.mark.parametrize(("check", "refusal"), [(refuse, InvalidInput), (fail, HookFailed), (hang, HookFailed)])
async def test_what_the_application_does_not_agree_to_leaves_nothing(
    uploading: Uploading,
    jpeg: bytes,
    check: MetaCheck,
    refusal: type[ImageGalleryError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, library, me = uploading.service, uploading.library, uploading.me
    gallery = await library.galleries.create(me, name="Lisbon", meta=META)
    image = await service.add(me, jpeg, meta=META)
    before = await uploading.traces()
    if check is hang:
        monkeypatch.setattr(hooks, "HOOK_TIME", timedelta(0))
    library.images.rules.meta_checks.add("image", check)
    library.images.rules.meta_checks.add("gallery", check)
    for attempt in (
        service.add(me, jpeg),
        service.create(me, filename="tram.jpg", content_type="image/jpeg", size=9),
        service.server.resumable.create(me, filename="tram.jpg", content_type="image/jpeg", size=9),
        service.parts.begin(me, filename="tram.jpg", content_type="image/jpeg"),
        library.galleries.create(me, name="Porto"),
        library.galleries.update(me, gallery.id, meta={"sku": None}, name="Porto"),
        library.images.update(me, image.id, meta=None, alt_text="A tram"),
    ):
        with pytest.raises(refusal):
            await attempt
    assert await uploading.traces() == before
    assert (await service.list(me)).items == ()
    (unchanged,) = (await library.galleries.list(me)).items
    assert (unchanged.name, unchanged.meta) == ("Lisbon", META)
    assert (await library.images.get(me, image.id)).meta == META
    if check is refuse:
        assert (await service.add(me, jpeg, meta={"sku": "A-2"})).meta == {"sku": "A-2"}


async def test_a_check_sees_all_that_would_be_kept_and_changes_nothing_of_it(uploading: Uploading) -> None:
    seen: list[Meta] = []

    def look(meta: Meta) -> None:
        seen.append(dict(meta))
        assert isinstance(meta, dict)
        meta["sku"] = object()

    galleries, me = uploading.library.galleries, uploading.me
    uploading.library.images.rules.meta_checks.add("gallery", look)
    gallery = await galleries.create(me, name="Lisbon", meta={**META, "none": None})
    changed = await galleries.update(me, gallery.id, meta={"colour": None, "size": 1})
    await galleries.update(me, gallery.id, name="Lisboa")
    assert seen == [META, {"sku": "A-1", "size": 1}]
    assert changed.meta == {"sku": "A-1", "size": 1}


async def test_what_is_staged_gets_its_meta_when_it_is_attached(uploading: Uploading, jpeg: bytes) -> None:
    uploading.library.images.rules.meta_checks.add("image", refuse)
    staged = await uploading.service.stage(uploading.me, jpeg)
    async with uploading.library.database.connection() as host, host.transaction():
        with pytest.raises(InvalidInput, match="of a product"):
            await staged.attach(host)
        image = await staged.attach(host, meta=META)
    assert (await uploading.library.images.get(uploading.me, image.id)).meta == META
