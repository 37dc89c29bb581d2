"""A name that is no setting is an error that names the nearest one, wherever it stands."""

from datetime import timedelta
from pathlib import Path

import pytest

from imagegallery import ConfigurationError, Policy, Settings, Visibility
from imagegallery.database.options import DatabaseOptions
from imagegallery.settings import names_of, unknown
from imagegallery.storage.options import S3Options, StorageOptions


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


def test_what_commands_read_is_no_wrong_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_LOG_LEVEL", "debug")
    monkeypatch.setenv("IMAGEGALLERY_UPLOADS_MAX_SIZE", "1000")
    assert Settings.from_env().uploads.max_size == 1000


def test_options_of_the_http_service_are_settings_like_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "photos.toml"
    file.write_text(
        f"""[imagegallery]
trusted_proxies = ["10.0.0.0/8"]
cors_origins = ["https://app.example"]
[imagegallery.jwt]
key = "{"k" * 48}"
algorithms = ["HS256", "HS384"]
[imagegallery.client]
stall = "0:00:05"
"""
    )
    monkeypatch.setenv("IMAGEGALLERY_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    monkeypatch.setenv("IMAGEGALLERY_CLIENT_BODIES", "7")
    settings = Settings.from_env(file)
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.cors_origins == ("https://app.example",)
    assert (settings.jwt.key, settings.jwt.algorithms) == ("k" * 48, ("HS256", "HS384"))
    assert "k" * 48 not in repr(settings)
    assert (settings.client.stall, settings.client.bodies) == (timedelta(seconds=5), 7)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("JWT_ISUER", "us", "did you mean IMAGEGALLERY_JWT_ISSUER?"),
        ("CORS_ORIGIN", "https://app.example", "did you mean IMAGEGALLERY_CORS_ORIGINS?"),
        ("TRUSTED_PROXIES", "proxy", "A trusted proxy is an address or a network: 'proxy'"),
        ("CORS_ORIGINS", "app.example", "Not an origin of pages (https://photos.example): 'app.example'"),
        ("UPLOADS_MAX_SIZE", "0", "'max_size' must be > 0: 0"),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"IMAGEGALLERY_{variable}", value)
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_env()
    assert refused.value.message.endswith(said) or refused.value.message.startswith(said)


def test_a_log_shows_where_its_parts_are_and_no_address() -> None:
    assert repr(Settings.embedded("here")) == "<Settings data_dir='here' database=embedded objects=files>"
    away = Settings(
        database=DatabaseOptions(dsn="postgresql://me:secret@db/pictures"), storage=StorageOptions(S3Options("bucket"))
    )
    assert repr(away) == "<Settings data_dir='imagegallery-data' database=PostgreSQL objects=S3>"
    assert repr(Settings.of_policies(["avatar"])()) == repr(Settings())


POLICIES = """
[imagegallery.policies.avatar]
single = true
types = ["image/jpeg"]
min_aspect = 0.9
visibility = "unlisted"
[imagegallery.policies.item]
max_images = 5
"""


def test_policies_have_names_of_the_applications_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "photos.toml"
    file.write_text(POLICIES)
    monkeypatch.setenv("IMAGEGALLERY_POLICIES_ITEM_MAX_IMAGES", "7")
    monkeypatch.setenv("IMAGEGALLERY_POLICIES_SHOP_BANNER_TYPES", "image/png,image/jpeg")
    assert dict(Settings.from_env(file).policies) == {
        "avatar": Policy(single=True, types=("image/jpeg",), min_aspect=0.9, visibility=Visibility.UNLISTED),
        "item": Policy(max_images=7),
        "shop_banner": Policy(types=("image/png", "image/jpeg")),
    }
    assert dict(Settings().policies) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[imagegallery.policies.avatar]\nmax_sizes = 1", "did you mean policies.avatar.max_size?"),
        ("[imagegallery.policies]\navatar = 1", "no setting policies.avatar"),
        ("[imagegallery.policies.Avatar]\nmax_size = 1", "'Avatar' is no name for a policy"),
        ("[imagegallery.policies.avatar]\nmin_width = 5\nmax_width = 3", "min_width is more than max_width"),
        ("[imagegallery.policies.avatar]\nvisibility = 'everybody'", "policies.avatar.visibility"),
        ("[imagegallery.policies.avatar]\ntypes = ['image/tiff']", "cannot be stored: image/tiff"),
    ],
)
def test_a_policy_that_cannot_be_is_told_at_the_start(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "photos.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_env(file)
    assert said in refused.value.message


def test_an_unknown_limit_of_a_policy_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_POLICIES_AVATAR_MAX_SIZE", "7")
    monkeypatch.setenv("IMAGEGALLERY_POLICIES_AVATAR_TPES", "image/png")
    with pytest.raises(ConfigurationError, match="did you mean IMAGEGALLERY_POLICIES_AVATAR_TYPES"):
        Settings.from_env()
