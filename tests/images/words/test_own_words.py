"""What owners say of their images, on a real database: who is shown what of it, and how many have which tag."""

import anyio
import pytest
from attrs import evolve
from tests.support.library import Library, make_image

from imagegallery.access.contributor import Contributor
from imagegallery.analyses import records as analysis_records
from imagegallery.analyses.analysis import AnalysisResult
from imagegallery.analyses.words import WORDS
from imagegallery.errors import Forbidden, InvalidInput, NotFound
from imagegallery.images.image.image import Image
from imagegallery.images.words.file_words import Words
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
COUNTS = """
SELECT t.name, sum(c.image_count)::int FROM tags t LEFT JOIN tag_counts c ON c.tag_id = t.id
WHERE t.owner_id = 'ana' GROUP BY t.id ORDER BY t.key"""


async def counts(library: Library) -> dict[str, int]:
    async with library.database.connection() as connection:
        return {name: count or 0 for name, count in await connection.fetch(COUNTS)}


async def test_an_owner_says_all_there_is_to_say_and_takes_it_back(library: Library) -> None:
    image = await library.add_image(make_image())
    update = library.images.update
    said = await update(
        ANA, image.id, tags=["Tram", "yellow"], title="Line 28", description="Up to the castle.", rating=4
    )
    assert (said.tags, said.title, said.description, said.rating) == (
        ("Tram", "yellow"),
        "Line 28",
        "Up to the castle.",
        4,
    )
    assert said.own_words == {"tags", "title", "description", "rating"}
    assert await counts(library) == {"Tram": 1, "yellow": 1}

    # Without the others, what is given changes; the tag stays as it was written first.
    assert (await update(ANA, image.id, tags=["TRAM", "sea"])).tags == ("sea", "Tram")
    assert await counts(library) == {"sea": 1, "Tram": 1, "yellow": 0}

    bare = await update(ANA, image.id, tags=[], title="", description="", rating=None)
    assert (bare.tags, bare.title, bare.description, bare.rating) == ((), "", "", None)
    assert set((await counts(library)).values()) == {0}


async def test_captions_are_for_all_who_see_the_picture_and_tags_for_its_owner(library: Library) -> None:
    image = await library.add_image(evolve(make_image(), title="From the file", people=("Inês",)))
    await library.images.update(ANA, image.id, tags=["private matter"], rating=1, visibility="public")
    await library.images.update(ANA, image.id, description="Up to the castle.")
    for who in (BEN, VISITOR):
        shown = await library.images.get(who, image.id)
        assert (shown.title, shown.description) == ("From the file", "Up to the castle.")
        assert (shown.tags, shown.rating, shown.people) == ((), None, ())


async def test_one_owners_tags_are_no_others(library: Library) -> None:
    of_ana, of_ben = await library.add_image(make_image()), await library.add_image(make_image("ben"))
    await library.images.update(BEN, of_ben.id, tags=["TRAM"])
    assert (await library.images.update(ANA, of_ana.id, tags=["tram"])).tags == ("tram",)
    for attempt in (
        library.images.update(BEN, of_ana.id, tags=["mine"]),
        library.images.update(BEN, of_ana.id, rating=1),
    ):
        with pytest.raises((NotFound, Forbidden)):
            await attempt
    with pytest.raises(InvalidInput):
        await library.images.update(ANA, of_ana.id, tags=["a\0b"])


async def test_writers_that_share_tags_count_each_image_once(library: Library) -> None:
    images = [await library.add_image(make_image()) for _ in range(12)]

    async def tag(image: Image, *tags: str) -> None:
        await library.images.update(ANA, image.id, tags=tags)

    async with anyio.create_task_group() as tasks:
        for number, image in enumerate(images):
            tasks.start_soon(tag, image, *(("a", "b", "c") if number % 2 else ("C", "B", "A")))
    assert {name.lower(): count for name, count in (await counts(library)).items()} == {"a": 12, "b": 12, "c": 12}


async def test_the_trash_counts_in_no_tag_and_what_comes_back_does(library: Library) -> None:
    kept, gone = [await library.add_image(make_image()) for _ in range(2)]
    for image in (kept, gone):
        await library.images.update(ANA, image.id, tags=["tram"])
    await library.images.trash.put(ANA, gone.id)
    assert await counts(library) == {"tram": 1}
    await library.images.trash.restore(ANA, gone.id)
    assert await counts(library) == {"tram": 2}
    assert (await library.images.get(ANA, gone.id)).tags == ("tram",)
    await library.images.trash.delete(ANA, gone.id)
    await library.images.batches.run(ANA, "trash", [kept.id])
    assert await counts(library) == {"tram": 0}


async def test_what_a_file_says_never_replaces_what_its_owner_said(library: Library) -> None:
    image = await library.add_image(make_image())
    said = Words(("tram", "sea"), "Line 28", "Up to the castle.", 4, ("Inês",))
    shown = await look_again(library, image, said)
    assert (shown.tags, shown.title, shown.rating, shown.people) == (("sea", "tram"), "Line 28", 4, ("Inês",))
    assert shown.own_words == frozenset()

    await library.images.update(ANA, image.id, tags=["mine"], title="", rating=None)
    shown = await look_again(library, image, Words(("other",), "Other", "New text", 1, ()))
    assert (shown.tags, shown.title, shown.rating) == (("mine",), "", None)
    assert (shown.description, shown.people) == ("New text", ("Inês",)), "a sidecar may have named them"
    assert await counts(library) == {"mine": 1, "sea": 0, "tram": 0}


async def test_others_bring_captions_and_no_tags(library: Library) -> None:
    image = await library.add_image(evolve(make_image(), added_by=Contributor.from_text("user:ben", "Ben")))
    shown = await look_again(library, image, Words(("spam",), "Line 28", "", 5, ("Inês",)))
    assert (shown.tags, shown.title, shown.rating, shown.people) == ((), "Line 28", None, ())
    assert await counts(library) == {}


async def look_again(library: Library, image: Image, words: Words) -> Image:
    """What `image.process` does when it has read the file."""
    async with library.database.transaction() as connection:
        found = AnalysisResult(WORDS, words.to_json())
        await analysis_records.put(connection, image, [found], now=library.clock())
    return await library.images.get(ANA, image.id)
