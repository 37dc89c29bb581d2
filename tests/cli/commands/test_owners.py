"""An operator sets limits: how sizes are written. And exports and erases what is kept of somebody."""

import json
import zipfile
from pathlib import Path

import click
import pytest
from tests.cli.conftest import InProcess
from tests.support.photographs import photograph

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.cli.commands.owners import parse_size

ANA = Principal.user("ana")


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("5GB", 5 * 10**9), ("1.5 GiB", 3 * 2**29), ("512mib", 512 * 2**20), ("default", None)],
)
def test_a_size_is_a_number_with_a_unit_or_without(text: str, size: int | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "GB", "5XB", "1,5GB", "none", "1" * 19])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_size(text)


async def test_all_of_an_owner_is_exported_and_erased(
    settings: Settings, in_process: InProcess, tmp_path: Path
) -> None:
    async with ImageGallery.open(settings) as gallery:
        image = await gallery.uploads.add(ANA, photograph(80, 60), filename="tram.jpg")
        archive = tmp_path / "all.zip"
        exported = await in_process.aside("owners", "export", "ana", "-o", str(archive))
        assert (exported.returncode, exported.stderr) == (0, "")
        with zipfile.ZipFile(archive) as read:
            assert f"{image.taken_at:images/%Y-%m}/tram.{image.id}.jpg" in read.namelist()
            assert exported.stdout.startswith(f"{len(read.namelist())} files, ")
        assert list(tmp_path.glob("*.part")) == []

        asked = await in_process.aside("owners", "erase", "ana", "--yes", "--json")
        assert json.loads(asked.stdout)["state"] == "requested"
        taken_back = await in_process.aside("owners", "erase", "ana", "--cancel")
        assert "Nothing of ana is erased." in taken_back.stderr
        erased = await in_process.aside("owners", "erase", "ana", "--now", "--yes", "--json")
        assert json.loads(erased.stdout)["counts"]["images"] == 1
        receipts = await in_process.aside("owners", "erasures", "--json")
        assert [json.loads(line)["id"] for line in receipts.stdout.splitlines()] == [json.loads(erased.stdout)["id"]]
        assert [each async for each in gallery.owners.all()] == []
