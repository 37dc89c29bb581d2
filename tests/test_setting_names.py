"""A name that is no setting is an error that names the nearest one, wherever it stands."""

from pathlib import Path

import pytest

from imagegallery import ConfigurationError, Settings
from imagegallery.setting_names import names_of, unknown


def test_every_setting_has_its_dotted_name() -> None:
    names = list(names_of(Settings))
    assert {"data_dir", "database.dsn", "storage.s3.bucket", "variants.presets"} < set(names)
    assert "database" not in names


def test_far_from_every_name_nothing_is_suggested() -> None:
    assert unknown("zzz", ["database.dsn"]) == "there is no setting zzz."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[imagegallery.uploads]\nmax_sise = 1", "no setting uploads.max_sise; did you mean uploads.max_size?"),
        ("[imagegallery.storage.s4]\nbucket = 'x'", "no setting storage.s4"),
        ("[imagegallery]\nuploads = 3", "no setting uploads"),
        ("[imagegalery]\nupkeep_interval = 3", "has no table [imagegallery]"),
        ("[imagegallery]\nx = ", "cannot be read"),
    ],
)
def test_a_wrong_name_in_a_file_is_named_with_the_file(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "photos.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_env(file)
    assert said in refused.value.message
    assert str(file) in refused.value.message


def test_a_wrong_name_in_the_environment_starts_no_other_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DATABSE_DSN", "postgresql://127.0.0.1/photos")
    with pytest.raises(ConfigurationError, match="DATABSE_DSN; did you mean IMAGEGALLERY_DATABASE_DSN"):
        Settings.from_env()


def test_what_commands_and_the_service_read_is_no_wrong_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_JWT_KEY", "k" * 32)
    monkeypatch.setenv("IMAGEGALLERY_UPLOADS_MAX_SIZE", "1000")
    assert Settings.from_env().uploads.max_size == 1000
