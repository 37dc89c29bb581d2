"""Linters find nothing in the description that keeps a program from reading it, nor what a person would miss."""

import json
from pathlib import Path

from tests.generated_clients.conftest import Programs


def test_redocly_finds_nothing(programs: Programs, description: Path) -> None:
    found = json.loads(
        programs.run("redocly", "lint", str(description), "--extends", "recommended", "--format", "json")
    )
    assert [(each["ruleId"], each["location"][0]["pointer"]) for each in found["problems"]] == []


def test_spectral_finds_nothing(programs: Programs, description: Path) -> None:
    rules = programs.folder / "rules.yaml"
    rules.write_text("extends: [spectral:oas]\nrules: {oas3-parameter-description: warn}\n")
    found = programs.run(
        "spectral", "lint", str(description), "--ruleset", str(rules), "--fail-severity", "hint", "--quiet"
    )
    assert "No results" in found or not found.strip(), found
