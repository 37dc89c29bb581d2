"""``imagegallery import``: none twice, none missing, whatever happens in between."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from PIL import Image
from tests.cli.conftest import InProcess
from tests.imaging.test_words import WORDS, XMP
from tests.support.library import digest_of
from tests.support.waiting import until

from imagegallery import ImageGallery, Principal, Settings

OWNER = Principal.user("owner")
COUNT = 100


def make_tree(tree: Path, count: int) -> Path:
    """So many different pictures, one of them there twice, and a file that is no picture."""
    for number in range(count):
        folder = tree / f"day {number % 3}" / "nested"
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (60 + number, 45), (number, 255 - number, 128))
        picture.save(folder / f"img {number}.jpg")
    (tree / "copy.jpg").write_bytes((tree / "day 0" / "nested" / "img 0.jpg").read_bytes())
    (tree / "notes.txt").write_text("not a picture")
    return tree


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "pictures", COUNT)


def _command(pictures: Path) -> list[str]:
    return [sys.executable, "-m", "imagegallery.cli", "import", str(pictures), "--gallery", "Trip", "--json"]


def _run(pictures: Path) -> dict[str, object]:
    done = subprocess.run(_command(pictures), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    summary: dict[str, object] = json.loads(done.stdout)
    return summary


def _stop(pictures: Path, settings: Settings, how: signal.Signals, *, after: int) -> int:
    """Begin an import, and send the signal once so many originals are in. Answers the exit code."""
    process = subprocess.Popen(_command(pictures), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until(lambda: len(list(settings.objects_dir.glob("library/images/*/original.*"))) >= after)
    process.send_signal(how)
    process.communicate()
    return process.returncode


async def _contents(settings: Settings) -> list[bytes]:
    """The SHA-256 of everything in the gallery, which must be the whole of the library."""
    async with ImageGallery.open(settings) as gallery:
        trip = await gallery.galleries.find_by_name(OWNER, "Trip")
        assert trip is not None
        page = await gallery.galleries.list_images(OWNER, trip.id, limit=100)
        library = await gallery.images.library.list(OWNER, limit=100)
        assert trip.image_count == len(page.items) == len(library.items)
        return [digest_of(image) for image in page.items]


async def test_a_tree_comes_in_once_however_often_it_is_interrupted(pictures: Path, settings: Settings) -> None:
    assert _stop(pictures, settings, signal.SIGINT, after=5) == 130
    assert not list(settings.objects_dir.glob("incoming/*"))
    assert _stop(pictures, settings, signal.SIGKILL, after=COUNT // 4) == -signal.SIGKILL
    third, fourth = _run(pictures), _run(pictures)
    assert 0 < cast(int, third["imported"]) < COUNT
    assert cast(int, third["imported"]) + cast(int, third["already in"]) == COUNT + 1
    assert (fourth["imported"], fourth["already in"], fourth["not an image"]) == (0, COUNT + 1, 1)
    contents = await _contents(settings)
    assert len(contents) == len(set(contents)) == COUNT


async def test_a_broken_file_is_named_and_the_others_come_in(settings: Settings, tmp_path: Path) -> None:
    pictures = make_tree(tmp_path / "pictures", 4)
    broken = pictures / "broken.jpg"
    broken.write_bytes((pictures / "copy.jpg").read_bytes()[:400])
    done = subprocess.run(_command(pictures), capture_output=True, text=True)
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert (summary["imported"], summary["already in"], summary["not an image"]) == (4, 1, 1)
    assert [each["path"] for each in summary["failures"]] == [str(broken)]
    assert len(await _contents(settings)) == 4


def test_files_that_are_no_pictures_and_folders_that_cannot_be_read_are_named(
    settings: Settings, tmp_path: Path, in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = make_tree(tmp_path / "pictures", 1)
    (tree / "empty.jpg").touch()
    (tree / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read every folder
    done = in_process("import", str(tree), "--gallery", "Trip", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["imported"], said["failed"]) == (1, 1, 1)
    assert said["failures"] == [{"path": str(tree / "locked"), "error": "Permission denied"}]
    assert {Path(each["path"]).name: each["error"].split()[0] for each in said["not_images"]} == {
        "empty.jpg": "empty",
        "notes.txt": "its",
    }
    assert "Variants are made by a worker" in done.stderr
    assert f"data lies in {settings.data_dir}" in done.stderr


def test_names_that_no_terminal_should_get_are_shown_with_a_mark(
    settings: Settings, tmp_path: Path, in_process: InProcess
) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[2J\xc2\x9b.txt")
    (tmp_path / name).write_text("not a picture")
    done = in_process("import", str(tmp_path / name), "--gallery", "Trip")
    assert "caf\ufffd \ufffd[2J\ufffd.txt: its first bytes" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_what_comes_in_is_held_to_the_policy_that_is_named(
    settings: Settings, tmp_path: Path, in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_POLICIES_ITEM_MIN_WIDTH", "61")
    tree = make_tree(tmp_path / "pictures", 2)  # of 60 and 61 pixels, the first of them twice
    done = in_process("import", str(tree), "--gallery", "Trip", "--policy", "item", "--json")
    said = json.loads(done.stdout)
    assert (said["imported"], said["failed"], said["already in"]) == (1, 1, 1)
    assert said["failures"][0]["error"] == "The picture has 60 x 45 pixels; it must be at least 61 wide."
    refused = in_process("import", str(tree), "--gallery", "Other", "--policy", "itme")
    assert refused.returncode != 0
    assert "policy must be one of item" in refused.stderr


async def test_sidecars_are_read_with_their_pictures(settings: Settings, tmp_path: Path) -> None:
    tree = tmp_path / "pictures"
    tree.mkdir()
    for number, name in enumerate(("one.jpg", "two.JPG", "three.jpg")):
        Image.new("RGB", (60 + number, 45), (number, 80, 128)).save(tree / name, "JPEG")
    (tree / "one.jpg.xmp").write_bytes(XMP)
    (tree / "two.XMP").write_bytes(XMP)
    (tree / "three.jpg.xmp").write_bytes(b"<x:xmpmeta")  # what says nothing is no fault
    (tree / "alone.xmp").write_bytes(XMP)
    said = _run(tree)
    assert (said["imported"], said["sidecar"], said["not an image"]) == (3, 3, 1)
    async with ImageGallery.open(settings) as gallery:
        page = await gallery.images.library.list(OWNER)
        assert {each.filename: each.tags for each in page.items} == {
            "one.jpg": WORDS.tags,
            "two.JPG": WORDS.tags,
            "three.jpg": (),
        }
