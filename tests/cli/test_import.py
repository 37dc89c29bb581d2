"""``imagegallery import``: none twice, none missing, whatever happens in between."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.testing.waiting import until

OWNER = Principal.user("owner")
COUNT = 100


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A tree of 100 different pictures, one of them there twice, and a file that is no picture."""
    tree = tmp_path / "pictures"
    for number in range(COUNT):
        folder = tree / f"day {number % 3}" / "nested"
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (60 + number, 45), (number, 255 - number, 128))
        picture.save(folder / f"img {number}.jpg")
    (tree / "copy.jpg").write_bytes((tree / "day 0" / "nested" / "img 0.jpg").read_bytes())
    (tree / "notes.txt").write_text("not a picture")
    return tree


def _command(pictures: Path, data_dir: Path) -> list[str]:
    start = [sys.executable, "-m", "imagegallery.cli", "import", str(pictures), "--gallery", "Trip", "--json"]
    return [*start, "--data-dir", str(data_dir)]


def _run(pictures: Path, data_dir: Path) -> dict[str, object]:
    done = subprocess.run(_command(pictures, data_dir), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    summary: dict[str, object] = json.loads(done.stdout)
    return summary


async def _contents(data_dir: Path) -> list[bytes]:
    """The SHA-256 of everything in the gallery, which must be the whole of the library."""
    async with ImageGallery.open(Settings.embedded(data_dir)) as gallery:
        trip = await gallery.galleries.find_by_name(OWNER, "Trip")
        assert trip is not None
        page = await gallery.galleries.list_images(OWNER, trip.id, limit=100)
        library = await gallery.images.library.list(OWNER, limit=100)
        assert trip.image_count == len(page.items) == len(library.items)
        return [image.sha256 for image in page.items]


async def test_a_tree_comes_in_once(pictures: Path, tmp_path: Path) -> None:
    first, second = _run(pictures, tmp_path / "data"), _run(pictures, tmp_path / "data")
    assert (first["imported"], first["already in"], first["not an image"]) == (COUNT, 1, 1)
    assert (second["imported"], second["already in"], second["not an image"]) == (0, COUNT + 1, 1)
    contents = await _contents(tmp_path / "data")
    assert len(contents) == len(set(contents)) == COUNT


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_interrupted_and_run_again(how: signal.Signals, pictures: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    process = subprocess.Popen(_command(pictures, data_dir), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: len(list(data_dir.glob("objects/galleries/*/images/*/original.*"))) >= 5)
    process.send_signal(how)
    process.communicate()
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    _run(pictures, data_dir)
    contents = await _contents(data_dir)
    assert len(contents) == len(set(contents)) == COUNT
    if how is signal.SIGINT:
        assert not list(data_dir.glob("objects/incoming/*"))


def test_a_broken_file_is_named_and_the_others_come_in(pictures: Path, tmp_path: Path) -> None:
    broken = pictures / "broken.jpg"
    broken.write_bytes((pictures / "copy.jpg").read_bytes()[:400])
    done = subprocess.run(_command(pictures, tmp_path / "data"), capture_output=True, text=True)
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert summary["imported"] == COUNT
    assert [each["path"] for each in summary["failures"]] == [str(broken)]
