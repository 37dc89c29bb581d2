"""The page about the architecture says what the code and its contracts say."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text()


def contracts() -> list[dict[str, Any]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return found


def test_the_map_shows_every_package_and_no_other() -> None:
    packages = [path.parent.name for path in (ROOT / "src" / "imagegallery").glob("*/__init__.py")]
    shown = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(shown) == sorted([*packages, "imagegallery_asgi"])


def test_the_rules_are_the_contracts() -> None:
    shown = [" ".join(name.split()).rstrip(".") for name in re.findall(r"\*\*(.+?)\*\*", PAGE, re.DOTALL)]
    assert shown == [contract["name"] for contract in contracts()]


def test_the_layers_are_those_of_the_contract() -> None:
    layers = next(contract["layers"] for contract in contracts() if contract["type"] == "layers")
    shown = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown == ["".join(f"{layer.replace('imagegallery.', '')}\n" for layer in layers)]


def test_every_package_has_its_place_in_the_layers_or_is_above_them() -> None:
    layers = next(contract["layers"] for contract in contracts() if contract["type"] == "layers")
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    packages = {f"imagegallery.{path.parent.name}" for path in (ROOT / "src" / "imagegallery").glob("*/__init__.py")}
    modules = {f"imagegallery.{path.stem}" for path in (ROOT / "src" / "imagegallery").glob("[a-z]*.py")}
    assert (packages | modules) - placed == {"imagegallery.testing"}
