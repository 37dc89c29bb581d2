"""What the guide for contributors names is there."""

import re
from pathlib import Path

from attrs import fields, fields_dict

from imagegallery import gallery
from imagegallery.analyses.analysis import Analysis
from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.events import event
from imagegallery.feature import Feature

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def test_every_file_and_folder_is_there() -> None:
    named = re.findall(r"(?:src|docs|tests)/[\w./-]+", GUIDE)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def recipe(name: str) -> str:
    """What the guide says that this is made of."""
    found = re.search(rf"^\*\*{re.escape(name)}\*\*: (.*?)(?:\n\n|\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_a_feature_brings_what_the_guide_says() -> None:
    brought = re.findall(r"`(\w+)`", recipe("A feature").partition("what it brings:")[2].partition("·")[0])
    assert brought == [name for name in fields_dict(Feature) if name != "name"]
    for made_of in ("A job", "Periodic work", "A check of `reconcile`", "An event"):
        assert set(re.findall(r"the `(\w+)` of the package's", recipe(made_of))) <= set(brought)


def test_an_event_is_where_the_guide_says_and_on_its_page() -> None:
    named = set(re.findall(r"`(\w+Event)`", recipe("An event")))
    assert named == {each.__name__ for each in (event.OwnerEvent, event.GalleryEvent, event.UserEvent)}
    page = (ROOT / "docs" / "explanation" / "events.md").read_text()
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (\w+) \|", page, re.MULTILINE))
    assert rows == {kind.type: kind.audience.value for kind in gallery.EVENT_TYPES.values()}
    assert {kind.__module__.rpartition(".")[2] for kind in gallery.EVENT_TYPES.values()} == {"events"}


def test_every_feature_is_where_the_guide_says() -> None:
    found = {path.parent.name for path in (ROOT / "src" / "imagegallery").rglob("feature.py")} - {"imagegallery"}
    assert found == {feature.name for feature in gallery.FEATURES}


def test_every_name_is_there() -> None:
    assert "`FEATURES`\nin `src/imagegallery/gallery.py`" in GUIDE
    assert gallery.FEATURES
    assert "`ANALYSES` in `src/imagegallery/analyses/catalogue.py`" in GUIDE
    assert {"name", "version", "needs", "run", "write"} <= {each.name for each in fields(Analysis)}
    assert ANALYSES
    assert "`image_from`" in GUIDE
    assert "`--quick`" in GUIDE
    assert "--quick" in (ROOT / "noxfile.py").read_text()
