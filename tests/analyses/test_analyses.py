"""An analysis is added by its own file and its place in the list: computed, recorded, and computed anew when its
version goes up."""

import importlib
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from attrs import evolve
from PIL import Image as Pillow
from tests.support.photographs import photograph
from tests.support.studio import LEASE, Studio, picture

from imagegallery.analyses.analysis import Analysis, AnalysisOptions
from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.analyses.feature import FEATURE
from imagegallery.analyses.job import ANALYSE_IMAGE, AnalyseImage
from imagegallery.feature import ByClass
from imagegallery.imaging.protocol import Colours, Pixels, Rendition, Subject
from imagegallery.principal import Principal
from imagegallery.variants.backfill import Backfill, OutdatedImage, Scope
from imagegallery.variants.preset import Preset

ANA = Principal.user("ana")
PHOTO = photograph(320, 240)
SMALL = Preset("small", 100, 100, "webp", 75)
EVERYTHING = Scope()


def brightness(version: int = 1) -> Analysis:
    run = importlib.import_module("brightness").measure
    return Analysis("brightness", version, Pixels(4, 8, Colours.GREY), run)


def size_seen(subject: Subject) -> object:
    """A toy that would take long: a model that is shown a picture."""
    assert subject.picture is not None
    with Pillow.open(subject.picture) as opened:
        return {"seen": list(opened.size), "of": [subject.width, subject.height]}


SEEN = Analysis("seen", 1, Rendition("model", 64, 64, "png", 100, 1), size_seen)
LABEL = Analysis("label", 1, Rendition("model", 32, 32, "png", 100, 1), size_seen)


def use(studio: Studio, *analyses: Analysis) -> None:
    """The list of today: these and those that are there anyway."""
    recipes = evolve(studio.processing.recipes, presets=(SMALL,), analyses=(*ANALYSES, *analyses))
    studio.processing = evolve(studio.processing, recipes=recipes)


def backfill(studio: Studio) -> Backfill:
    return Backfill(studio.library.database, studio.library.queue, studio.processing.recipes, studio.clock)


async def found(studio: Studio, scope: Scope = EVERYTHING) -> list[OutdatedImage]:
    return [each async for step in backfill(studio).run(scope) for each in step.touched]


async def recorded(studio: Studio) -> dict[str, tuple[int, str, object]]:
    async with studio.library.database.connection() as connection:
        rows = await connection.fetch("SELECT name, version, state, data FROM image_analyses")
    return {row["name"]: (row["version"], row["state"], row["data"]) for row in rows}


def analysing(studio: Studio) -> AnalyseImage:
    parts = studio.processing
    return AnalyseImage(
        parts.database, parts.store, parts.queue, parts.engine, parts.scratch, parts.recipes.analyses, parts.clock
    )


async def analyse(studio: Studio) -> None:
    job = await studio.claim(ANALYSE_IMAGE)
    await analysing(studio).run(job)
    await studio.library.queue.complete(job)


async def test_one_that_is_added_is_computed_beside_the_first_variants(studio: Studio) -> None:
    use(studio, brightness())
    image = await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")

    assert [len(renditions) for renditions in studio.engine.rendered] == [1]
    there = await recorded(studio)
    version, state, data = there.pop("brightness")
    assert (version, state) == (1, "done")
    assert isinstance(data, dict)
    assert data["is_wide"] is True
    assert 0 < data["brightness"] < 255
    seen = await studio.image(image.id)
    assert there["placeholder"] == (1, "done", seen.blurhash)
    assert there["phash"] == (1, "done", f"{seen.phash:016x}")
    assert there.keys() == {each.name for each in ANALYSES}
    assert await found(studio) == []


async def test_when_its_version_goes_up_it_alone_is_computed_anew(studio: Studio) -> None:
    use(studio, brightness())
    image = await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")
    before = await studio.image(image.id)

    use(studio, brightness(version=2))
    assert await found(studio, Scope(only=frozenset({"phash"}))) == []
    assert await found(studio, Scope(missing=True)) == []
    assert await found(studio, Scope(only=frozenset({"brightness"}))) == [OutdatedImage(image.id, (), ("brightness",))]
    studio.engine.rendered.clear()
    await studio.run("image.renew_variants")

    assert studio.engine.rendered == [()]
    assert (await recorded(studio))["brightness"][0] == 2
    assert (await studio.image(image.id)).variants == before.variants
    assert await found(studio) == []


