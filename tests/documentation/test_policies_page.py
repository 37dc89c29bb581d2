"""The how-to about policies: its settings and its code define what they say, and uploads are held to it."""

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from anyio import to_thread
from tests.support.photographs import photograph

from imagegallery import Definition, Policy, Principal, Refused, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.errors import WrongDimensions
from imagegallery.imaging.protocol import ImagingEngine

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "policies.md"
ANA = Principal.user("ana")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


async def test_what_the_page_defines_holds(tmp_path: Path, database_dsn: str, imaging_engine: ImagingEngine) -> None:
    file = tmp_path / "photos.toml"
    file.write_text(block("toml"))
    given = await to_thread.run_sync(Settings.from_env, file)
    settings = attrs.evolve(given, data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    code: dict[str, Any] = {}
    exec(block("python"), code)
    pics: Definition = code["pics"]

    async with pics.open(settings, engine=imaging_engine) as gallery:
        assert gallery.uploads.policies()["avatar"].max_size == 5_000_000  # of the settings, not of the code
        avatars = await gallery.galleries.create(ANA, name="Avatar", policy="avatar")
        with pytest.raises(WrongDimensions):
            await gallery.uploads.add(ANA, photograph(300, 200), gallery_id=avatars.id)
        await gallery.uploads.add(ANA, photograph(220, 200), gallery_id=avatars.id)
        with pytest.raises(Refused, match="cannot be a banner"):
            await gallery.uploads.add(ANA, photograph(1100, 100), policy="item")
        assert (await gallery.uploads.add(ANA, photograph(700, 100), policy="item")).policy == "item"


def test_the_page_names_every_limit() -> None:
    text = PAGE.read_text()
    assert [each.name for each in attrs.fields(Policy) if f"`{each.name}`" not in text] == []
