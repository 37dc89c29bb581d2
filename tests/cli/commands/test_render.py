"""``imagegallery render``: variants in a folder, and what is said about them."""

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image
from tests.cli.conftest import InProcess
from tests.support.studio import picture

from imagegallery.cli.commands.render import unique_stems


def test_it_says_what_the_files_hold(photo: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "imagegallery.cli", "render", str(photo), "--out", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (described,) = json.loads(done.stdout)
    assert described["metadata"]["make"] == "Pixelworks"
    assert (described["width"], described["height"]) == (4000, 3000)
    assert len(described["variants"]) == len(list(tmp_path.iterdir())) == 6
    for variant in described["variants"]:
        with Image.open(tmp_path / variant["file"]) as picture:
            assert picture.size == (variant["width"], variant["height"])
            assert not picture.getexif()


def test_a_file_that_is_no_picture_is_named_and_the_others_are_made(
    small_presets: Path, tmp_path: Path, in_process: InProcess
) -> None:
    notes, tram = tmp_path / "notes.jpg", tmp_path / "tram.jpg"
    notes.write_text("not a picture")
    tram.write_bytes(picture(160, 120))
    done = in_process("render", str(notes), str(tram), "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"{notes}: This is not an image of a type we know."]
    assert len(done.stdout.splitlines()) == 2


def test_photographs_of_one_name_do_not_overwrite_each_other() -> None:
    paths = [Path("a/img.jpg"), Path("b/img.jpg"), Path("img.png"), Path("img-2.jpg")]
    assert list(unique_stems(paths)) == ["img", "img-2", "img-3", "img-2-2"]
