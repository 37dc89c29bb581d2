"""The application that commands are told of: found, or what is wrong with it is said."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegallery import ConfigurationError
from imagegallery.application import Application

SHOP = """
from imagegallery import ImageGallery, Settings
from imagegallery.sync import open_gallery

pics = ImageGallery.define()
embedded = ImageGallery.define(lambda: Settings.embedded("data of the code"))
opening = embedded.open()
waiting = open_gallery(embedded)
number = 7
"""
BROKEN = """
def fill(shelf):
    return shelf["tram"]


fill({})
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with modules of the application, in which the command is called."""
    (tmp_path / "shop_pics.py").write_text(SHOP)
    (tmp_path / "shop_broken.py").write_text(BROKEN)
    (tmp_path / "shop_needs.py").write_text("import not_installed_anywhere\n")
    (tmp_path / "shop_exits.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.startswith("shop_")]:
        del sys.modules[name]


def message_of(name: str, config: Path | None = None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        Application.load(name, None, config)
    return refused.value.message


def test_it_is_found_in_the_working_directory_and_has_settings_of_its_own(tmp_path: Path) -> None:
    found = Application.load("shop_pics:embedded", None, None)
    assert found.settings.data_dir == tmp_path / "data of the code"
    for name in ("opening", "waiting"):
        same = Application.load(f"shop_pics:{name}", None, None)
        assert same.definition._registry is found.definition._registry
        assert same.settings == found.settings


def test_the_command_line_says_where_the_data_is(tmp_path: Path) -> None:
    assert Application.load("shop_pics:embedded", Path("elsewhere"), None).settings.data_dir == tmp_path / "elsewhere"


def test_one_without_settings_has_those_of_the_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gallery.toml"
    config.write_text("[imagegallery]\nupkeep_interval = '0:07:00'\n")
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(tmp_path / "of the environment"))
    for name in ("shop_pics:pics", None):
        settings = Application.load(name, None, config).settings
        assert (settings.data_dir, settings.upkeep_interval.total_seconds()) == (tmp_path / "of the environment", 420)
    assert "leave --config out" in message_of("shop_pics:embedded", config)


def test_a_process_of_serve_has_the_data_directory_and_the_database_that_serve_has(tmp_path: Path) -> None:
    variables = {
        "IMAGEGALLERY_APP": "shop_pics:embedded",
        "IMAGEGALLERY_DATA_DIR": str(tmp_path / "served"),
        "IMAGEGALLERY_DATABASE_DSN": "postgresql:///served",
    }
    settings = Application.of_process(variables).settings
    assert (settings.data_dir, settings.database.dsn) == (tmp_path / "served", "postgresql:///served")
    assert Application.of_process({}).definition.open().features


def test_what_is_wrong_with_it_is_said(tmp_path: Path) -> None:
    assert message_of("shop_pics") == "--app: 'shop_pics' must be of the form package.module:name."
    assert message_of("shop-pics:pics").endswith("must be of the form package.module:name.")
    missing = message_of("shopping.photos:pics")
    assert missing.endswith(f"there is no module shopping, neither in {tmp_path} nor installed.")
    assert message_of("shop_pics:pisc").endswith("shop_pics has no pisc. Did you mean pics?")
    assert "shop_pics:number' is of the class int: name what ImageGallery.define" in message_of("shop_pics:number")


def test_where_its_code_failed_is_said(tmp_path: Path) -> None:
    told = [line.strip() for line in message_of("shop_broken:pics").splitlines()]
    assert [line for line in told if not set(line) <= {"~", "^"}] == [
        "--app: 'shop_broken:pics' cannot be imported:",
        f'File "{tmp_path}/shop_broken.py", line 6, in <module>',
        "fill({})",
        f'File "{tmp_path}/shop_broken.py", line 3, in fill',
        'return shelf["tram"]',
        "KeyError: 'tram'",
    ]
    needs = message_of("shop_needs:pics").splitlines()
    assert needs[0].endswith("cannot be imported:")
    assert needs[-1] == "ModuleNotFoundError: No module named 'not_installed_anywhere'"
    assert message_of("shop_exits:pics").endswith("SystemExit: 3")
