"""Room on the disk is kept."""

from pathlib import Path

import pytest

from imagegallery.backends import space_of
from imagegallery.errors import DiskFull
from imagegallery.settings import Settings
from imagegallery.storage.space import DiskSpace, UnlimitedSpace


async def test_what_is_kept_is_not_given_to_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiskSpace, "free", lambda _: 1_000)
    await DiskSpace(tmp_path, 400).check(600)
    with pytest.raises(DiskFull):
        await DiskSpace(tmp_path, 400).check(601)
    await DiskSpace(tmp_path, 400, holds_objects=False).check(601)
    with pytest.raises(DiskFull):
        await DiskSpace(tmp_path, 1_001, holds_objects=False).check()


def test_a_directory_that_is_not_made_yet_has_the_room_of_its_disk(tmp_path: Path) -> None:
    assert DiskSpace(tmp_path / "not" / "yet", 0).free() > 0


def test_who_has_a_store_and_a_database_elsewhere_fills_no_disk(tmp_path: Path) -> None:
    settings = Settings.embedded(tmp_path)
    assert space_of(settings) == DiskSpace(tmp_path, settings.storage.disk_reserve)
    assert space_of(settings, has_own_store=True) == DiskSpace(tmp_path, settings.storage.disk_reserve, False)
    elsewhere = Settings(data_dir=tmp_path, database=type(settings.database)(dsn="postgresql://db/x"))
    assert isinstance(space_of(elsewhere, has_own_store=True), UnlimitedSpace)
