"""A backfill finds what is not as the presets say, has that made, and touches nothing else."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from attrs import evolve
from tests.support.library import make_image, with_failure, without_variants
from tests.support.photographs import photograph
from tests.support.studio import Studio, picture

from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.errors import InvalidInput
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal
from imagegallery.testing.storage.base import read
from imagegallery.variants import backfill
from imagegallery.variants.backfill import Backfill, OutdatedImage, Scope, touched
from imagegallery.variants.preset import DEFAULT_PRESETS, Preset
from imagegallery.variants.processing import SUPERSEDED_GRACE
from imagegallery.variants.work import Recipes

PHOTO = photograph(320, 240)
RENEW = "image.renew_variants"
EVERYTHING = Scope()
NEW_SMALL = tuple(
    evolve(preset, quality=70) if (preset.name, preset.format) == ("small", "webp") else preset
    for preset in DEFAULT_PRESETS
)
ANA = Principal.user("ana")
RECIPES = Recipes(DEFAULT_PRESETS, ANALYSES)
UP_TO_DATE = {each.name: each.version for each in ANALYSES}
JPEG = Preset("medium", 800, 800, "jpeg", 80)


def backfill_of(studio: Studio, presets: Sequence[Preset]) -> Backfill:
    """The backfill of a gallery whose presets are these from now on."""
    studio.use(*presets)
    return Backfill(studio.library.database, studio.library.queue, studio.processing.recipes, studio.clock)


async def processed(studio: Studio) -> Image:
    image_id = (await studio.upload(PHOTO, 320, 240)).id
    await studio.run("image.process")
    await studio.run("image.process_later")
    studio.engine.rendered.clear()
    return await studio.image(image_id)


async def run(backfill: Backfill, scope: Scope = EVERYTHING, *, dry_run: bool = False) -> list[OutdatedImage]:
    return [each async for step in backfill.run(scope, dry_run=dry_run) for each in step.touched]


async def bodies(studio: Studio, image: Image) -> dict[str, bytes]:
    return {variant.key: await read(studio.store, variant.key) for variant in image.variants}


async def test_what_is_up_to_date_is_left_alone(studio: Studio) -> None:
    await processed(studio)
    assert await run(backfill_of(studio, DEFAULT_PRESETS)) == []
    assert await studio.waiting() == []


async def test_only_what_another_recipe_made_is_made_anew(studio: Studio) -> None:
    before = await processed(studio)
    objects = await bodies(studio, before)

    assert await run(backfill_of(studio, NEW_SMALL)) == [OutdatedImage(before.id, (), ("small.webp",))]
    assert await studio.waiting() == [RENEW]
    await studio.run(RENEW)

    assert [[each.name for each in renditions] for renditions in studio.engine.rendered] == [["small-webp"]]
    after = await studio.image(before.id)
    (old,) = set(before.variants) - set(after.variants)
    (new,) = set(after.variants) - set(before.variants)
    assert (new.variant_type, new.format) == (old.variant_type, old.format) == ("small", "webp")
    assert new.key != old.key
    assert set(after.variants) - {new} == set(before.variants) - {old}
    # The old object is there until the pages that show it are gone.
    assert await bodies(studio, before) == objects
    studio.clock.advance(SUPERSEDED_GRACE)
    await studio.run("image.discard")
    assert await studio.objects() == {each.key for each in after.variants}
    assert await run(backfill_of(studio, NEW_SMALL)) == []


async def test_a_dry_run_says_the_same_and_changes_nothing(studio: Studio) -> None:
    image = await processed(studio)
    backfill = backfill_of(studio, (*NEW_SMALL, JPEG))
    found = await run(backfill, dry_run=True)
    assert found == [OutdatedImage(image.id, ("medium.jpeg",), ("small.webp",))]
    assert await studio.waiting() == []
    assert await run(backfill) == found


@pytest.mark.parametrize(
    ("scope", "made"),
    [
        (Scope(missing=True), {"medium-jpeg"}),
        (Scope(only=frozenset({"small"})), {"small-webp", "small-avif"}),
        (Scope(only=frozenset({"medium"})), {"medium-webp", "medium-jpeg", "medium-avif"}),
        (Scope(only=frozenset({"medium"}), missing=True), {"medium-jpeg"}),
        (Scope(only=frozenset({"medium.avif"})), {"medium-avif"}),
    ],
    ids=["missing", "small", "medium", "medium missing", "medium.avif"],
)
async def test_the_scope_is_kept_by_the_job_too(studio: Studio, scope: Scope, made: set[str]) -> None:
    before = await processed(studio)
    presets = (*(evolve(preset, quality=30) for preset in DEFAULT_PRESETS), JPEG)
    await run(backfill_of(studio, presets), scope)
    await studio.run(RENEW)
    assert {each.name for each in studio.engine.rendered[0]} == made
    after = await studio.image(before.id)
    changed = {f"{each.variant_type}-{each.format}" for each in set(after.variants) - set(before.variants)}
    assert changed == made
    assert await studio.waiting() == (["image.discard"] if set(before.variants) - set(after.variants) else [])


async def test_what_was_left_out_is_not_made_again_until_its_recipe_or_its_rival_s_is_another(studio: Studio) -> None:
    """A drawing's AVIF is no smaller than its WebP."""
    image = await studio.upload(picture(320, 240), 320, 240)
    await studio.run("image.process")
    await studio.run("image.process_later")
    assert {each.format for each in (await studio.image(image.id)).variants} == {"webp"}
    assert await run(backfill_of(studio, DEFAULT_PRESETS)) == []

    better_webp = [evolve(each, quality=95) if each.format == "webp" else each for each in DEFAULT_PRESETS]
    assert [each.missing for each in await run(backfill_of(studio, better_webp))] == [("medium.avif", "small.avif")]
    await studio.run(RENEW)
    assert {each.format for each in (await studio.image(image.id)).variants} == {"webp", "avif"}
    assert await run(backfill_of(studio, better_webp)) == []


