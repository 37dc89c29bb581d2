"""The reference says what there is: derived from the code, or held against it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import imagegallery
from imagegallery.cli.main import COMMANDS
from imagegallery.variants.preset import DEFAULT_PRESETS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("script", ["settings_page.py", "http_page.py", "fault_points.py"])
def test_a_page_made_from_the_code_is_up_to_date(script: str) -> None:
    done = subprocess.run([sys.executable, str(DOCS / script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_option_is_on_the_page(command: click.Command) -> None:
    page = (DOCS / "reference" / "commands.md").read_text()
    start = page.index(f"## `imagegallery {command.name}")
    own_section = page[start : page.find("\n## ", start)]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("data_dir", "config"):
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
    code = "import json, reference_names; print(json.dumps(reference_names.groups()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=DOCS, capture_output=True, text=True, check=True)
    groups: dict[str, list[str]] = json.loads(done.stdout)
    pages = "".join(path.read_text() for path in (DOCS / "reference" / "python").glob("*.md"))
    assert sorted(re.findall(r"^<!-- names: (\w+) -->$", pages, re.MULTILINE)) == sorted(groups)
    shown = [name for group in groups.values() for name in group]
    assert len(shown) == len(set(shown))
    assert {f"imagegallery.{name}" for name in imagegallery.__all__} <= set(shown)


def test_every_variable_of_the_server_is_on_the_page_of_its_command() -> None:
    page = (DOCS / "reference" / "commands.md").read_text()
    code = (DOCS.parent / "src" / "imagegallery_asgi" / "server.py").read_text()
    names = set(re.findall(r"IMAGEGALLERY_(?:JWT_KEY|[A-Z]+_PROXIES)", code))
    names |= {f"IMAGEGALLERY_JWT_{name}" for name in re.findall(r'"(ALGORITHMS|AUDIENCE|ISSUER)"', code)}
    assert len(names) == 5
    assert [name for name in names if f"`{name}`" not in page] == []
