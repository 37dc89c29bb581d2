"""Variants are made: on a real database, with a real store and a real decoder."""

import io
from datetime import timedelta

import anyio
import pytest
from attrs import evolve
from PIL import ExifTags
from PIL import Image as Pillow
from tests.support import images
from tests.support.events import closed_urls
from tests.support.photographs import photograph
from tests.support.studio import RemoteStore, Studio, picture

from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.images.jobs import process_image
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.sandbox.engine import SandboxedEngine
from imagegallery.principal import Principal
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.worker import Worker
from imagegallery.storage.protocol import LocalObjects
from imagegallery.testing.storage.base import read
from imagegallery.variants.preset import DEFAULT_PRESETS, Preset
from imagegallery.variants.processing import SUPERSEDED_GRACE

PHOTO = photograph(1000, 750)
SMALL_PHOTO = photograph(320, 240)
"""Shown at its full size by ``medium``: it costs a tenth to encode."""


def names(image: Image) -> set[str]:
    return {f"{each.variant_type}.{each.format} {each.width}x{each.height}" for each in image.variants}


def keys(image: Image) -> set[str]:
    return {variant.key for variant in image.variants}


async def test_webp_makes_the_image_usable_and_avif_follows(studio: Studio) -> None:
    image_id = (await studio.upload(PHOTO, 1000, 750)).id

    await studio.run("image.process")
    usable = await studio.image(image_id)
    assert usable.status is ProcessingStatus.COMPLETE
    assert usable.blurhash
    webp = {"thumbnail.webp 80x80", "small.webp 300x225", "medium.webp 800x600", "large.webp 1000x750"}
    assert names(usable) == webp
    assert await studio.objects() == keys(usable)

    await studio.run("image.process_later")
    whole = await studio.image(image_id)
    assert whole.status is ProcessingStatus.COMPLETE
    assert names(whole) == webp | {"small.avif 300x225", "medium.avif 800x600", "large.avif 1000x750"}
    assert await studio.objects() == keys(whole)
    assert await studio.waiting() == []


async def test_rows_tell_the_truth_about_their_objects(studio: Studio) -> None:
    image_id = (await studio.upload(PHOTO, 1000, 750)).id
    await studio.run("image.process")
    await studio.run("image.process_later")
    for variant in (await studio.image(image_id)).variants:
        body = await read(studio.store, variant.key)
        assert len(body) == variant.file_size
        with Pillow.open(io.BytesIO(body)) as opened:
            assert (opened.format or "").lower() == variant.format
            assert opened.size == (variant.width, variant.height)


async def test_variants_hold_no_metadata(studio: Studio) -> None:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Make] = "Canon"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (38.0, 42.0, 49.8)
    image_id = (await studio.upload(picture(400, 300, exif=exif.tobytes()), 400, 300)).id
    await studio.run("image.process")
    await studio.run("image.process_later")
    for variant in (await studio.image(image_id)).variants:
        with Pillow.open(io.BytesIO(await read(studio.store, variant.key))) as opened:
            assert dict(opened.getexif()) == {}
            assert "xmp" not in opened.info


async def test_doing_a_job_again_renders_nothing(studio: Studio) -> None:
    image = await studio.upload(SMALL_PHOTO, 320, 240)
    await studio.run("image.process")
    before = await studio.image(image.id)
    await studio.enqueue(process_image(image))
    await studio.run("image.process")
    assert len(studio.engine.rendered) == 1
    assert (await studio.image(image.id)).variants == before.variants
    assert await studio.waiting() == ["image.process_later"]


async def test_what_is_no_smaller_in_avif_is_neither_kept_nor_made_again(studio: Studio) -> None:
    drawing = picture(320, 240)
    image_id = (await studio.upload(drawing, 320, 240)).id
    await studio.run("image.process")
    usable = await studio.image(image_id)
    await studio.run("image.process_later")

    image = await studio.image(image_id)
    assert (image.status, image.variants) == (ProcessingStatus.COMPLETE, usable.variants)
    assert image.responsive.sources == ()
    assert await studio.objects() == keys(image)

    await studio.enqueue(process_image(image))
    await studio.run("image.process")
    assert len(studio.engine.rendered) == 2
    assert await studio.waiting() == []


async def test_one_that_was_kept_goes_when_it_is_no_smaller_any_more(studio: Studio) -> None:
    image_id = (await studio.upload(SMALL_PHOTO, 320, 240)).id
    await studio.run("image.process")
    await studio.run("image.process_later")
    before = await studio.image(image_id)
    studio.use(*(evolve(each, quality=30) if each.format == "webp" else each for each in DEFAULT_PRESETS))
    await studio.enqueue(process_image(before))
    await studio.run("image.process")

    after = await studio.image(image_id)
    assert {each.format for each in before.variants} == {"webp", "avif"}
    assert {each.format for each in after.variants} == {"webp"}
    assert await studio.waiting() == ["image.discard", "image.discard"]
    studio.clock.advance(SUPERSEDED_GRACE)
    for _ in range(2):
        await studio.run("image.discard")
    assert await studio.objects() == keys(after)