async def test_running_it_twice_queues_nothing_twice(studio: Studio) -> None:
    await processed(studio)
    backfill = backfill_of(studio, NEW_SMALL)
    assert await run(backfill) == await run(backfill)
    assert await studio.waiting() == [RENEW]


async def test_it_goes_on_where_it_was_interrupted(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "BATCH", 2)
    images = [await studio.library.add_image(make_image()) for _ in range(5)]
    outdated = backfill_of(studio, DEFAULT_PRESETS)
    next_id: UUID | None = None
    async for step in outdated.run(EVERYTHING):
        next_id = step.next_id
        break
    assert len(await studio.waiting()) == 2
    assert await outdated.count(Scope(starting_from=next_id)) == 3
    rest = await run(outdated, Scope(starting_from=next_id))
    assert [each.image_id for each in rest] == [image.id for image in images[2:]]
    assert len(await studio.waiting()) == 5


async def test_starting_from_an_image_includes_it(studio: Studio) -> None:
    images = [await studio.library.add_image(make_image()) for _ in range(3)]
    found = await run(backfill_of(studio, DEFAULT_PRESETS), Scope(starting_from=images[1].id))
    assert [each.image_id for each in found] == [images[1].id, images[2].id]


async def test_a_preset_that_there_is_not_is_an_error(studio: Studio) -> None:
    with pytest.raises(InvalidInput, match="no preset or analysis huge"):
        await run(backfill_of(studio, DEFAULT_PRESETS), Scope(only=frozenset({"huge"})))


async def test_uploads_come_first(studio: Studio) -> None:
    await processed(studio)
    await run(backfill_of(studio, NEW_SMALL))
    await studio.upload(PHOTO, 320, 240)
    kinds = list(studio.processing.handlers())
    (first,) = await studio.library.queue.claim(kinds, limit=1, lease=SUPERSEDED_GRACE)
    assert first.kind == "image.process"


def test_images_that_are_not_complete_are_not_its_business() -> None:
    for image in (without_variants(make_image()), with_failure(make_image())):
        assert touched(image, UP_TO_DATE, EVERYTHING, RECIPES).names == ()


def test_what_no_preset_asks_for_any_more_stays() -> None:
    image = make_image()
    assert (
        "thumbnail.webp"
        not in touched(image, UP_TO_DATE, EVERYTHING, evolve(RECIPES, presets=DEFAULT_PRESETS[1:])).names
    )


@pytest.mark.parametrize("scope", [EVERYTHING, Scope(only=frozenset({"phash"})), Scope(missing=True)])
async def test_an_image_from_before_there_were_phashes_gets_one_and_no_variant(studio: Studio, scope: Scope) -> None:
    first, second = await processed(studio), await processed(studio)
    duplicates = studio.library.images.duplicates
    async with studio.library.database.connection() as connection:
        await connection.execute("UPDATE images SET phash = NULL")
        await connection.execute("DELETE FROM image_analyses WHERE name = 'phash'")
        await connection.execute("TRUNCATE phash_buckets, phash_neighbours, lookalikes")
    assert (await duplicates.list(ANA)).items == ()

    assert await run(backfill_of(studio, DEFAULT_PRESETS), Scope(only=frozenset({"small"}))) == []
    asked = await run(backfill_of(studio, DEFAULT_PRESETS), scope)
    assert asked == [OutdatedImage(each.id, ("phash",), ()) for each in (first, second)]
    for _ in asked:
        await studio.run(RENEW)

    assert studio.engine.rendered == [(), ()]
    assert (await studio.image(first.id)).phash is not None
    (found,) = (await duplicates.list(ANA)).items
    assert (found.image.id, [each.image.id for each in found.others]) == (second.id, [first.id])
    assert await run(backfill_of(studio, DEFAULT_PRESETS), scope) == []
