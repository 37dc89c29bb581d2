"""What the guide for contributors names is there."""

import re
from pathlib import Path

from attrs import fields

from imagegallery import gallery
from imagegallery.analyses.analysis import Analysis
from imagegallery.analyses.catalogue import ANALYSES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def test_every_file_and_folder_is_there() -> None:
    named = re.findall(r"(?:src|docs|tests)/[\w./-]+", GUIDE)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_name_is_there() -> None:
    assert "`FEATURES`" in GUIDE
    assert gallery.FEATURES
    assert "`ANALYSES` in `src/imagegallery/analyses/catalogue.py`" in GUIDE
    assert {"name", "version", "needs", "run", "write"} <= {each.name for each in fields(Analysis)}
    assert ANALYSES
    assert "`image_from`" in GUIDE
    assert "`--quick`" in GUIDE
    assert "--quick" in (ROOT / "noxfile.py").read_text()
