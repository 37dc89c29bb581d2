"""Counting scans: on the bytes alone, and whatever they are."""

import pytest
from tests.support import images

from imagegallery.imaging.formats.jpeg import MAX_SEGMENTS, has_more_scans

SEGMENT = b"\xff\xe1\0\x06"


@pytest.mark.parametrize(("scans", "more"), [(1, False), (9, False), (10, False), (11, True), (500, True)])
def test_a_limit_itself_is_within(scans: int, more: bool) -> None:
    assert has_more_scans(images.many_scans_jpeg(scans), 10) is more


def test_pictures_as_they_are_have_few() -> None:
    assert not has_more_scans(images.real_photo(), 1)
    progressive = images.jpeg(640, 480, progressive=True)
    assert not has_more_scans(progressive, 10)
    assert has_more_scans(progressive, 9)


def test_what_only_looks_like_a_scan_does_not_count() -> None:
    picture = images.jpeg()
    thumbnail = SEGMENT + b"\xff\xda\xff\xda"
    assert not has_more_scans(picture[:2] + thumbnail + picture[2:], 1)
    assert not has_more_scans(picture + b"\0\x02" + b"\xff\xda\0\x02" * 50, 1), "after the end of the picture"
    assert has_more_scans(b"\xff\xd8" + b"\xff\xff\xff\xda\0\x02" * 2, 1), "with bytes to fill up"


def test_no_bytes_are_looked_at_for_long() -> None:
    """More segments than any picture has end the search, and a length that leads beyond the end does, too."""
    assert has_more_scans(b"\xff\xd8" + b"\xff\x01" * (MAX_SEGMENTS + 1), 10)
    assert not has_more_scans(b"\xff\xd8" + b"\xff\x01" * (MAX_SEGMENTS - 1), 10)
    assert not has_more_scans(b"\xff\xd8\xff\xe0\xff\xff", 10)
    assert not has_more_scans(b"\xff", 10)