async def test_one_that_takes_long_runs_in_a_job_of_its_own_and_one_decode(studio: Studio) -> None:
    use(studio, SEEN, LABEL)
    await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")
    assert await studio.waiting() == [ANALYSE_IMAGE]
    assert "seen" not in await recorded(studio)

    studio.engine.rendered.clear()
    await analyse(studio)
    assert len(studio.engine.rendered) == 1
    there = await recorded(studio)
    assert there["seen"] == (1, "done", {"seen": [64, 48], "of": [320, 240]})
    assert there["label"] == (1, "done", {"seen": [32, 24], "of": [320, 240]})

    use(studio, evolve(SEEN, version=2), LABEL)
    assert [each.outdated for each in await found(studio)] == [("seen",)]
    assert await studio.waiting() == [ANALYSE_IMAGE]
    await analyse(studio)
    assert (await recorded(studio))["seen"][0] == 2


async def test_uploads_come_before_what_takes_long(studio: Studio) -> None:
    use(studio, SEEN)
    await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")
    await studio.upload(PHOTO, 320, 240)
    kinds = [*studio.processing.handlers(), ANALYSE_IMAGE]
    claimed = [await studio.library.queue.claim(kinds, limit=1, lease=LEASE) for _ in "ab"]
    assert [job.kind for (job,) in claimed] == ["image.process", ANALYSE_IMAGE]


def test_what_takes_long_has_hands_of_its_own() -> None:
    """The worker's lanes are tested in tests/queue/test_worker.py."""
    resources: Any = SimpleNamespace(options=ByClass(AnalysisOptions(max_at_once=3)))
    assert FEATURE.apart(resources) == {ANALYSE_IMAGE: 3}


async def test_what_cannot_be_looked_at_is_recorded_and_not_tried_again(studio: Studio) -> None:
    use(studio, SEEN)
    image = await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")
    path: Path = studio.store.local_path(image.original_key)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    await analyse(studio)
    version, state, reason = (await recorded(studio))["seen"]
    assert (version, state) == (1, "failed")
    assert reason == "The stored original is not the file that was uploaded."
    assert await found(studio) == []


async def test_a_new_phash_takes_the_place_of_the_old_one(studio: Studio) -> None:
    use(studio)
    first = await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")
    second = await studio.upload(picture(320, 240), 320, 240)
    await studio.run("image.process")
    assert (await studio.library.images.duplicates.list(ANA)).items == ()

    recipes = studio.processing.recipes
    others = tuple(each for each in ANALYSES if each.name != "phash")
    (old,) = (each for each in ANALYSES if each.name == "phash")
    # From now on all pictures look the same.
    newer = evolve(old, version=2, run=importlib.import_module("same").measure)
    studio.processing = evolve(studio.processing, recipes=evolve(recipes, analyses=(*others, newer)))
    assert [each.outdated for each in await found(studio)] == [("phash",), ("phash",)]
    for _ in range(2):
        await studio.run("image.renew_variants")
    assert {(await studio.image(each.id)).phash for each in (first, second)} == {0x0123_4567_89AB_CDEF}
    (alike,) = (await studio.library.images.duplicates.list(ANA)).items
    assert (alike.image.id, [each.image.id for each in alike.others]) == (second.id, [first.id])


async def test_the_time_that_a_newer_reader_finds_moves_the_image_in_its_galleries(studio: Studio) -> None:
    use(studio)
    image = await studio.upload(PHOTO, 320, 240)
    await studio.run("image.process")
    gallery = await studio.library.galleries.create(ANA, name="Lisbon")
    await studio.library.galleries.add_images(ANA, gallery.id, [image.id])
    taken = "2019-07-01T12:00:00+00:00"
    (old,) = (each for each in ANALYSES if each.name == "metadata")
    newer = evolve(old, version=2, run=lambda _: {"taken_at": taken, "taken_at_source": "exif_original", "make": "X"})
    recipes = evolve(studio.processing.recipes, analyses=(*(each for each in ANALYSES if each != old), newer))
    studio.processing = evolve(studio.processing, recipes=recipes)
    assert [each.outdated for each in await found(studio)] == [("metadata",)]
    studio.engine.rendered.clear()
    await studio.run("image.renew_variants")
    assert studio.engine.rendered == []  # the header says it
    seen = await studio.image(image.id)
    assert seen.taken_at == datetime.fromisoformat(taken)
    assert seen.metadata is not None
    assert seen.metadata.make == "X"
    async with studio.library.database.connection() as connection:
        assert await connection.fetchval("SELECT image_taken_at FROM gallery_images") == seen.taken_at
