"""The reference says what there is: derived from the code, or held against it."""

import re
from pathlib import Path
from types import ModuleType

import click
import pytest

import access_table
import diagrams
import fault_points
import features_diagram
import http_page
import imagegallery
import made_page
import protocols_page
import reference_names
import settings_page
import shown_table
from imagegallery.cli.main import COMMANDS
from imagegallery.variants.preset import DEFAULT_PRESETS

DOCS = Path(__file__).parents[2] / "docs"


MAKERS = (access_table, diagrams, fault_points, features_diagram, http_page, protocols_page, settings_page, shown_table)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_a_page_made_from_the_code_is_up_to_date(maker: ModuleType) -> None:
    """If not, ``python docs/….py`` brings it up to date."""
    assert maker.PAGE.read_text() == maker.page()


def test_every_script_that_makes_a_page_is_checked() -> None:
    makers = {path.stem for path in DOCS.glob("*.py") if "made_page.main(PAGE, page())" in path.read_text()}
    assert makers == {maker.__name__ for maker in MAKERS}


def test_a_page_is_made_or_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("old")
    monkeypatch.setattr("sys.argv", ["docs/script.py", "--check"])
    with pytest.raises(SystemExit, match=r"is stale: run python docs/script\.py"):
        made_page.main(page, "new")
    assert page.read_text() == "old"
    monkeypatch.setattr("sys.argv", ["docs/script.py"])
    made_page.main(page, "new")
    assert page.read_text() == "new"
    monkeypatch.setattr("sys.argv", ["docs/script.py", "--check"])
    made_page.main(page, "new")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_on_the_page(name: str) -> None:
    command = COMMANDS[name].load()
    assert command.name == name
    page = (DOCS / "reference" / "commands.md").read_text()
    start = page.index(f"## `imagegallery {command.name}")
    own_section = page[start : page.find("\n## ", start)]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("data_dir", "config", "app"):
            assert f"`{parameter.opts[-1]}`" in own_section


def test_every_page_is_in_the_navigation() -> None:
    navigation = (DOCS.parent / "mkdocs.yml").read_text()
    pages = [str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")]
    assert [page for page in pages if page not in navigation] == []


def test_the_table_of_presets_is_the_default() -> None:
    page = (DOCS / "explanation" / "variants.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(("| thumb", "| small", "| medium", "| large"))]
    assert rows == [
        f"| {each.name} | {each.width}x{each.height} | {each.fit} | {each.format} | {each.quality} "
        f"| {'yes' if each.animated else 'no'} |"
        for each in DEFAULT_PRESETS
    ]


def test_every_public_name_is_on_one_page_of_the_reference() -> None:
    groups = reference_names.groups()
    pages = "".join(path.read_text() for path in (DOCS / "reference" / "python").glob("*.md"))
    assert sorted(re.findall(r"^<!-- names: (\w+) -->$", pages, re.MULTILINE)) == sorted(groups)
    shown = [name for group in groups.values() for name in group]
    assert len(shown) == len(set(shown))
    assert {f"imagegallery.{name}" for name in imagegallery.__all__} <= set(shown)
    assert {"imagegallery.errors.ChunkMismatch", "imagegallery.galleries.pages.PageTicket"} <= set(shown)