async def test_the_later_job_gives_way_to_images_that_are_not_usable_yet(studio: Studio) -> None:
    await studio.upload(SMALL_PHOTO, 320, 240)
    await studio.run("image.process")
    studio.clock.advance(timedelta(minutes=1))
    await studio.upload(SMALL_PHOTO, 320, 240)
    claimed = await studio.library.queue.claim(
        ["image.process", "image.process_later"], limit=1, lease=timedelta(seconds=30)
    )
    assert [job.kind for job in claimed] == ["image.process"]


async def test_a_one_pixel_image_has_a_public_variant(studio: Studio) -> None:
    image_id = (await studio.upload(picture(1, 1), 1, 1)).id
    await studio.run("image.process")
    assert names(await studio.image(image_id)) == {"thumbnail.webp 1x1"}


async def test_a_new_recipe_replaces_what_it_changes_and_leaves_the_rest(studio: Studio) -> None:
    image_id = (await studio.upload(SMALL_PHOTO, 320, 240)).id
    await studio.run("image.process")
    await studio.run("image.process_later")
    before = await studio.image(image_id)
    ana = Principal.user("ana")
    gallery = await studio.library.galleries.create(ana, name="Lisbon", visibility="public")
    await studio.library.galleries.add_images(ana, gallery.id, [image_id])
    studio.use(
        *(
            evolve(preset, quality=30) if preset.name == "small" else preset
            for preset in DEFAULT_PRESETS
            if preset.name != "thumbnail"
        ),
        Preset("medium", 800, 800, "jpeg", 80),
    )

    await studio.enqueue(process_image(before))
    await studio.run("image.process")

    after = await studio.image(image_id)
    assert [rendition.name for rendition in studio.engine.rendered[-1]] == ["small-webp", "medium-jpeg"]
    assert names(after) == names(before) - {"thumbnail.webp 80x80"} | {"medium.jpeg 320x240"}
    assert {each.key for each in after.variants if each.format == "avif"} < keys(before)

    closed = await closed_urls(studio.library.database)
    assert {url for urls in closed for url in urls} == {f"/files/{key}" for key in keys(before) - keys(after)}

    # Pages that were cached a moment ago still name the old objects.
    assert keys(before) < await studio.objects()
    studio.clock.advance(SUPERSEDED_GRACE)
    while "image.discard" in await studio.waiting():
        await studio.run("image.discard")
    assert await studio.objects() == keys(after)


async def test_a_store_elsewhere_is_read_through_scratch_files(studio: Studio) -> None:
    studio.processing = evolve(studio.processing, store=RemoteStore(studio.store))
    assert not isinstance(studio.processing.store, LocalObjects)
    image_id = (await studio.upload(SMALL_PHOTO, 320, 240)).id
    await studio.run("image.process")
    image = await studio.image(image_id)
    assert image.status is ProcessingStatus.COMPLETE
    assert await studio.objects() == keys(image)
    left = [path async for path in anyio.Path(studio.scratch.path).iterdir() if await path.is_dir()]
    assert left == []


async def test_a_worker_does_it_all_and_tells_those_who_wait(studio: Studio) -> None:
    ana = Principal.user("ana")
    image_id = (await studio.upload(SMALL_PHOTO, 320, 240)).id
    worker = Worker(studio.library.queue, studio.processing.handlers(), QueueOptions(), studio.clock)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            await tasks.start(worker.run)
            image = await studio.library.images.wait_until_ready(ana, image_id)
            async with studio.library.database.listen("imagegallery_images") as notifications:
                while await studio.waiting():
                    await notifications.wait(timedelta(milliseconds=50))
            worker.stop()
    assert image.status is ProcessingStatus.COMPLETE
    assert len((await studio.image(image_id)).variants) == 5


async def test_animations_stay_animated_in_medium_webp(studio: Studio) -> None:
    frames = [Pillow.new("RGB", (200, 100), color) for color in ("red", "green", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)
    studio.use(Preset("small", 100, 100, "webp", 75), Preset("medium", 800, 800, "webp", 80, animated=True))
    image = await studio.upload(buffer.getvalue(), 200, 100, "image/gif", frames=3)

    await studio.run("image.process")

    assert {each.variant_type: each.frames for each in (await studio.image(image.id)).variants} == {
        "small": 1,
        "medium": 3,
    }
    counted = {}
    for variant in (await studio.image(image.id)).variants:
        with Pillow.open(io.BytesIO(await read(studio.store, variant.key))) as opened:
            counted[variant.variant_type] = getattr(opened, "n_frames", 1)
    assert counted == {"small": 1, "medium": 3}


async def test_frames_that_are_given_up_are_told_of(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    """In the log of whoever runs it, and by the variants' own ``frames``."""
    body = images.animation(frames=4)
    async with SandboxedEngine.open(ImagingOptions(max_animation_pixels=64 * 48 * 2)) as engine:
        studio.engine.engine = engine
        image = await studio.upload(body, 64, 48, "image/gif", frames=4)
        with caplog.at_level("WARNING"):
            await studio.run("image.process")
    assert {each.frames for each in (await studio.image(image.id)).variants} == {1, 2}
    assert "2 of 4 are shown" in caplog.text
