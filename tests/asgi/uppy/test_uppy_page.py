"""The page that shows Uppy: short, of scripts that a JavaScript engine reads, and asking for what is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from imagegallery_asgi.routes import OPERATIONS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "uppy.md"
MOST_LINES = 40


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def scripts() -> list[str]:
    (html,) = blocks("html")
    return [*re.findall(r'<script type="module">\n(.*?)</script>', html, re.DOTALL), *blocks("js")]


def test_the_page_is_short_and_whole() -> None:
    (html,) = blocks("html")
    assert html.startswith("<!doctype html>")
    assert len(html.splitlines()) <= MOST_LINES


@pytest.mark.skipif(shutil.which("node") is None, reason="Node reads the scripts")
@pytest.mark.parametrize("script", scripts())
def test_a_script_can_be_read(script: str, tmp_path: Path) -> None:
    file = tmp_path / "script.mjs"
    file.write_text(script)
    read = subprocess.run(["node", "--check", str(file)], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr


def test_what_the_scripts_ask_for_is_there() -> None:
    asked = set(re.findall(r"\$\{api\}(/[\w/-]+)", "".join(scripts())))
    assert asked == {"/uploads/resumable", "/uploads/uppy", "/uploads/"}
    paths = [operation.path for operation in OPERATIONS]
    for prefix in asked:
        assert any(path.startswith(prefix) for path in paths), prefix
