"""An operator governs: how rules are written, what is said of them, and that a running service hears it."""

import json

import click
import pytest
from tests.cli.conftest import InProcess

from imagegallery import Settings
from imagegallery.cli.commands.policy import parse_rules


def test_rules_are_written_as_assignments() -> None:
    assert parse_rules(
        [
            "max_size=20MB",
            "storage_limit=unlimited",
            "allowed_types=image/jpeg, image/png",
            "visitor_rate=10 per 5 minutes",
            "user_rate=default",
            "guest_uploads=true",
            "originals=strip_place",
        ]
    ) == {
        "max_size": 20_000_000,
        "storage_limit": "unlimited",
        "allowed_types": ["image/jpeg", "image/png"],
        "visitor_rate": "10 per 5 minutes",
        "user_rate": None,
        "guest_uploads": True,
        "originals": "strip_place",
    }


@pytest.mark.parametrize("written", ["max_size", "", "max_size=much", "hotlinks=true hotlinks=false"])
def test_anything_else_says_nothing(written: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_rules(written.split(" "))


async def test_it_is_shown_set_listed_and_brought_back(settings: Settings, in_process: InProcess) -> None:
    said = ("--why", "Phones send places.", "--by", "ada")
    assert "the settings hold" in (await in_process.aside("policy", "show")).stdout
    await in_process.aside("policy", "set", "originals=strip_place", "max_size=1MB", *said)
    await in_process.aside("policy", "set", "max_size=default", "user_rate=5/day", *said)
    back = await in_process.aside("policy", "restore", "1", *said)
    assert back.stdout.splitlines()[0].startswith("version 3, by ada, ")
    assert "  max_size = 1000000\n" in back.stdout
    assert "  hotlinks = true, as the settings say\n" in back.stdout

    listed = await in_process.aside("policy", "history", "--json")
    assert [json.loads(line)["rules"] for line in listed.stdout.splitlines()] == [
        {"max_size": 1_000_000, "originals": "strip_place"},
        {"originals": "strip_place", "user_rate": "5/day"},
        {"max_size": 1_000_000, "originals": "strip_place"},
    ]
    shown = json.loads((await in_process.aside("policy", "show", "--json")).stdout)
    assert (shown["version"], shown["restores"], shown["in_force"]["user_rate"]) == (3, 1, None)


async def test_owners_are_shown_with_the_limit_that_holds_for_everybody(
    settings: Settings, in_process: InProcess
) -> None:
    await in_process.aside("policy", "set", "storage_limit=1GB", "--why", "Disks are full.")
    shown = await in_process.aside("owners", "show", "ana")
    assert shown.stdout == "ana: 0 bytes of 1,000,000,000 bytes, as for everybody\n"


async def test_what_cannot_be_is_one_error_with_all_that_is_wrong(settings: Settings, in_process: InProcess) -> None:
    refused = await in_process.aside("policy", "set", "max_size=1TB", "colour=blue", "--why", "x")
    assert refused.returncode == 1
    assert "max_size must be at most 50,000,000" in refused.stderr
    assert "colour is no rule" in refused.stderr
    missing = await in_process.aside("policy", "restore", "7", "--why", "x")
    assert (missing.returncode, missing.stderr) == (1, "Error: There is no such version.\n")
