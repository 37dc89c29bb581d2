import os
import stat
from pathlib import Path

import pytest

from imagegallery.common import folders


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_is_made_is_private_and_what_was_there_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert folders.make(tmp_path / "a" / "b") == [tmp_path / "a" / "b", tmp_path / "a"]
    assert [mode(path) for path in (tmp_path / "a" / "b", tmp_path / "a", tmp_path)] == [0o700, 0o700, 0o755]
    assert folders.make(tmp_path / "a" / "b") == []


@pytest.mark.parametrize("before", [0o755, 0o777, 0o701, 0o720])
def test_an_open_folder_of_ours_is_closed(tmp_path: Path, before: int) -> None:
    tmp_path.chmod(before)
    assert folders.is_open(tmp_path)
    folders.make_private(tmp_path)
    assert mode(tmp_path) == 0o700
    assert not folders.is_open(tmp_path)


def test_a_group_that_may_pass_sees_nothing_and_goes_on_to_pass(tmp_path: Path) -> None:
    folders.let_pass(tmp_path, os.getgid())
    assert not folders.is_open(tmp_path)
    folders.make_private(tmp_path)
    assert mode(tmp_path) == 0o710
