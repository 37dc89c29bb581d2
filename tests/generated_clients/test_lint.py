"""Linters find nothing in the description that keeps a program from reading it, nor what a person would miss."""

from tests.generated_clients.conftest import Programs


def test_redocly_finds_nothing(programs: Programs, descriptions: list[str]) -> None:
    found = programs.run("redocly", "lint", *descriptions, "--extends", "recommended", "--format", "stylish")
    assert not found.strip(), found


def test_spectral_finds_nothing(programs: Programs, descriptions: list[str]) -> None:
    rules = programs.folder / "rules.yaml"
    rules.write_text("extends: [spectral:oas]\nrules: {oas3-parameter-description: warn}\n")
    options = ("--ruleset", str(rules), "--fail-severity", "hint", "--quiet")
    found = programs.run("spectral", "lint", *descriptions, *options)
    assert "No results" in found or not found.strip(), found
