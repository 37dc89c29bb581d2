from collections.abc import Set

import pytest

from imagegallery.cli.doctor_run import walls_check
from imagegallery.imaging.sandbox.wire import Wall
from imagegallery.upkeep.check import Level


@pytest.mark.parametrize(
    ("walls", "level", "said"),
    [
        (set(Wall), Level.OK, "can neither read"),
        ({Wall.CALLS}, Level.WARNING, "lets decoders read any file but their own code"),
        ({Wall.FILES}, Level.WARNING, "lets decoders write files"),
        (set(), Level.WARNING, "(Landlock), and write files"),
    ],
)
def test_doctor_says_which_walls_stand(walls: Set[Wall], level: Level, said: str) -> None:
    check = walls_check(frozenset(walls))
    assert check.level is level
    assert said in check.detail
    assert (check.remedy is None) is (level is Level.OK)
