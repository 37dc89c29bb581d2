"""Which analyses an image lacks."""

from attrs import evolve

from imagegallery.analyses.analysis import missing_analyses
from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.analyses.metadata import METADATA
from imagegallery.analyses.perceptual_hash import PHASH
from imagegallery.analyses.placeholder import PLACEHOLDER
from imagegallery.analyses.words import WORDS

TODAY = {each.name: each.version for each in ANALYSES}


def test_a_new_image_lacks_them_all() -> None:
    assert missing_analyses(ANALYSES, {}) == ANALYSES == (PLACEHOLDER, PHASH, METADATA, WORDS)


def test_one_that_has_them_lacks_none() -> None:
    assert missing_analyses(ANALYSES, {**TODAY, "one that is gone": 3}) == ()


def test_one_of_another_version_is_lacking() -> None:
    newer = evolve(PHASH, version=PHASH.version + 1)
    assert missing_analyses((PLACEHOLDER, newer), TODAY) == (newer,)


def test_names_are_single_and_none_is_that_of_a_variant() -> None:
    assert len(TODAY) == len(ANALYSES)
    assert not any("." in name for name in TODAY)
