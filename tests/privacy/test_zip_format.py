"""Archives as other programs read them."""

import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.ids import new_id
from imagegallery.privacy.export import ExportFile, Layout
from imagegallery.privacy.zip_format import ZipFile, directory_entry, ending, local_header

NOON = datetime(2024, 6, 1, 12, 30, 8, tzinfo=UTC)
GIB = 2**30
SEVEN_ZIP = shutil.which("7z") or shutil.which("7zz") or shutil.which("7za")


def file_of(name: str, content: bytes) -> ZipFile:
    return ZipFile(name, len(content), zlib.crc32(content), NOON)


def write(path: Path, files: Sequence[tuple[ZipFile, bytes]]) -> None:
    """Write an archive; contents that are shorter than their file leave a hole, which takes no room."""
    layout = Layout()
    places = [layout.add(file) for file, _ in files]
    with path.open("wb") as archive:
        for (file, content), (place, _) in zip(files, places, strict=True):
            archive.seek(place)
            archive.write(local_header(file) + content)
        archive.seek(layout.place)
        for (file, _), (place, entry_place) in zip(files, places, strict=True):
            assert archive.tell() == layout.place + entry_place
            archive.write(directory_entry(file, place))
        archive.write(ending(layout.count, layout.place, layout.entry_place))


def check_with_programs(path: Path, *only: str) -> None:
    subprocess.run(["unzip", "-tq", str(path), *only], check=True, capture_output=True)
    if SEVEN_ZIP is not None:
        subprocess.run([SEVEN_ZIP, "t", str(path), *only], check=True, capture_output=True)


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    contents = {"images/São Tomé 🚋.jpg": b"a tram", "data/empty.json": b"", "README.txt": b"words\n" * 1000}
    write(tmp_path / "a.zip", [(file_of(name, content), content) for name, content in contents.items()])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {each.filename: archive.read(each) for each in archive.infolist()} == contents
        assert archive.testzip() is None
        assert {each.date_time for each in archive.infolist()} == {(2024, 6, 1, 12, 30, 8)}
    check_with_programs(tmp_path / "a.zip")


def test_files_of_more_than_4_gib_and_what_comes_after_them(tmp_path: Path) -> None:
    large, exact = ZipFile("large.tif", 5 * GIB, 0, NOON), ZipFile("exact.tif", 4 * GIB - 1, 0, NOON)
    last = file_of("last.jpg", b"the last one")
    write(tmp_path / "a.zip", [(large, b""), (exact, b""), (last, b"the last one")])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [each.file_size for each in archive.infolist()] == [5 * GIB, 4 * GIB - 1, 12]
        assert archive.read("last.jpg") == b"the last one"
    check_with_programs(tmp_path / "a.zip", "last.jpg")


def test_more_than_65535_files(tmp_path: Path) -> None:
    files = [(file_of(f"{number}.txt", b"%d" % number), b"%d" % number) for number in range(65_540)]
    write(tmp_path / "a.zip", files)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert len(archive.infolist()) == 65_540
        assert archive.read("65539.txt") == b"65539"
    check_with_programs(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(1826, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2200, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime(2024, 6, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), (2024, 5, 31, 23, 30, 0)),
    ],
)
def test_times_that_ms_dos_does_not_know_become_the_nearest(
    tmp_path: Path, moment: datetime, told: tuple[int, ...]
) -> None:
    write(tmp_path / "a.zip", [(ZipFile("a", 0, 0, moment), b"")])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.infolist()[0].date_time == told


@given(st.lists(st.integers(0, 6 * GIB), max_size=20))
def test_every_file_begins_where_the_last_one_ended(sizes: list[int]) -> None:
    files = [
        ExportFile(number, "key", 0, ZipFile(str(number), size, 0, NOON), size, new_id())
        for number, size in enumerate(sizes)
    ]
    layout = Layout()
    end = entries_end = 0
    for file, (_, place, entry_place) in zip(files, [*layout.add_all(files)], strict=True):
        assert (place, entry_place) == (end, entries_end)
        end = place + len(local_header(file.zipped)) + file.zipped.size
        entries_end = entry_place + len(directory_entry(file.zipped, place))
    assert (layout.place, layout.entry_place, layout.count) == (end, entries_end, len(sizes))
