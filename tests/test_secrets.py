"""What signs: configured, or made; one, or several while one takes over from another."""

from pathlib import Path

import pytest
from typed_settings import SecretStr

from imagegallery import ConfigurationError, Settings

OLD, NEW = "the secret of last year", "the secret of this year"


def test_one_is_made_once_and_kept(tmp_path: Path) -> None:
    (made,) = Settings.embedded(tmp_path).load_secrets()
    assert len(made) >= 32
    assert Settings.embedded(tmp_path).load_secrets() == (made,)


def test_the_first_line_of_the_file_signs(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text(f"{NEW.replace(' ', '-')}\n{OLD.replace(' ', '-')}\n")
    assert [secret.decode() for secret in Settings.embedded(tmp_path).load_secrets()] == [
        "the-secret-of-this-year",
        "the-secret-of-last-year",
    ]


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch()
    with pytest.raises(ConfigurationError, match="is empty"):
        Settings.embedded(tmp_path).load_secrets()


@pytest.mark.parametrize("given", [OLD, SecretStr(OLD), (OLD,), [SecretStr(OLD)]])
def test_one_may_be_given_as_it_is(given: str) -> None:
    assert Settings(secret_key=given).load_secrets() == (OLD.encode(),)
    assert OLD not in repr(Settings(secret_key=given))


@pytest.mark.parametrize(
    ("line", "secrets"),
    [(f'secret_key = "{OLD}"', [OLD]), (f'secret_key = ["{NEW}", "{OLD}"]', [NEW, OLD])],
)
def test_a_file_names_one_or_several(line: str, secrets: list[str], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"[imagegallery]\n{line}\n")
    assert Settings.from_env(config).load_secrets() == tuple(secret.encode() for secret in secrets)


def test_a_variable_names_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_SECRET_KEY", f"{NEW},{OLD}")
    assert Settings.from_env().load_secrets() == (NEW.encode(), OLD.encode())


@pytest.mark.parametrize("value", ["", "too short", f"{NEW},", f"{NEW},short"])
def test_a_short_or_empty_one_is_one_clear_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGALLERY_SECRET_KEY", value)
    with pytest.raises(ConfigurationError, match="secret_key: each secret must have at least 16 bytes") as caught:
        Settings.from_env()
    assert NEW not in str(caught.value)
