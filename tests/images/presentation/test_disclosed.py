"""What is told of an image at each level, and what may be asked by."""

import pytest
from attrs import evolve
from tests.support.library import make_image, with_place

from imagegallery.access.audience import Audience
from imagegallery.access.disclosure import EVERYBODYS, OWNERS, Disclosure, MetaOptions
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.clock import EPOCH
from imagegallery.images.image.image import Image
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.presentation.disclosed import disclosed, hidden_conditions

NONE, BASIC, ALL = (Disclosure(Audience.SHARED, level, DownloadAllowed.ORIGINAL) for level in MetadataShown)
META = MetaOptions(public=("event",))
OWNERS_ALONE = ("is_favorite", "is_archived", "visibility", "tag", "rating", "rating_from")
EVERYTHING = ImageFilter(
    is_favorite=True,
    is_archived=False,
    visibility="private",
    taken_from=EPOCH,
    meta={"event": "1", "price": 2},
    tag="tram",
    rating=5,
    rating_from=1,
)


@pytest.fixture
def image() -> Image:
    return evolve(with_place(make_image()), taken_at=EPOCH, taken_at_source=TakenAtSource.EXIF_ORIGINAL)


def test_with_no_metadata_it_looks_like_a_file_that_says_nothing(image: Image) -> None:
    told = disclosed(image, NONE)
    assert told.filename == f"{image.id}.jpg"
    assert (told.taken_at, told.taken_at_source) == (image.created_at, TakenAtSource.UPLOAD)
    assert (told.metadata, told.latitude, told.longitude) == (None, None, None)
    changed = evolve(image, filename="other.jpg", is_favorite=True, updated_at=image.updated_at.replace(year=2030))
    assert evolve(disclosed(changed, NONE), is_favorite=False) == told
    assert (told.alt_text, told.blurhash) == (image.alt_text, image.blurhash)


@pytest.mark.parametrize("shown", [BASIC, EVERYBODYS])
def test_the_place_is_left_out_of_what_everybody_sees(image: Image, shown: Disclosure) -> None:
    told = disclosed(image, shown)
    assert image.metadata is not None
    assert told == evolve(image, metadata=image.metadata.without_place(), latitude=None, longitude=None)


@pytest.mark.parametrize("shown", [ALL, OWNERS])
def test_who_is_shown_all_is_shown_the_place(image: Image, shown: Disclosure) -> None:
    assert disclosed(image, shown) == image


@pytest.mark.parametrize("shown", [ALL, BASIC, EVERYBODYS, NONE])
def test_words_are_for_whom_they_are(image: Image, shown: Disclosure) -> None:
    said = evolve(image, tags=("tram",), rating=3, title="Own", description="Of the file", people=("Inês",))
    told = disclosed(evolve(said, own_words=frozenset(("title",))), shown)
    assert (told.tags, told.rating, told.title) == ((), None, "Own")
    assert told.description == ("" if shown is NONE else "Of the file")
    assert told.people == (("Inês",) if shown is ALL else ())


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [
        (OWNERS, ()),
        (ALL, (*OWNERS_ALONE, "meta.price")),
        (EVERYBODYS, (*OWNERS_ALONE, "meta.price")),
        (NONE, (*OWNERS_ALONE, "taken_from", "order", "meta.event", "meta.price")),
    ],
)
def test_nobody_asks_by_what_they_are_not_shown(shown: Disclosure, hidden: tuple[str, ...]) -> None:
    assert hidden_conditions(EVERYTHING, "filename", shown, META) == hidden
    assert hidden_conditions(ImageFilter(), "position", shown, META) == ()
