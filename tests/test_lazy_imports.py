"""What is imported when: a newcomer's first line, and the first command, do not wait for what they do not use."""

import subprocess
import sys

import pytest

import imagegallery

HEAVY = ("asyncpg", "anyio", "cattrs", "typed_settings", "imagegallery.gallery")


def imported_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has after ``code``."""
    listing = "import sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import imagegallery",
        "import imagegallery.cli",
        "from imagegallery.cli.main import cli; cli.main(['--help'], standalone_mode=False)",
    ],
)
def test_neither_the_package_nor_the_list_of_commands_imports_what_they_do_not_use(code: str) -> None:
    assert imported_by(code).isdisjoint(HEAVY)


def test_every_public_name_is_there_under_its_own_name() -> None:
    assert 50 < len(imagegallery.__all__) < 80
    for name in imagegallery.__all__:
        assert getattr(imagegallery, name) is getattr(imagegallery, name)
        assert name in dir(imagegallery)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Gallerie'"):
        _ = imagegallery.Gallerie  # type: ignore[attr-defined]


def test_all_names_can_be_imported_at_once() -> None:
    names: dict[str, object] = {}
    exec("from imagegallery import *", names)
    assert names["verify_webhook"] is imagegallery.verify_webhook
